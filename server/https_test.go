package server_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// selfSigned writes a certificate for localhost as openssl's one-liner makes it.
func selfSigned(t *testing.T) (certFile, keyFile string, pool *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	of := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "localhost"}, DNSNames: []string{"localhost"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, of, of, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	hidden, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	dir, public := t.TempDir(), pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	certFile, keyFile = filepath.Join(dir, "tls.crt"), filepath.Join(dir, "tls.key")
	for file, text := range map[string][]byte{certFile: public, keyFile: pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: hidden})} {
		if err := os.WriteFile(file, text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	pool = x509.NewCertPool()
	pool.AppendCertsFromPEM(public)
	return certFile, keyFile, pool
}

func TestOnOnesOwnMachineASelfSignedCertificateIsEnoughForHTTPS(t *testing.T) {
	certFile, keyFile, pool := selfSigned(t)
	s := startAt(t, sqlite(t), "", "IDP_TLS_CERTIFICATE_FILE="+certFile, "IDP_TLS_KEY_FILE="+keyFile)
	b := s.surfer()
	b.Client.Transport = &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}}
	b.open("/sign-up").signUp("")
	if len(b.Cookies()) == 0 {
		t.Error("nobody is signed in")
	}
	for _, c := range b.Cookies() {
		if !strings.HasPrefix(c.Name, "__Host-") {
			t.Errorf("the cookie is called %s", c.Name)
		}
	}
	res, err := b.Client.Get(s.issuer + "/.well-known/openid-configuration")
	if err != nil {
		t.Fatal(err)
	}
	_ = res.Body.Close()
	if res.StatusCode != http.StatusOK || res.Header.Get("Strict-Transport-Security") != "" {
		t.Errorf("answered %d; browsers would refuse http on this machine for a year: %q", res.StatusCode, res.Header.Get("Strict-Transport-Security"))
	}
	old := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11}}}
	if res, err := old.Get(s.issuer + "/healthz"); err == nil {
		_ = res.Body.Close()
		t.Errorf("TLS 1.1 was spoken: %v", res.TLS)
	}
}
