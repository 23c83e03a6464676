package conformance

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"flag"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"
)

var update = flag.Bool("update", false, "write docs/conformance.md anew")

// authority is the certificate authority of one run, which the whole process trusts: idp
// when it fetches what relying parties publish, and the relying party and browser here.
var authority struct {
	pool              *x509.CertPool
	certFile, keyFile string // of the one server certificate, in PEM
	pair              tls.Certificate
}

func TestMain(m *testing.M) {
	flag.Parse()
	os.Exit(inDirectory(m))
}

func inDirectory(m *testing.M) int {
	dir, err := os.MkdirTemp("", "idp-conformance-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer func() { _ = os.RemoveAll(dir) }()
	if err := makeAuthority(dir); err != nil {
		fmt.Fprintln(os.Stderr, "make certificates:", err)
		return 1
	}
	return m.Run()
}

func makeAuthority(dir string) error {
	caKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	now := time.Now()
	ca := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "idp conformance tests"},
		NotBefore: now.Add(-time.Hour), NotAfter: now.Add(24 * time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	caDER, err := x509.CreateCertificate(rand.Reader, ca, ca, caKey.Public(), caKey)
	if err != nil {
		return err
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	leaf := &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "localhost"},
		NotBefore: now.Add(-time.Hour), NotAfter: now.Add(24 * time.Hour), KeyUsage: x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		DNSNames:    []string{"localhost"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	der, err := x509.CreateCertificate(rand.Reader, leaf, ca, key.Public(), caKey)
	if err != nil {
		return err
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return err
	}
	write := func(name, kind string, der []byte) (string, error) {
		path := filepath.Join(dir, name)
		return path, os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600)
	}
	caFile, err := write("ca.pem", "CERTIFICATE", caDER)
	if err != nil {
		return err
	}
	if authority.certFile, err = write("server.pem", "CERTIFICATE", der); err != nil {
		return err
	}
	if authority.keyFile, err = write("server.key", "PRIVATE KEY", keyDER); err != nil {
		return err
	}
	if authority.pair, err = tls.LoadX509KeyPair(authority.certFile, authority.keyFile); err != nil {
		return err
	}
	parsed, err := x509.ParseCertificate(caDER)
	if err != nil {
		return err
	}
	authority.pool = x509.NewCertPool()
	authority.pool.AddCert(parsed)
	return os.Setenv("SSL_CERT_FILE", caFile) // before anybody asks for the system's roots
}
