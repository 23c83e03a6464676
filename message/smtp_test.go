package message_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/mail"
	"strings"
	"testing"
	"time"

	smtp "github.com/emersion/go-smtp"

	"idp/internal/secret"
	"idp/message"
)

func letter() message.Letter {
	return message.Letter{
		ID: "msg_1", To: "ann@example.com", Kind: message.SignIn, Subject: "Your code: 123456", Text: "Hello Ann,\nthe code is 123456.\n",
		HTML: "<p>Hello Ann</p>", SentAt: time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC),
	}
}

func sender(t *testing.T, url string) *message.SMTP {
	t.Helper()
	s, err := message.NewSMTP(secret.NewString(url), `"Äcme" <no-reply@acme.example>`, "help@acme.example")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestLetterArrivesWhole(t *testing.T) {
	server := newServer(t)
	if err := sender(t, server.url("")).Send(t.Context(), letter()); err != nil {
		t.Fatal(err)
	}
	got := server.only(t)
	if got.from != "no-reply@acme.example" || len(got.to) != 1 || got.to[0] != "ann@example.com" {
		t.Errorf("envelope from %q to %q", got.from, got.to)
	}
	m, err := mail.ReadMessage(strings.NewReader(got.data))
	if err != nil {
		t.Fatal(err)
	}
	for header, want := range map[string]string{
		"To": "<ann@example.com>", "Reply-To": "<help@acme.example>", "Subject": "Your code: 123456", "Message-Id": "<msg_1@acme.example>",
		"Auto-Submitted": "auto-generated", "From": "=?utf-8?q?=C3=84cme?= <no-reply@acme.example>",
	} {
		if m.Header.Get(header) != want {
			t.Errorf("%s: %q, want %q", header, m.Header.Get(header), want)
		}
	}
	for _, want := range []string{"multipart/alternative", "the code is 123456.", "<p>Hello Ann</p>"} {
		if !strings.Contains(got.data, want) {
			t.Errorf("the mail lacks %q", want)
		}
	}
}

func TestImplicitTLSAndSignIn(t *testing.T) {
	server := newServer(t, overTLS)
	s := sender(t, server.url("ann:hunter2@"))
	message.Trust(s, server.roots)
	if err := s.Send(t.Context(), letter()); err != nil {
		t.Fatal(err)
	}
	if got := server.only(t); got.user != "ann" || got.word != "hunter2" {
		t.Errorf("signed in as %q with %q", got.user, got.word)
	}
	stranger := sender(t, server.url("ann:hunter2@")) // trusts the machine's roots only
	if err := stranger.Send(t.Context(), letter()); err == nil || server.words() != 1 {
		t.Errorf("a server with an unknown certificate was told a password (%v)", err)
	}
}

func TestStartTLSIsUsedWhenOfferedAndDemandedElsewhere(t *testing.T) {
	server := newServer(t, startTLS)
	s := sender(t, server.url("")+"?starttls=required")
	message.Trust(s, server.roots)
	if err := s.Send(t.Context(), letter()); err != nil {
		t.Fatal(err)
	}
	if got := server.only(t); !got.secured {
		t.Error("the letter travelled in the clear")
	}
	plain := newServer(t)
	if err := sender(t, plain.url("")+"?starttls=required").Send(t.Context(), letter()); err == nil || len(plain.taken()) != 0 {
		t.Errorf("a server without STARTTLS got the letter (%v)", err)
	}
}

func TestRefusalIsFinalAndTroubleIsNot(t *testing.T) {
	for _, c := range []struct {
		why   string
		reply *smtp.SMTPError
		final bool
	}{
		{"no such mailbox", &smtp.SMTPError{Code: 550, EnhancedCode: smtp.EnhancedCode{5, 1, 1}, Message: "ann@example.com is unknown"}, true},
		{"come back later", &smtp.SMTPError{Code: 451, EnhancedCode: smtp.EnhancedCode{4, 7, 1}, Message: "ann@example.com is greylisted"}, false},
	} {
		for at, rig := range map[string]option{
			"recipient": func(s *server) { s.refuseRcpt = c.reply },
			"content":   func(s *server) { s.refuseData = c.reply },
		} {
			server := newServer(t, rig)
			err := sender(t, server.url("")).Send(t.Context(), letter())
			var failed *message.Failed
			if !errors.As(err, &failed) || failed.Final != c.final || failed.Code != c.reply.Code {
				t.Errorf("%s at the %s: %#v", c.why, at, err)
				continue
			}
			if strings.Contains(err.Error(), "ann") || !strings.Contains(failed.Said, c.reply.Message) {
				t.Errorf("%s: the error is %q, the server said %q", c.why, err, failed.Said)
			}
		}
	}
}

func TestServerThatLeavesAfterTakingTheLetterIsNotAskedAgain(t *testing.T) {
	server := newServer(t, func(s *server) { s.hangUp = true })
	if err := sender(t, server.url("")).Send(t.Context(), letter()); err != nil {
		t.Fatalf("the letter was taken, but Send says %v, so it would go out twice", err)
	}
	server.only(t)
}

func TestWrongPasswordIsNotFinal(t *testing.T) {
	server := newServer(t, overTLS)
	s := sender(t, server.url("ann:wrong@"))
	message.Trust(s, server.roots)
	var failed *message.Failed
	if err := s.Send(t.Context(), letter()); !errors.As(err, &failed) || failed.Final || failed.Code != 535 {
		t.Fatalf("%#v", err)
	}
}

func TestSilentServerIsLeftInTime(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	left := make(chan error, 1)
	go func() {
		conn, err := l.Accept()
		if err == nil {
			_, err = io.Copy(io.Discard, conn) // says nothing, and waits to be left
			_ = conn.Close()
		}
		left <- err
	}()
	ctx, stop := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer stop()
	began := time.Now()
	err = sender(t, "smtp://"+l.Addr().String()).Send(ctx, letter())
	if err == nil || time.Since(began) > 5*time.Second {
		t.Fatalf("after %v: %v", time.Since(began), err)
	}
	if err := <-left; err != nil {
		t.Fatalf("the connection was not closed: %v", err)
	}
}

func TestNothingSmugglesRecipientsOrHeaders(t *testing.T) {
	for _, c := range []struct{ why, to, subject string }{
		{"two addresses", "ann@example.com,eve@example.com", "x"},
		{"a line break in the address", "ann@example.com\r\nBcc: eve@example.com", "x"},
		{"a display name", "Eve <ann@example.com>", "x"},
		{"an address within an address", `"eve@attacker.com"@example.com`, "x"},
		{"a line break in the subject", "ann@example.com", "Hello\r\nBcc: eve@example.com\r\n\r\nBody"},
		{"a bare carriage return in the subject", "ann@example.com", "Hello\rBcc: eve@example.com"},
	} {
		server := newServer(t)
		l := letter()
		l.To, l.Subject = c.to, c.subject
		err := sender(t, server.url("")).Send(t.Context(), l)
		if c.to != "ann@example.com" {
			if len(server.taken()) == 0 && err == nil {
				t.Errorf("%s: silence", c.why)
			}
			for _, got := range server.taken() {
				if len(got.to) != 1 || strings.Contains(got.to[0], "eve@example.com") || err == nil && c.why == "two addresses" {
					t.Errorf("%s: went to %q", c.why, got.to)
				}
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", c.why, err)
			continue
		}
		m, err := mail.ReadMessage(strings.NewReader(server.only(t).data))
		if err != nil || m.Header.Get("Bcc") != "" || len(server.only(t).to) != 1 {
			t.Errorf("%s: Bcc %q, %v", c.why, m.Header.Get("Bcc"), err)
		}
	}
}

func TestMailServersAreSpelledStrictly(t *testing.T) {
	for _, c := range []struct {
		url string
		ok  bool
	}{
		{"smtp://mail.example.com", true},
		{"smtps://ann:pw@mail.example.com:465", true},
		{"smtp://mail:1025?starttls=off", true},
		{"smtp://ann:pw@localhost?starttls=off", true},
		{"smtp://ann:pw@mail.example.com?starttls=off", false}, // the password would be seen
		{"smtp://ann:pw@mail.example.com?starttls=optional", false},
		{"http://mail.example.com", false},
		{"smtp://", false},
		{"mail.example.com:25", false},
		{"smtp://mail.example.com?tls=no", false},
		{"smtp://mail.example.com?starttls=maybe", false},
		{"smtp://mail.example.com/path", false},
		{"smtp://mail.example.com:0", false},
	} {
		_, err := message.NewSMTP(secret.NewString(c.url), "a@example.com", "")
		if (err == nil) != c.ok {
			t.Errorf("%s: %v", c.url, err)
		}
		if err != nil && strings.Contains(err.Error(), "pw") {
			t.Errorf("%s: the error shows the password: %v", c.url, err)
		}
	}
	if _, err := message.NewSMTP(secret.NewString("smtp://localhost"), "nobody", ""); err == nil {
		t.Error("a sender that is no address was accepted")
	}
}
