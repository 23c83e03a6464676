package e2e

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// authority is a certificate authority that nobody but the test trusts, and the one
// certificate it gave out: for this machine, for idp and relying parties alike. All in PEM.
type authority struct{ CA, Certificate, Key string }

// readable is a folder that servers which gave up being root can read.
func readable(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "idp-e2e-")
	if err == nil {
		t.Cleanup(func() { _ = os.RemoveAll(dir) })
		err = os.Chmod(dir, 0o755)
	}
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

func newAuthority(t testing.TB) authority {
	t.Helper()
	dir := readable(t)
	a := authority{CA: filepath.Join(dir, "ca.pem"), Certificate: filepath.Join(dir, "localhost.pem"), Key: filepath.Join(dir, "localhost.key")}
	now := time.Now()
	root := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "Test of idp"},
		NotBefore: now.Add(-time.Hour), NotAfter: now.Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}
	leaf := &x509.Certificate{SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "localhost"},
		NotBefore: root.NotBefore, NotAfter: root.NotAfter,
		DNSNames: []string{"localhost"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	rootKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(err)
	leafKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(err)
	rootDER, err := x509.CreateCertificate(rand.Reader, root, root, rootKey.Public(), rootKey)
	must(err)
	leafDER, err := x509.CreateCertificate(rand.Reader, leaf, root, leafKey.Public(), rootKey)
	must(err)
	keyDER, err := x509.MarshalPKCS8PrivateKey(leafKey)
	must(err)
	must(os.WriteFile(a.CA, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: rootDER}), 0o644))
	must(os.WriteFile(a.Certificate, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: leafDER}), 0o644))
	must(os.WriteFile(a.Key, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: keyDER}), 0o600))
	return a
}

// client trusts the authority and nobody else.
func (a authority) client(t testing.TB) *http.Client {
	t.Helper()
	ca, err := os.ReadFile(a.CA)
	roots := x509.NewCertPool()
	if err != nil || !roots.AppendCertsFromPEM(ca) {
		t.Fatalf("no authority in %s: %v", a.CA, err)
	}
	return &http.Client{Timeout: patience,
		Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}}}
}

// Secure lets the instance, not yet started, serve https by itself, and believe relying
// parties that show the same certificate.
func (i *instance) Secure() authority {
	i.t.Helper()
	a := newAuthority(i.t)
	i.Issuer = strings.Replace(i.Issuer, "http:", "https:", 1)
	i.env = append(i.env, "IDP_TLS_CERTIFICATE_FILE="+a.Certificate, "IDP_TLS_KEY_FILE="+a.Key, "SSL_CERT_FILE="+a.CA)
	i.http = a.client(i.t)
	i.authority = &a
	return a
}
