package federation_test

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1" // the mask function that XML Encryption 1.0 names
	"testing"

	"github.com/beevik/etree"

	"idp/federation/federationtest"
	"idp/internal/secret"
)

const (
	gcm128  = "http://www.w3.org/2009/xmlenc11#aes128-gcm"
	gcm256  = "http://www.w3.org/2009/xmlenc11#aes256-gcm"
	oaepSHA = "http://www.w3.org/2001/04/xmlenc#rsa-oaep-mgf1p"
)

// sealing is how something is encrypted.
type sealing struct {
	content string // algorithm; AES-GCM whatever it says
	wrap    string // of the key; RSA-OAEP whatever it says
	to      *rsa.PublicKey
	spoil   func(content []byte) []byte
}

// to encrypts an element to us, or as s says.
func (h *samlHouse) sealed(el *etree.Element, s sealing) *etree.Element {
	h.Helper()
	if s.content == "" {
		s.content = gcm256
	}
	if s.wrap == "" {
		s.wrap = oaepSHA
	}
	if s.to == nil {
		s.to, _ = h.ourCertificate().PublicKey.(*rsa.PublicKey)
	}
	key, nonce := secret.Bytes(32), secret.Bytes(12)
	block, err := aes.NewCipher(key)
	h.must(err)
	aead, err := cipher.NewGCM(block)
	h.must(err)
	content := append(nonce, aead.Seal(nil, nonce, []byte(text(el)), nil)...)
	if s.spoil != nil {
		content = s.spoil(content)
	}
	wrapped, err := rsa.EncryptOAEP(sha1.New(), rand.Reader, s.to, key, nil)
	h.must(err)
	return federationtest.EncryptedAssertion(s.content, content, s.wrap, wrapped)
}

// within puts elements into one response, signed as a whole if so is said.
func (h *samlHouse) within(r federationtest.SAMLRequest, signed bool, all ...*etree.Element) *etree.Element {
	h.Helper()
	h.idp.SignResponse = false
	el := h.idp.Response(r, all[0])
	for _, more := range all[1:] {
		el.AddChild(more)
	}
	if signed {
		return h.idp.Sign(el)
	}
	return el
}

func TestSAMLEncryptionThatIsNotOursOrNotSafeIsRefusedWhateverIsSigned(t *testing.T) {
	h := newSAMLHouse(t)
	for what, s := range map[string]sealing{
		"to somebody else":              {to: &otherKey(t).PublicKey},
		"changed on its way":            {spoil: func(c []byte) []byte { c[len(c)/2] ^= 1; return c }},
		"cut off":                       {spoil: func(c []byte) []byte { return c[:8] }},
		"with a key of another length":  {content: gcm128},
		"by triple DES":                 {content: "http://www.w3.org/2001/04/xmlenc#tripledes-cbc"},
		"by nothing":                    {content: "urn:nothing"},
		"its key by RSA 1.5":            {wrap: "http://www.w3.org/2001/04/xmlenc#rsa-1_5"},
		"its key by a shared one":       {wrap: "http://www.w3.org/2001/04/xmlenc#kw-aes256"},
		"its key by what nobody knows":  {wrap: "urn:nobody"},
		"named AES-CBC, which it isn't": {content: "http://www.w3.org/2001/04/xmlenc#aes256-cbc"},
	} {
		for _, signed := range []bool{false, true} {
			h.d = h.departure()
			r := h.asked()
			h.refused(what, h.form(h.within(r, signed, h.sealed(h.idp.Sealed(r), s))))
		}
	}
	if _, err := h.signIn(); err != nil {
		t.Errorf("what is right is refused too: %v", err)
	}
}

func TestSAMLKeyOfTheContentMayStandBesideItAndIsOne(t *testing.T) {
	h := newSAMLHouse(t)
	beside := func(el *etree.Element, copies int) *etree.Element {
		data := el.FindElement("./EncryptedData")
		info := data.FindElement("./KeyInfo")
		key := info.FindElement("./EncryptedKey")
		data.RemoveChild(info)
		key.CreateAttr("xmlns:xenc", "http://www.w3.org/2001/04/xmlenc#")
		for range copies {
			el.AddChild(key.Copy())
		}
		return el
	}
	r := h.asked()
	if _, err := h.brought(h.form(h.within(r, false, beside(h.sealed(h.idp.Sealed(r), sealing{}), 1)))); err != nil {
		t.Errorf("a key beside its content: %v", err)
	}
	for _, n := range []int{0, 2} {
		h.d = h.departure()
		r = h.asked()
		h.refused("no key, or two", h.form(h.within(r, true, beside(h.sealed(h.idp.Sealed(r), sealing{}), n))))
	}
}

