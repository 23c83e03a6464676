package config_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"idp/internal/config"
)

// production is a configuration that production accepts, changed by what is given.
func production(t *testing.T, change ...string) config.Config {
	t.Helper()
	env := append([]string{
		"IDP_ENVIRONMENT=production", "IDP_ISSUER=https://id.example.com", "IDP_MASTER_KEY=" + randomKey(),
		"IDP_SMTP_URL=smtps://idp:pw@mail.example.com", "IDP_MAIL_FROM=Acme <no-reply@example.com>",
		"IDP_DATA_DIR=" + filepath.Join(t.TempDir(), "data"),
	}, change...)
	return load(t, "", env...)
}

func TestProductionAcceptsWhatIsSafe(t *testing.T) {
	for _, change := range [][]string{
		nil,
		{"IDP_LISTEN=:443", "IDP_TRUSTED_PROXIES=10.0.0.0/8"},
		{"IDP_DATABASE_URL=postgres://idp@db/idp?sslmode=verify-full"},
		{"IDP_SMTP_URL=smtp://localhost:25?starttls=off"},
		{"IDP_ISSUER=https://id.example.com:8443"},
	} {
		if err := production(t, change...).Validate(); err != nil {
			t.Errorf("%v: %v", change, err)
		}
	}
}

func TestProductionRefusesWhatIsNotAndSaysWhatToDo(t *testing.T) {
	open := t.TempDir()
	if err := os.Chmod(open, 0o755); err != nil {
		t.Fatal(err)
	}
	readable := write(t, "key", randomKey(), 0o644)
	for _, c := range []struct{ why, change, want string }{
		{"http issuer", "IDP_ISSUER=http://id.example.com", "production needs a public https URL"},
		{"http on localhost", "IDP_ISSUER=http://localhost:8080", "production needs a public https URL"},
		{"sample master key", "IDP_MASTER_KEY=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", "openssl rand -base64 32"},
		{"short master key", "IDP_MASTER_KEY=c2hvcnQ=", "openssl rand -base64 32"},
		{"mail in the clear", "IDP_SMTP_URL=smtp://mail.example.com?starttls=off", "drop starttls="},
		{"mail perhaps in the clear", "IDP_SMTP_URL=smtp://mail.example.com?starttls=optional", "drop starttls="},
		{"proxies everywhere", "IDP_TRUSTED_PROXIES=0.0.0.0/0", "name the proxies' own addresses"},
		{"proxies everywhere in IPv6", "IDP_TRUSTED_PROXIES=::/0", "name the proxies' own addresses"},
		{"data for all to read", "IDP_DATA_DIR=" + open, "chmod 750 " + open},
		{"passwords to be guessed", "IDP_LIMITS_WRONG_PASSWORDS=101", "lets passwords be guessed"},
		{"no limit at all", "IDP_LIMITS_NETWORK_FAILURES=0", "choose 1 to 1000000"},
		{"no lock at all", "IDP_LIMITS_LOCK=0s", "choose 1s to 720h"},
		{"breached passwords of no file", "IDP_BREACHED_PASSWORDS_CHECK=file", "breached_passwords.file names none"},
		{"breached passwords in the clear", "IDP_BREACHED_PASSWORDS_URL=http://localhost/range/", "is no https URL"},
		{"breached passwords of a file that is not there", "IDP_BREACHED_PASSWORDS_FILE=" + open + "/none", "cannot be read"},
		{"metrics for the public", "IDP_METRICS_LISTEN=:8080", "a port of their own"},
	} {
		err := production(t, c.change).Validate()
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", c.why, err)
		} else if lines := strings.Count(err.Error(), "\n") + 1; lines != 1 {
			t.Errorf("%s: %d lines: %v", c.why, lines, err)
		}
	}
	c := load(t, "", "IDP_ENVIRONMENT=production", "IDP_ISSUER=https://id.example.com", "IDP_MASTER_KEY_FILE="+readable)
	for _, want := range []string{"chmod 640 " + readable, "smtp_url is missing", "mail_from is missing"} {
		if err := c.Validate(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q is not in: %v", want, err)
		}
	}
}

func TestSecretsInAFileForAllToReadAreRefused(t *testing.T) {
	file := write(t, "idp.yaml", "environment: production\nmaster_key: "+randomKey()+"\n", 0o644)
	c, _, err := config.Load(config.Source{File: file})
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Validate(); err == nil || !strings.Contains(err.Error(), "chmod 640 "+file) {
		t.Fatal(err)
	}
}

