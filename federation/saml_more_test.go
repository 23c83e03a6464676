package federation_test

import (
	"crypto"
	"crypto/aes"
	"crypto/cipher"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1" // the mask function that XML Encryption 1.0 names
	"crypto/sha256"
	"crypto/x509"
	"encoding/asn1"
	"encoding/base64"
	"encoding/xml"
	"math/big"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/beevik/etree"
	"github.com/crewjam/saml"
	"github.com/crewjam/saml/logger"
	dsig "github.com/russellhaering/goxmldsig"
	"github.com/russellhaering/goxmldsig/etreeutils"

	"idp/federation"
	"idp/federation/federationtest"
	"idp/internal/secret"
)

const cbc128 = "http://www.w3.org/2001/04/xmlenc#aes128-cbc"

// encrypted is an EncryptedAssertion by AES-CBC, its key wrapped as the test wants.
func (h *samlHouse) encrypted(el *etree.Element, wrap string, padding byte) *etree.Element {
	h.Helper()
	us := h.ourCertificate()
	public, ok := us.PublicKey.(*rsa.PublicKey)
	if !ok {
		h.Fatal("our key is not RSA")
	}
	key, iv := secret.Bytes(16), secret.Bytes(16)
	block, err := aes.NewCipher(key)
	h.must(err)
	plain := []byte(text(el))
	pad := 16 - len(plain)%16
	plain = append(plain, make([]byte, pad)...)
	plain[len(plain)-1] = byte(pad)
	if padding != 0 {
		plain[len(plain)-1] = padding
	}
	sealed := make([]byte, len(plain))
	cipher.NewCBCEncrypter(block, iv).CryptBlocks(sealed, plain)
	var wrapped []byte
	if strings.HasSuffix(wrap, "rsa-1_5") {
		wrapped, err = rsa.EncryptPKCS1v15(rand.Reader, public, key) //nolint:staticcheck // to be refused
	} else {
		wrapped, err = rsa.EncryptOAEP(sha1.New(), rand.Reader, public, key, nil)
	}
	h.must(err)
	return federationtest.EncryptedAssertion(cbc128, append(iv, sealed...), wrap, wrapped)
}

func TestSAMLOldEncryptionIsReadOnlyWithinWhatIsSigned(t *testing.T) {
	const oaep, old = "http://www.w3.org/2001/04/xmlenc#rsa-oaep-mgf1p", "http://www.w3.org/2001/04/xmlenc#rsa-1_5"
	h := newSAMLHouse(t)
	r := h.asked()
	h.refused("AES-CBC around a signature", h.form(h.idp.Response(r, h.encrypted(h.idp.Sealed(r), oaep, 0))))
	h.idp.SignResponse = true
	h.refused("RSA 1.5", h.form(h.idp.Response(r, h.encrypted(h.idp.Sealed(r), old, 0))))
	for _, padding := range []byte{17, 255} {
		h.refused("a padding that is none", h.form(h.idp.Response(r, h.encrypted(h.idp.Sealed(r), oaep, padding))))
	}
	h.refused("nothing encrypted", h.form(h.idp.Response(r, federationtest.EncryptedAssertion(cbc128, nil, oaep, nil))))
	h.refused("next to nothing encrypted", h.form(h.idp.Response(r, federationtest.EncryptedAssertion("http://www.w3.org/2009/xmlenc11#aes128-gcm", []byte("x"), oaep, []byte("y")))))
	if _, err := h.brought(h.form(h.idp.Response(r, h.encrypted(h.idp.Sealed(r), oaep, 0)))); err != nil {
		t.Errorf("AES-CBC within a signed response: %v", err)
	}
}

