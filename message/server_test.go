package message_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"io"
	"log"
	"math/big"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-sasl"
	smtp "github.com/emersion/go-smtp"
)

// received is a letter as the mail server took it.
type received struct {
	from, data string
	to         []string
	user, word string
	secured    bool
}

// server is a mail server that others wrote, on loopback.
type server struct {
	address    string
	scheme     string
	roots      *x509.CertPool
	tls        *tls.Config
	implicit   bool
	refuseRcpt *smtp.SMTPError
	refuseData *smtp.SMTPError
	hangUp     bool // closes the connection right after taking a letter

	mu      sync.Mutex
	letters []received
	signIns int
}

type option func(*server)

func overTLS(s *server)  { s.implicit, s.scheme, s.tls = true, "smtps", &tls.Config{} }
func startTLS(s *server) { s.tls = &tls.Config{} }

func newServer(t *testing.T, options ...option) *server {
	t.Helper()
	s := &server{scheme: "smtp"}
	for _, o := range options {
		o(s)
	}
	if s.tls != nil {
		s.tls, s.roots = certificate(t)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.address = l.Addr().String()
	if s.implicit {
		l = tls.NewListener(l, s.tls)
	}
	run := smtp.NewServer(smtp.BackendFunc(func(c *smtp.Conn) (smtp.Session, error) { return &visit{server: s, conn: c}, nil }))
	run.Domain, run.TLSConfig, run.ErrorLog = "localhost", s.tls, log.New(io.Discard, "", 0)
	if s.implicit {
		run.TLSConfig = nil
	}
	done := make(chan struct{})
	go func() {
		_ = run.Serve(l) // ends with ErrServerClosed
		close(done)
	}()
	t.Cleanup(func() {
		_ = run.Close()
		<-done
	})
	return s
}

func (s *server) url(user string) string { return s.scheme + "://" + user + s.address }

func (s *server) taken() []received {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]received(nil), s.letters...)
}

func (s *server) words() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.signIns
}

func (s *server) only(t *testing.T) received {
	t.Helper()
	all := s.taken()
	if len(all) != 1 {
		t.Fatalf("the server took %d letters", len(all))
	}
	return all[0]
}

// visit is one conversation.
type visit struct {
	server *server
	conn   *smtp.Conn
	now    received
}

func (v *visit) AuthMechanisms() []string { return []string{sasl.Plain} }

func (v *visit) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, user, word string) error {
		v.server.mu.Lock()
		v.server.signIns++
		v.server.mu.Unlock()
		if word != "hunter2" {
			return smtp.ErrAuthFailed
		}
		v.now.user, v.now.word = user, word
		return nil
	}), nil
}

func (v *visit) Mail(from string, _ *smtp.MailOptions) error {
	v.now.from = from
	return nil
}

func (v *visit) Rcpt(to string, _ *smtp.RcptOptions) error {
	if v.server.refuseRcpt != nil {
		return v.server.refuseRcpt
	}
	v.now.to = append(v.now.to, to)
	return nil
}

func (v *visit) Data(r io.Reader) error {
	data, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	if v.server.refuseData != nil {
		return v.server.refuseData
	}
	_, v.now.secured = v.conn.TLSConnectionState()
	v.now.data = string(data)
	v.server.mu.Lock()
	v.server.letters = append(v.server.letters, v.now)
	v.server.mu.Unlock()
	return nil
}

func (v *visit) Reset() {
	if v.server.hangUp && v.now.data != "" {
		_ = v.conn.Conn().Close()
	}
}

func (v *visit) Logout() error { return nil }

func certificate(t *testing.T) (*tls.Config, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	draft := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		BasicConstraintsValid: true, IsCA: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
	}
	der, err := x509.CreateCertificate(rand.Reader, draft, draft, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(leaf)
	return &tls.Config{MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}, roots
}