func TestNowhereIsAnUnclearIssuerAccepted(t *testing.T) {
	for _, issuer := range []string{
		"localhost:8080", "ftp://x", "https://", "https://x/", "https://x/path/", "https://x//path", "https://x/../path", "https://x/.well-known", "https://x/a+b", "https://x/a%20b", "https://x/a;b", "https://x/a.", "https://x?a=b", "https://x#f", "https://u:p@x",
		"https://X.example", "https://x:443", "http://localhost:80", "http://192.168.1.5:8080", "http://id.example.com", "https://x?", "https://x#", " https://x",
	} {
		if err := load(t, "", "IDP_ISSUER="+issuer).Validate(); err == nil {
			t.Errorf("%q was accepted", issuer)
		}
	}
	for _, issuer := range []string{"http://localhost:8080", "http://127.0.0.1:8080", "http://[::1]:8080", "https://id.example.com", "http://idp.localhost:3000", "https://id.example.com/auth", "https://id.example.com/Auth_2/v1.0", "https://localhost:8443"} {
		if err := load(t, "", "IDP_ISSUER="+issuer).Validate(); err != nil {
			t.Errorf("%q: %v", issuer, err)
		}
	}
}

func TestWebFingerAnswersForHostsOnly(t *testing.T) {
	for hosts, fine := range map[string]bool{
		"example.com": true, "example.com, mail.example.com:8443": true, "Example.com": false, "https://example.com": false, "example.com/x": false, "ann@example.com": false,
	} {
		if err := load(t, "", "IDP_WEBFINGER_HOSTS="+hosts).Validate(); (err == nil) != fine {
			t.Errorf("%q: %v", hosts, err)
		}
	}
}

func TestHalfATLSPairIsRefused(t *testing.T) {
	cert := write(t, "crt", "x", 0o600)
	if err := load(t, "", "IDP_TLS_CERTIFICATE_FILE="+cert).Validate(); err == nil || !strings.Contains(err.Error(), "go together") {
		t.Fatal(err)
	}
	c := load(t, "", "IDP_TLS_CERTIFICATE_FILE="+cert, "IDP_TLS_KEY_FILE="+filepath.Join(filepath.Dir(cert), "none"))
	if err := c.Validate(); err == nil || !strings.Contains(err.Error(), "tls.key_file") || c.Issuer != "https://localhost:8080" {
		t.Fatalf("%v, issuer %s", err, c.Issuer)
	}
}

func TestWarningsSayWhatIsRiskyButAllowed(t *testing.T) {
	for _, c := range []struct {
		why, want string
		with      config.Config
	}{
		{"dev inbox for the network", "/dev/inbox", load(t, "", "IDP_LISTEN=:8080")},
		{"a proxy that was not named", "trusted_proxies", production(t)},
		{"generous limits", "limits.messages is 50, more than the 5", production(t, "IDP_LIMITS_MESSAGES=50")},
		{"session management without https", "session_management is on, but not offered", load(t, "", "IDP_SESSION_MANAGEMENT=true")},
		{"breached passwords", "breached_passwords.check is off", production(t, "IDP_BREACHED_PASSWORDS_CHECK=off")},
		{"open registration", "anybody may register", production(t, "IDP_REGISTRATION=open")},
	} {
		if w := strings.Join(c.with.Warnings(), "\n"); !strings.Contains(w, c.want) {
			t.Errorf("%s: %q", c.why, w)
		}
	}
	if c := production(t, "IDP_SESSION_MANAGEMENT=true"); !c.WatchedSessions() || production(t).WatchedSessions() {
		t.Error("session management is offered by https and by wish, and only so")
	}
	if w := load(t, "").Warnings(); len(w) != 0 {
		t.Errorf("the default warns: %q", w)
	}
}

func TestBreachedPasswordsAreLookedUpInProductionUnlessToldOtherwise(t *testing.T) {
	for want, c := range map[string]config.Config{
		"off": load(t, ""), "online": production(t), "file": production(t, "IDP_BREACHED_PASSWORDS_CHECK=file", "IDP_BREACHED_PASSWORDS_FILE="+write(t, "pwned", "x", 0o600)),
	} {
		if err := c.Validate(); err != nil || c.BreachedPasswords.Check != want {
			t.Errorf("%q, %v, want %q", c.BreachedPasswords.Check, err, want)
		}
	}
	mirror := load(t, "", "IDP_BREACHED_PASSWORDS_CHECK=online", "IDP_BREACHED_PASSWORDS_URL=http://localhost:9999/range/")
	if err := mirror.Validate(); err != nil {
		t.Error(err)
	}
}

func TestWhatMayBeReachedInsideIsSpelledOut(t *testing.T) {
	good := load(t, "", "IDP_OUTBOUND_ALLOW=10.1.0.0/16, 192.168.1.5, keys.internal, fd00::/8, localhost")
	if err := good.Validate(); err != nil || len(good.OutboundAllow) != 5 {
		t.Fatalf("%v %v", good.OutboundAllow, err)
	}
	for _, bad := range []string{"0.0.0.0/0", "::/0", "https://keys.internal", "keys.internal:8443", "*.internal", "10.0.0.0/33", "a b", "-x"} {
		if err := load(t, "", "IDP_OUTBOUND_ALLOW="+bad).Validate(); err == nil || !strings.Contains(err.Error(), "outbound_allow") {
			t.Errorf("%q: %v", bad, err)
		}
	}
}
