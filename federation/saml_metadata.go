package federation

import (
	"context"
	"encoding/base64"
	"encoding/xml"
	"fmt"
	"time"

	"github.com/crewjam/saml"
)

// metadataLife is how long providers may rely on our metadata.
const metadataLife = 7 * 24 * time.Hour

// ServiceMetadata is our metadata for the provider of a connection (Metadata §2.4.4): what an
// operator gives to it. It exists for SAML connections alone, also while they are switched off,
// since it is needed before they are switched on.
func (f *Federation) ServiceMetadata(ctx context.Context, c Connection) ([]byte, error) {
	if c.Type != SAML {
		return nil, ErrUnknown
	}
	s := f.party()
	key, err := s.key(ctx)
	if err != nil {
		return nil, err
	}
	until, yes := f.Now().Add(metadataLife).UTC().Truncate(time.Second), true
	certificate := saml.KeyInfo{X509Data: saml.X509Data{X509Certificates: []saml.X509Certificate{
		{Data: base64.StdEncoding.EncodeToString(key.certificate.Raw)},
	}}}
	role := saml.SPSSODescriptor{
		AuthnRequestsSigned: &yes, WantAssertionsSigned: &yes,
		AssertionConsumerServices: []saml.IndexedEndpoint{{Binding: saml.HTTPPostBinding, Location: f.Callback(c), Index: 0, IsDefault: &yes}},
	}
	role.ProtocolSupportEnumeration = nsProtocol
	role.KeyDescriptors = []saml.KeyDescriptor{
		{Use: "signing", KeyInfo: certificate},
		{Use: "encryption", KeyInfo: certificate, EncryptionMethods: encryptionMethods()},
	}
	if s.parts(ctx, c) {
		for _, binding := range []string{saml.HTTPRedirectBinding, saml.HTTPPostBinding} {
			role.SingleLogoutServices = append(role.SingleLogoutServices, saml.Endpoint{Binding: binding, Location: f.LogoutService(c)})
		}
	}
	role.NameIDFormats = []saml.NameIDFormat{persistentFormat, emailFormat, "urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified"}
	doc, err := xml.MarshalIndent(saml.EntityDescriptor{
		EntityID: f.EntityID(c), ValidUntil: until, SPSSODescriptors: []saml.SPSSODescriptor{role},
	}, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("write metadata: %w", err)
	}
	return append([]byte(xml.Header), doc...), nil
}

// encryptionMethods is what we read, best first.
func encryptionMethods() (all []saml.EncryptionMethod) {
	for _, algorithm := range []string{
		nsEncrypt11 + "aes256-gcm", nsEncrypt11 + "aes128-gcm", nsEncryption + "rsa-oaep-mgf1p", nsEncrypt11 + "rsa-oaep",
	} {
		all = append(all, saml.EncryptionMethod{Algorithm: algorithm})
	}
	return all
}
