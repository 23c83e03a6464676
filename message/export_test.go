package message

import (
	"crypto/tls"
	"crypto/x509"
)

// At makes t talk to a test's own server.
func (t *Twilio) At(base string) { t.base = base }

// Trust makes s believe in a test's own certificate.
func Trust(s *SMTP, roots *x509.CertPool) {
	s.roots = &tls.Config{RootCAs: roots, ServerName: s.host, MinVersion: tls.VersionTLS12}
}
