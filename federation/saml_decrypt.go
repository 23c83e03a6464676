package federation

import (
	"crypto"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/rsa"
	_ "crypto/sha1" //nolint:gosec // the mask function of RSA-OAEP, where it is no signature
	_ "crypto/sha256"
	_ "crypto/sha512"
	"errors"
	"fmt"

	"github.com/beevik/etree"
)

var errDecrypt = errors.New("what is encrypted could not be read") // one sentence, whatever is wrong

// The ways of encrypting: keys by RSA-OAEP alone (RSA 1.5 tells strangers about the key),
// content by AES-GCM, or by AES-CBC where a signature covers the ciphertext.
var (
	gcmKeys = map[string]int{nsEncrypt11 + "aes128-gcm": 16, nsEncrypt11 + "aes192-gcm": 24, nsEncrypt11 + "aes256-gcm": 32}
	cbcKeys = map[string]int{nsEncryption + "aes128-cbc": 16, nsEncryption + "aes192-cbc": 24, nsEncryption + "aes256-cbc": 32}

	oaepDigests = map[string]crypto.Hash{
		"": crypto.SHA1, nsSignature + "sha1": crypto.SHA1, nsEncryption + "sha256": crypto.SHA256,
		"http://www.w3.org/2001/04/xmldsig-more#sha384": crypto.SHA384, nsEncryption + "sha512": crypto.SHA512,
	}
	oaepMasks = map[string]crypto.Hash{
		"": crypto.SHA1, nsEncrypt11 + "mgf1sha1": crypto.SHA1, nsEncrypt11 + "mgf1sha256": crypto.SHA256,
		nsEncrypt11 + "mgf1sha384": crypto.SHA384, nsEncrypt11 + "mgf1sha512": crypto.SHA512,
	}
)

// decrypt opens an EncryptedAssertion. covered says that a verified signature covers it:
// without one AES-CBC would let whoever may try often enough read and change the text.
func decrypt(el *etree.Element, key *rsa.PrivateKey, covered bool) ([]byte, error) {
	if err := holds(el, exactly(nsEncryption, "EncryptedData"), optional(nsEncryption, "EncryptedKey")); err != nil {
		return nil, err
	}
	data := childOf(el, nsEncryption, "EncryptedData")
	var keys []*etree.Element
	eachElement(el, func(e *etree.Element) {
		if isElement(e, nsEncryption, "EncryptedKey") {
			keys = append(keys, e)
		}
	})
	if len(keys) != 1 {
		return nil, errors.New("not exactly one encrypted key")
	}
	method := childOf(data, nsEncryption, "EncryptionMethod")
	if method == nil {
		return nil, errors.New("no encryption method")
	}
	algorithm := attrOf(method, "Algorithm")
	length, gcm := gcmKeys[algorithm]
	if !gcm {
		if length = cbcKeys[algorithm]; length == 0 || !covered {
			return nil, fmt.Errorf("encryption by %q", algorithm)
		}
	}
	text, err := cipherValue(data)
	if err != nil {
		return nil, err
	}
	secretKey, err := contentKey(keys[0], key)
	if err != nil || len(secretKey) != length {
		return nil, errors.Join(errDecrypt, err)
	}
	block, err := aes.NewCipher(secretKey)
	if err != nil {
		return nil, err
	}
	if gcm {
		return openGCM(block, text)
	}
	return openCBC(block, text)
}

func cipherValue(el *etree.Element) ([]byte, error) {
	data := childOf(el, nsEncryption, "CipherData")
	if data == nil {
		return nil, errors.New("no cipher data")
	}
	value := childOf(data, nsEncryption, "CipherValue")
	if value == nil {
		return nil, errors.New("no cipher value")
	}
	text, err := textOf(value)
	if err != nil {
		return nil, err
	}
	return unbase64(text)
}

// contentKey opens the key that the content was encrypted with.
func contentKey(el *etree.Element, key *rsa.PrivateKey) ([]byte, error) {
	method := childOf(el, nsEncryption, "EncryptionMethod")
	if method == nil {
		return nil, errors.New("no encryption method of the key")
	}
	var digest, mask string
	if d := childOf(method, nsSignature, "DigestMethod"); d != nil {
		digest = attrOf(d, "Algorithm")
	}
	switch name := attrOf(method, "Algorithm"); name {
	case nsEncryption + "rsa-oaep-mgf1p":
	case nsEncrypt11 + "rsa-oaep":
		if m := childOf(method, nsEncrypt11, "MGF"); m != nil {
			mask = attrOf(m, "Algorithm")
		}
	default:
		return nil, fmt.Errorf("key encryption by %q", name)
	}
	hash, known := oaepDigests[digest]
	masks, usual := oaepMasks[mask]
	if !known || !usual {
		return nil, fmt.Errorf("key encryption with digest %q and mask %q", digest, mask)
	}
	sealed, err := cipherValue(el)
	if err != nil {
		return nil, err
	}
	plain, err := key.Decrypt(rand.Reader, sealed, &rsa.OAEPOptions{Hash: hash, MGFHash: masks})
	if err != nil && mask == "" && hash != masks { // some providers use one digest for both
		plain, err = key.Decrypt(rand.Reader, sealed, &rsa.OAEPOptions{Hash: hash, MGFHash: hash})
	}
	if err != nil {
		return nil, errDecrypt
	}
	return plain, nil
}

func openGCM(block cipher.Block, text []byte) ([]byte, error) {
	aead, err := cipher.NewGCM(block)
	if err != nil {
		return nil, err
	}
	if len(text) < aead.NonceSize() {
		return nil, errDecrypt
	}
	plain, err := aead.Open(nil, text[:aead.NonceSize()], text[aead.NonceSize():], nil)
	if err != nil {
		return nil, errDecrypt
	}
	return plain, nil
}

// openCBC takes off the padding of XML Encryption §5.2.1: the last octet says how much it is.
func openCBC(block cipher.Block, text []byte) ([]byte, error) {
	size := block.BlockSize()
	if len(text) < 2*size || len(text)%size != 0 {
		return nil, errDecrypt
	}
	plain := make([]byte, len(text)-size)
	cipher.NewCBCDecrypter(block, text[:size]).CryptBlocks(plain, text[size:])
	padding := int(plain[len(plain)-1])
	if padding < 1 || padding > size {
		return nil, errDecrypt
	}
	return plain[:len(plain)-padding], nil
}