func TestSAMLProviderThatOthersWroteIsUnderstood(t *testing.T) {
	h := newSAMLHouse(t)
	h.clock.Set(time.Now()) // its clock is the machine's
	doc, err := h.f.ServiceMetadata(t.Context(), h.c)
	h.must(err)
	us := &saml.EntityDescriptor{}
	h.must(xml.Unmarshal(doc, us))
	key := h.idp.Key
	there := &saml.IdentityProvider{
		Key: key, Certificate: federationtest.SelfSigned(t, key, time.Now()), Logger: logger.DefaultLogger, SignatureMethod: dsig.RSASHA256SignatureMethod,
		MetadataURL: url.URL{Scheme: "https", Host: "idp.example", Path: "/metadata"}, SSOURL: url.URL{Scheme: "https", Host: "idp.example", Path: "/sso"},
	}
	metadata, err := xml.Marshal(there.Metadata())
	h.must(err)
	h.c.Metadata = string(metadata)
	h.d = h.departure()
	way, err := h.f.Depart(t.Context(), h.c, h.d)
	h.must(err)
	got := httptest.NewRequestWithContext(t.Context(), "GET", way.URL, nil)
	request, err := saml.NewIdpAuthnRequest(there, got)
	h.must(err)
	h.must(xml.Unmarshal(request.RequestBuffer, &request.Request))
	request.ServiceProviderMetadata, request.SPSSODescriptor = us, &us.SPSSODescriptors[0]
	request.ACSEndpoint = &us.SPSSODescriptors[0].AssertionConsumerServices[0]
	h.must(saml.DefaultAssertionMaker{}.MakeAssertion(request, &saml.Session{
		CreateTime: time.Now(), Index: "1", NameID: "ada-7", NameIDFormat: "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent", UserEmail: "ada@acme.example",
	}))
	form, err := request.PostBinding() // it encrypts by AES-CBC, and signs assertion and response
	h.must(err)
	x, err := h.brought(url.Values{"SAMLResponse": {form.SAMLResponse}, "RelayState": {form.RelayState}})
	h.must(err)
	if x.Account.Subject != "ada-7" || x.Email.Value != "ada@acme.example" {
		t.Errorf("what came is %+v", x)
	}
}

func TestSAMLSignatureByAnEllipticCurveIsRead(t *testing.T) {
	h := newSAMLHouse(t)
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	h.must(err)
	form := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: h.clock.Now().Add(-time.Hour), NotAfter: h.clock.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, form, form, key.Public(), key)
	h.must(err)
	h.idp.Certificate, err = x509.ParseCertificate(der)
	h.must(err)
	h.c.Metadata = h.idp.Metadata()
	h.idp.SignAssertion = false
	r := h.asked()
	a := h.idp.Assertion(r).Element()
	context, err := dsig.NewSigningContext(key, [][]byte{der})
	h.must(err)
	context.Canonicalizer = dsig.MakeC14N10ExclusiveCanonicalizerWithPrefixList("")
	h.must(context.SetSignatureMethod(dsig.ECDSASHA256SignatureMethod))
	signature, err := context.ConstructSignature(a, true)
	h.must(err)
	value := signature.FindElement("./SignatureValue") // XML has two numbers where Go has ASN.1
	raw, err := base64.StdEncoding.DecodeString(value.Text())
	h.must(err)
	var pair struct{ R, S *big.Int }
	_, err = asn1.Unmarshal(raw, &pair)
	h.must(err)
	value.SetText(base64.StdEncoding.EncodeToString(append(pair.R.FillBytes(make([]byte, 32)), pair.S.FillBytes(make([]byte, 32))...)))
	a.InsertChildAt(1, signature)
	if _, err := h.brought(h.form(h.idp.Response(r, a))); err != nil {
		t.Error(err)
	}
}

