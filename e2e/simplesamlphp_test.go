package e2e

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// simpleSAML is Debian's SimpleSAMLphp as an identity provider, served by PHP itself.
type simpleSAML struct {
	*foreigner
	dir string // its configuration
}

// simpleSAMLFiles configure it: its people with their passwords, and as service providers whose metadata
// lies in the folder sp, read by its own parser.
var simpleSAMLFiles = map[string]string{
	"config.php": `<?php
$config = [
	'baseurlpath' => '{origin}/',
	'certdir' => __DIR__ . '/', 'loggingdir' => __DIR__ . '/', 'datadir' => __DIR__ . '/', 'tempdir' => __DIR__ . '/tmp',
	'metadatadir' => __DIR__ . '/metadata/', 'metadata.sources' => [['type' => 'flatfile']],
	'technicalcontact_name' => 'Nobody', 'technicalcontact_email' => 'nobody@example.com', 'timezone' => 'UTC',
	'secretsalt' => 'only for this test', 'auth.adminpassword' => 'only for this test', 'admin.checkforupdates' => false,
	'logging.handler' => 'stderr', 'logging.level' => 5, 'statistics.out' => [],
	'enable.saml20-idp' => true, 'module.enable' => ['exampleauth' => true, 'core' => true, 'saml' => true],
	'store.type' => 'phpsession', 'session.phpsession.savepath' => __DIR__ . '/tmp',
	'session.cookie.secure' => false, 'session.cookie.samesite' => null,
	'language.default' => 'en', 'language.cookie.secure' => false, 'language.cookie.samesite' => null,
	'authproc.idp' => [], 'authproc.sp' => [],
];
`,
	"authsources.php": `<?php
$config = ['admin' => ['core:AdminPassword'], 'people' => [
	'exampleauth:UserPass',
	'ann:ann there' => ['uid' => ['ann'], 'mail' => ['ann@corp.example'], 'displayName' => ['Ann of Corp']],
	'bob:bob there' => ['uid' => ['bob'], 'mail' => ['bob@elsewhere.example'], 'displayName' => ['Bob']],
]];
`,
	"metadata/saml20-idp-hosted.php": `<?php
$metadata['{origin}/saml2/idp/metadata.php'] = [
	'host' => '__DEFAULT__', 'privatekey' => 'idp.key', 'certificate' => 'idp.crt', 'auth' => 'people',
	'NameIDFormat' => 'urn:oasis:names:tc:SAML:2.0:nameid-format:persistent', 'simplesaml.nameidattribute' => 'uid',
	'authproc' => [3 => ['class' => 'saml:AttributeNameID', 'attribute' => 'uid', 'Format' => 'urn:oasis:names:tc:SAML:2.0:nameid-format:persistent']],
	'sign.logout' => true, 'validate.authnrequest' => true, 'validate.logout' => true,
];
`,
	"metadata/saml20-sp-remote.php": `<?php
foreach (glob(__DIR__ . '/../sp/*.xml') as $file) {
	foreach (\SimpleSAML\Metadata\SAMLParser::parseDescriptorsFile($file) as $id => $entity) {
		$metadata[$id] = $entity->getMetadata20SP();
	}
}
`,
}

var theSimpleSAML = sync.OnceValues(func() (simpleSAML, error) {
	home := os.Getenv("IDP_TEST_SIMPLESAMLPHP")
	if home == "" {
		return simpleSAML{}, fmt.Errorf("IDP_TEST_E2E is set, so IDP_TEST_SIMPLESAMLPHP must name the folder of SimpleSAMLphp: make test sets both")
	}
	dir, err := os.MkdirTemp("", "idp-saml-")
	if err != nil {
		return simpleSAML{}, err
	}
	for range 5 {
		s, err := startSimpleSAML(home, dir)
		if err == nil || !strings.Contains(err.Error(), "Address already in use") {
			return s, err
		}
	}
	return simpleSAML{}, fmt.Errorf("five times, somebody took the port that was free for PHP")
})

func startSimpleSAML(home, dir string) (simpleSAML, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return simpleSAML{}, err
	}
	listen := l.Addr().String()
	_ = l.Close()
	for _, folder := range []string{"metadata", "sp", "tmp"} {
		if err := os.MkdirAll(filepath.Join(dir, folder), 0o700); err != nil {
			return simpleSAML{}, err
		}
	}
	for name, text := range simpleSAMLFiles {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(strings.ReplaceAll(text, "{origin}", "http://"+listen)), 0o600); err != nil {
			return simpleSAML{}, err
		}
	}
	if err := writeKeyPair(filepath.Join(dir, "idp.key"), filepath.Join(dir, "idp.crt")); err != nil {
		return simpleSAML{}, err
	}
	cmd := exec.Command("php", "-d", "display_errors=0", "-S", listen, "-t", filepath.Join(home, "www"))
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "SIMPLESAMLPHP_CONFIG_DIR=" + dir}
	f, err := startForeigner(cmd, func(string) string {
		res, err := http.Get("http://" + listen + "/saml2/idp/metadata.php")
		if err != nil {
			return ""
		}
		defer res.Body.Close()
		if res.StatusCode != http.StatusOK || !strings.HasPrefix(res.Header.Get("X-Powered-By"), "PHP") {
			return ""
		}
		return "http://" + listen
	})
	if err != nil {
		return simpleSAML{}, err
	}
	f.after = func() { _ = os.RemoveAll(dir) }
	return simpleSAML{f, dir}, nil
}

func writeKeyPair(key, certificate string) error {
	pair, signed, err := newKeyPair()
	if err != nil {
		return err
	}
	if err := os.WriteFile(certificate, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: signed.Raw}), 0o600); err != nil {
		return err
	}
	return os.WriteFile(key, pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(pair)}), 0o600)
}

// newKeyPair is what a provider signs with.
func newKeyPair() (*rsa.PrivateKey, *x509.Certificate, error) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return nil, nil, err
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: "The corporation"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		return nil, nil, err
	}
	certificate, err := x509.ParseCertificate(der)
	return key, certificate, err
}

// needSimpleSAML skips where PHP need not be there.
func needSimpleSAML(t testing.TB) simpleSAML {
	t.Helper()
	if os.Getenv("IDP_TEST_E2E") == "" {
		t.Skip("needs SimpleSAMLphp: make test brings it and sets IDP_TEST_E2E")
	}
	s, err := theSimpleSAML()
	if err != nil {
		t.Fatal(err)
	}
	s.said(t)
	return s
}

// Connection is what an operator writes to connect to it.
func (s simpleSAML) Connection(name string, more map[string]any) map[string]any {
	c := map[string]any{"name": name, "type": "saml", "title": "The corporation", "metadata_url": s.Origin + "/saml2/idp/metadata.php",
		"claims": map[string]string{"email": "mail", "name": "displayName"}}
	for key, value := range more {
		c[key] = value
	}
	return c
}

// Meet tells it of the instance, by the metadata that the connection has there.
func (s simpleSAML) Meet(t testing.TB, i *instance, connection string) {
	t.Helper()
	b := newBrowser(t, i.Issuer).Get("/federation/" + connection + "/metadata")
	if b.Status != http.StatusOK {
		t.Fatalf("the metadata of the connection answers %d:\n%s", b.Status, b.Body)
	}
	file := filepath.Join(s.dir, "sp", strings.NewReplacer("/", "_", ":", "_").Replace(i.Issuer)+"_"+connection+".xml")
	if err := os.WriteFile(file, []byte(b.Body), 0o600); err != nil {
		t.Fatal(err)
	}
}
