package message_test

import (
	"regexp"
	"strings"
	"testing"

	"idp/identity"
	"idp/internal/secret"
	"idp/message"
	"idp/storage/storagetest"
	"idp/templates"
)

var kinds = []message.Kind{
	message.SignUp, message.VerifyAddress, message.AddressBelongs, message.SignIn, message.AddressHeld, message.Reset, message.NoAccount, message.PasswordChanged,
	message.Changed, message.Locked, message.AccountDeleted, message.Invitation, message.Test,
}

// carries are the kinds whose mail is useless without its code or its link.
var carries = map[message.Kind][]string{
	message.SignUp: {"314159"}, message.VerifyAddress: {"314159"}, message.SignIn: {"314159"}, message.Reset: {"314159"}, message.AddressHeld: {"314159"},
	message.Invitation: {"https://id.example/x?token=abcdef"},
}

func drawn(t *testing.T, words map[string]string) map[message.Kind]message.Letter {
	t.Helper()
	set, err := templates.Load("")
	if err != nil {
		t.Fatal(err)
	}
	set.Brand = "Acme"
	p := newPost(t, storagetest.Open(t))
	p.Render = set.Mail
	all := map[message.Kind]message.Letter{}
	for _, kind := range kinds {
		m := code(p.now)
		m.Kind, m.Words = kind, words
		if kind == message.Changed || kind == message.PasswordChanged {
			m.Notice = &message.Notice{
				What: "factor_added", Method: "passkey", Name: words["party"], Browser: words["browser"], Place: words["place"], Network: "192.0.2.7", At: p.now,
			}
		}
		if err := p.SendNow(t.Context(), m); err != nil {
			t.Fatalf("%s: %v", kind, err)
		}
		all[kind] = p.sent[len(p.sent)-1]
	}
	return all
}

func TestEveryKindOfMailSaysWhatItIsFor(t *testing.T) {
	for kind, l := range drawn(t, map[string]string{"party": "Shop", "browser": "Firefox on Linux", "place": "192.0.2.7"}) {
		if l.Subject == "" || strings.HasPrefix(l.Subject, "mail.") || len(strings.Fields(l.Text)) < 5 || !strings.Contains(l.HTML, "</html>") {
			t.Errorf("%s: subject %q, text %q", kind, l.Subject, l.Text)
		}
		for _, want := range carries[kind] {
			if !strings.Contains(l.Text, want) || !strings.Contains(l.HTML, want) {
				t.Errorf("%s lacks %q", kind, want)
			}
		}
	}
}

var link = regexp.MustCompile(`(?i)https?:|www\.|evil\.\S|href="[^"]*`)

func TestNamesOfStrangersBringNoLinkIntoOurMail(t *testing.T) {
	for _, name := range []string{
		"Click http://evil.example now", "HTTPS://evil.example", "www.evil.example", "evil.example", "evil。example", "x@evil.example",
		`<a href="https://evil.example">Shop</a>`, "Shop\r\nBcc: eve@evil.example", "//evil.example/a", "https:\u200b//evil.example", strings.Repeat("long ", 100),
	} {
		for kind, l := range drawn(t, map[string]string{"party": name, "browser": name, "place": name}) {
			for _, text := range []string{l.Subject, l.Text, l.HTML} {
				for _, found := range link.FindAllString(strings.ReplaceAll(text, "https://id.example/x?token=abcdef", ""), -1) {
					if found != `href="` { // ours, just emptied
						t.Errorf("%s with %q has %q", kind, name, found)
					}
				}
			}
			if len(l.Subject) > 200 || strings.ContainsAny(l.Subject, "\r\n") {
				t.Errorf("%s with %q: subject %q", kind, name, l.Subject)
			}
		}
	}
}

func TestANameInANoticeIsNoSentence(t *testing.T) {
	for _, name := range []string{
		"Your account is locked! Call +1 (800) 555-0199 at once: support will help you to get it back",
		"Mozilla; dial 0800 1234567 now?", strings.Repeat("a", 300),
	} {
		for _, kind := range []message.Kind{message.Changed, message.PasswordChanged} {
			l := drawn(t, map[string]string{"party": name, "browser": name, "place": name})[kind]
			for _, part := range []string{"0199", "1234567", "!", "now?", strings.Repeat("a", 33)} {
				if strings.Contains(strings.ReplaceAll(l.Text, "https://id.example/x?token=abcdef", ""), part) {
					t.Errorf("%s carries %q of %q", kind, part, name)
				}
			}
		}
	}
}

func TestPlainNamesStayAsTheyAre(t *testing.T) {
	for _, name := range []string{"Shop", "Ärzte & Söhne", "Firefox on Linux", "Acme Inc.", "日本語"} {
		found := false
		for _, l := range drawn(t, map[string]string{"party": name}) {
			found = found || strings.Contains(l.Text, name)
		}
		if !found {
			t.Errorf("no mail says %q", name)
		}
	}
}

func TestMailGoesOnlyToWhatIsOneAddress(t *testing.T) {
	p := newPost(t, storagetest.Open(t))
	for _, to := range []string{"ann@example.com,eve@example.com", "Ann <ann@example.com>", "ann@example.com\r\nBcc: eve@example.com", "ANN@example.com", ""} {
		m := message.Message{Kind: message.Test, To: identity.Identifier{Kind: identity.Email, Value: to}, Code: secret.NewString("1")}
		if err := p.SendNow(t.Context(), m); err == nil || len(p.sent) != 0 {
			t.Errorf("%q: %v, sent to %d", to, err, len(p.sent))
		}
	}
}