func TestSAMLSignatureMayNameNamespacesThatValuesUse(t *testing.T) {
	h := newSAMLHouse(t)
	h.idp.SignAssertion = false
	r := h.asked()
	whole := h.idp.Response(r, h.idp.Assertion(r).Element())
	whole.CreateAttr("xmlns:xs", "http://www.w3.org/2001/XMLSchema") // declared outside, used in values within
	a := whole.FindElement("./Assertion")
	for _, v := range a.FindElements(".//AttributeValue") {
		v.RemoveAttr("xmlns:xs")
	}
	around, err := etreeutils.NSBuildParentContext(a)
	h.must(err)
	detached, err := etreeutils.NSDetatch(around, a)
	h.must(err)
	octets, err := dsig.MakeC14N10ExclusiveCanonicalizerWithPrefixList("xs").Canonicalize(detached.Copy())
	h.must(err)
	if !strings.Contains(string(octets), "xmlns:xs=") {
		t.Fatalf("the namespace is not in what is signed: %s", octets)
	}
	a = h.idp.Sign(a) // the form of it; digest and value are made anew
	info := a.FindElement("./Signature/SignedInfo")
	list := info.FindElements("./Reference/Transforms/Transform")[1].CreateElement("ec:InclusiveNamespaces")
	list.CreateAttr("xmlns:ec", "http://www.w3.org/2001/10/xml-exc-c14n#")
	list.CreateAttr("PrefixList", "xs")
	digest := sha256.Sum256(octets)
	info.FindElement("./Reference/DigestValue").SetText(base64.StdEncoding.EncodeToString(digest[:]))
	around, err = etreeutils.NSBuildParentContext(info)
	h.must(err)
	alone, err := etreeutils.NSDetatch(around, info)
	h.must(err)
	octets, err = dsig.MakeC14N10ExclusiveCanonicalizerWithPrefixList("").Canonicalize(alone)
	h.must(err)
	sum := sha256.Sum256(octets)
	value, err := rsa.SignPKCS1v15(rand.Reader, h.idp.Key, crypto.SHA256, sum[:])
	h.must(err)
	a.FindElement("./Signature/SignatureValue").SetText(base64.StdEncoding.EncodeToString(value))
	if _, err := h.brought(h.form(whole)); err != nil {
		t.Error(err)
	}
}

func TestSAMLRequestInTheAddressIsSignedOverItsOctets(t *testing.T) {
	h := newSAMLHouse(t)
	way, err := h.f.Depart(t.Context(), h.c, h.d)
	h.must(err)
	_, query, _ := strings.Cut(way.URL, "?")
	signed, signature, found := strings.Cut(query, "&Signature=")
	if !found || !strings.Contains(signed, "&RelayState=") || !strings.HasSuffix(signed, url.QueryEscape(dsig.RSASHA256SignatureMethod)) {
		t.Fatalf("the address is %s", way.URL)
	}
	value, err := url.QueryUnescape(signature)
	h.must(err)
	raw, err := base64.StdEncoding.DecodeString(value)
	h.must(err)
	h.must(h.ourCertificate().CheckSignature(x509.SHA256WithRSA, []byte(signed), raw))
}

func TestSAMLKeyIsOneForAllReplicasAndSurvivesARestart(t *testing.T) {
	h := newSAMLHouse(t)
	first, second := h.replica(), h.replica()
	docs := make(chan string, 2)
	for _, f := range []*federation.Federation{first, second} {
		go func() {
			doc, err := f.ServiceMetadata(t.Context(), h.c)
			if err != nil {
				t.Error(err)
			}
			docs <- string(doc)
		}()
	}
	a, b := <-docs, <-docs
	third, err := h.replica().ServiceMetadata(t.Context(), h.c)
	h.must(err)
	if a != b || a != string(third) || !strings.Contains(a, "X509Certificate") {
		t.Error("replicas have different keys")
	}
}

// FuzzSAMLResponse alters a signed response: whatever comes, nobody else comes out, and nothing falls over.
func FuzzSAMLResponse(f *testing.F) {
	var h *samlHouse
	f.Add(0, []byte("admin"))
	f.Add(100, []byte("<!-- -->"))
	f.Add(900, []byte(`<saml:Assertion ID="x">`))
	f.Fuzz(func(t *testing.T, at int, with []byte) {
		if h == nil {
			h = newSAMLHouse(t)
		}
		h.T = t
		r := h.asked()
		doc := text(h.idp.Response(r, h.idp.Sealed(r)))
		at = int(uint(at) % uint(len(doc)))
		end := min(len(doc), at+len(with)%7)
		altered := doc[:at] + string(with) + doc[end:]
		x, err := h.brought(h.raw(altered))
		if err == nil && (x.Account.Subject != "ada-7" || x.Email.Value != "ada@acme.example" || x.Account.Issuer != h.idp.EntityID) {
			t.Errorf("somebody else comes out: %+v", x)
		}
		if err != nil && strings.Contains(err.Error(), "panic") {
			t.Error(err)
		}
	})
}
