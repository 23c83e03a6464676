package message

import (
	"crypto/tls"
	"crypto/x509"
)

// Trust makes s believe in a test's own certificate.
func Trust(s *SMTP, roots *x509.CertPool) {
	s.roots = &tls.Config{RootCAs: roots, ServerName: s.host, MinVersion: tls.VersionTLS12}
}
