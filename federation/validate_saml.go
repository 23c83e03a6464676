package federation

import (
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"slices"
	"strings"
)

const (
	maxMetadata     = 256 << 10 // octets, of one identity provider
	maxCertificates = 10
	minRSA          = 2048 // bits
	maxEntityID     = 1024 // SAML Core §8.3.6
)

// checkSAML looks at where the identity provider is and what it signs with: one of its
// metadata's address, the metadata, or entity id, sign-on address and certificate.
func (c Connection) checkSAML(production bool) error {
	own := c.EntityID != "" || c.EntryPoint != "" || c.Certificate != ""
	ways := 0
	for _, there := range []bool{c.MetadataURL != "", c.Metadata != "", own} {
		if there {
			ways++
		}
	}
	switch {
	case ways == 0:
		return wrong("metadata_url", "Give the address of the provider's metadata; or the metadata; or entity_id, entry_point and certificate.")
	case ways > 1 && c.MetadataURL != "":
		return wrong("metadata_url", "Give either metadata_url, or metadata, or entity_id with entry_point and certificate: one of them.")
	case ways > 1:
		return wrong("metadata", "Give either metadata, or entity_id with entry_point and certificate: one of them.")
	case c.MetadataURL != "":
		return checkAddress("metadata_url", c.MetadataURL, true, production)
	case len(c.Metadata) > maxMetadata:
		return wrong("metadata", "Metadata of one provider has at most %d bytes.", maxMetadata)
	case c.Metadata != "" && !strings.HasPrefix(strings.TrimSpace(c.Metadata), "<"):
		return wrong("metadata", "That is no XML. Give the document itself; its address goes to metadata_url.")
	case c.Metadata != "":
		return nil
	case c.EntityID == "":
		return wrong("entity_id", "Give the provider's entity id beside its entry_point and certificate.")
	case len(c.EntityID) > maxEntityID || !printable(c.EntityID):
		return wrong("entity_id", "An entity id has at most %d characters, in one line.", maxEntityID)
	case c.EntryPoint == "":
		return wrong("entry_point", "Give the address where the provider signs people in (SingleSignOnService).")
	case c.Certificate == "":
		return wrong("certificate", "Give the certificate that the provider signs with.")
	}
	if err := checkAddress("entry_point", c.EntryPoint, true, production); err != nil {
		return err
	}
	certs, err := certificates(c.Certificate)
	if err != nil {
		return wrong("certificate", "This certificate cannot be used: %v.", err)
	}
	for _, cert := range certs {
		switch key := cert.PublicKey.(type) {
		case *rsa.PublicKey:
			if key.N.BitLen() < minRSA {
				return wrong("certificate", "The key of %s has %d bits; %d is the least that is safe.", cert.Subject, key.N.BitLen(), minRSA)
			}
		case *ecdsa.PublicKey:
		default:
			return wrong("certificate", "The key of %s is neither RSA nor ECDSA.", cert.Subject)
		}
	}
	return nil
}

// certificates reads certificates in PEM, one after the other.
func certificates(text string) ([]*x509.Certificate, error) {
	var all []*x509.Certificate
	for rest := []byte(text); len(strings.TrimSpace(string(rest))) > 0; {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			return nil, fmt.Errorf("it is neither PEM nor base64")
		}
		if block.Type != "CERTIFICATE" {
			return nil, fmt.Errorf("it holds a %s", strings.ToLower(block.Type))
		}
		cert, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, fmt.Errorf("it is damaged; copy it again")
		}
		if all = append(all, cert); len(all) > maxCertificates {
			return nil, fmt.Errorf("there are more than %d", maxCertificates)
		}
	}
	return all, nil
}

// asPEM writes a certificate that came as bare base64, as metadata has it, in PEM, and leaves
// everything else.
func asPEM(text string) string {
	text = strings.TrimSpace(text)
	bare := strings.Join(strings.Fields(text), "")
	if der, err := base64.StdEncoding.DecodeString(bare); err == nil && len(der) > 0 {
		return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: slices.Clip(der)}))
	}
	return text
}