func TestSAMLEncryptedAssertionIsSignedInsideOrAround(t *testing.T) {
	h := newSAMLHouse(t)
	stranger := otherKey(t)
	strange := federationtest.SelfSigned(t, stranger, h.clock.Now())
	for _, tt := range []struct {
		what    string
		inside  string // "", "provider", "stranger"
		around  bool
		refused bool
	}{
		{"inside alone", "provider", false, false},
		{"around alone", "", true, false},
		{"both", "provider", true, false},
		{"by nobody", "", false, true},
		{"by a stranger inside", "stranger", false, true},
		{"by a stranger inside, by the provider around", "stranger", true, true},
	} {
		h.d = h.departure()
		r := h.asked()
		a := h.idp.Assertion(r).Element()
		switch tt.inside {
		case "provider":
			a = h.idp.Sign(a)
		case "stranger":
			a = h.idp.SignBy(a, stranger, strange)
		}
		form := h.form(h.within(r, tt.around, h.sealed(a, sealing{})))
		if tt.refused {
			h.refused(tt.what, form)
			continue
		}
		if x, err := h.brought(form); err != nil || x.Account.Subject != "ada-7" {
			t.Errorf("%s: %+v, %v", tt.what, x, err)
		}
	}
}

func TestSAMLOneAssertionIsOneHoweverItIsWrapped(t *testing.T) {
	h := newSAMLHouse(t)
	for what, make := range map[string]func(r federationtest.SAMLRequest, a *etree.Element) []*etree.Element{
		"two encrypted ones": func(r federationtest.SAMLRequest, a *etree.Element) []*etree.Element {
			return []*etree.Element{h.sealed(a, sealing{}), h.sealed(h.idp.Sealed(r), sealing{})}
		},
		"the same one twice": func(_ federationtest.SAMLRequest, a *etree.Element) []*etree.Element {
			sealed := h.sealed(a, sealing{})
			return []*etree.Element{sealed, sealed.Copy()}
		},
		"a plain one before an encrypted one": func(r federationtest.SAMLRequest, a *etree.Element) []*etree.Element {
			return []*etree.Element{a, h.sealed(h.idp.Sealed(r), sealing{})}
		},
		"an unsigned one after an encrypted one": func(_ federationtest.SAMLRequest, a *etree.Element) []*etree.Element {
			return []*etree.Element{h.sealed(a, sealing{}), evil(a)}
		},
		"an encrypted one in an encrypted one": func(_ federationtest.SAMLRequest, a *etree.Element) []*etree.Element {
			return []*etree.Element{h.sealed(h.sealed(a, sealing{}), sealing{})}
		},
		"one in an encrypted one": func(_ federationtest.SAMLRequest, a *etree.Element) []*etree.Element {
			outer := evil(a)
			outer.AddChild(h.sealed(a, sealing{}))
			return []*etree.Element{h.sealed(outer, sealing{})}
		},
		"a response in an encrypted one": func(r federationtest.SAMLRequest, a *etree.Element) []*etree.Element {
			return []*etree.Element{h.sealed(h.idp.Sign(h.idp.Response(r, a)), sealing{})}
		},
		"an encrypted one in another one's advice": func(_ federationtest.SAMLRequest, a *etree.Element) []*etree.Element {
			outer := evil(a)
			outer.CreateElement("saml:Advice").AddChild(h.sealed(a, sealing{}))
			return []*etree.Element{outer}
		},
	} {
		for _, signed := range []bool{false, true} {
			h.d = h.departure()
			r := h.asked()
			h.refused(what, h.form(h.within(r, signed, make(r, h.idp.Sealed(r))...)))
		}
	}
}

func TestSAMLSingleValuesThatAreEncryptedAreRefused(t *testing.T) {
	h := newSAMLHouse(t)
	for what, put := range map[string]func(a *etree.Element){
		"the name": func(a *etree.Element) {
			subject := a.FindElement("./Subject")
			name := subject.FindElement("./NameID")
			sealed := h.sealed(name, sealing{})
			sealed.Tag = "EncryptedID"
			subject.RemoveChild(name)
			subject.InsertChildAt(0, sealed)
		},
		"a name beside the plain one": func(a *etree.Element) {
			subject := a.FindElement("./Subject")
			sealed := h.sealed(subject.FindElement("./NameID"), sealing{})
			sealed.Tag = "EncryptedID"
			subject.InsertChildAt(1, sealed)
		},
		"an attribute": func(a *etree.Element) {
			statement := a.FindElement("./AttributeStatement")
			sealed := h.sealed(statement.FindElement("./Attribute"), sealing{})
			sealed.Tag = "EncryptedAttribute"
			statement.AddChild(sealed)
		},
	} {
		for _, encrypted := range []bool{false, true} {
			h.d = h.departure()
			r := h.asked()
			a := h.idp.Assertion(r).Element()
			put(a)
			a = h.idp.Sign(a)
			if encrypted {
				a = h.sealed(a, sealing{})
			}
			h.refused(what, h.form(h.within(r, true, a)))
		}
	}
}
