package federationtest

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1" //nolint:gosec // the mask function that XML Encryption 1.0 names
	"encoding/base64"

	"github.com/beevik/etree"

	"idp/internal/secret"
)

// encrypt makes an EncryptedAssertion by AES-256-GCM and RSA-OAEP.
func (p *SAML) encrypt(el *etree.Element) *etree.Element {
	doc := etree.NewDocument()
	doc.SetRoot(el)
	plain, err := doc.WriteToBytes()
	if err != nil {
		panic(err)
	}
	key, nonce := secret.Bytes(32), secret.Bytes(12)
	block, err := aes.NewCipher(key)
	if err != nil {
		panic(err)
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		panic(err)
	}
	public, _ := p.EncryptTo.PublicKey.(*rsa.PublicKey)
	sealed, err := rsa.EncryptOAEP(sha1.New(), rand.Reader, public, key, nil) //nolint:gosec // as above
	if err != nil {
		panic(err)
	}
	return EncryptedAssertion("http://www.w3.org/2009/xmlenc11#aes256-gcm", append(nonce, aead.Seal(nil, nonce, plain, nil)...),
		"http://www.w3.org/2001/04/xmlenc#rsa-oaep-mgf1p", sealed)
}

// EncryptedAssertion writes one with that content and that encrypted key.
func EncryptedAssertion(algorithm string, content []byte, keyAlgorithm string, key []byte) *etree.Element {
	el := etree.NewElement("saml:EncryptedAssertion")
	el.CreateAttr("xmlns:saml", "urn:oasis:names:tc:SAML:2.0:assertion")
	data := el.CreateElement("xenc:EncryptedData")
	data.CreateAttr("xmlns:xenc", "http://www.w3.org/2001/04/xmlenc#")
	data.CreateElement("xenc:EncryptionMethod").CreateAttr("Algorithm", algorithm)
	info := data.CreateElement("ds:KeyInfo")
	info.CreateAttr("xmlns:ds", "http://www.w3.org/2000/09/xmldsig#")
	encrypted := info.CreateElement("xenc:EncryptedKey")
	encrypted.CreateElement("xenc:EncryptionMethod").CreateAttr("Algorithm", keyAlgorithm)
	encrypted.CreateElement("xenc:CipherData").CreateElement("xenc:CipherValue").SetText(base64.StdEncoding.EncodeToString(key))
	data.CreateElement("xenc:CipherData").CreateElement("xenc:CipherValue").SetText(base64.StdEncoding.EncodeToString(content))
	return el
}
