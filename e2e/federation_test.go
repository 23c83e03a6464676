package e2e

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// Connect puts a connection to another provider on file, as an operator does.
func (i *instance) Connect(connection map[string]any) {
	i.t.Helper()
	raw, err := json.Marshal(connection)
	if err != nil {
		i.t.Fatal(err)
	}
	file := filepath.Join(i.t.TempDir(), "connection.json")
	if err := os.WriteFile(file, raw, 0o600); err != nil {
		i.t.Fatal(err)
	}
	i.CLI("", "connection", "create", "--file", file)
}

// button is the id of the button that leads to a connection.
func button(connection string) string { return "connection-" + connection }

// ledger is how many there are of what signing in by a provider could make.
type ledger struct{ people, links, sessions, proven int }

func (d *database) ledger() ledger {
	d.t.Helper()
	return ledger{
		people:   d.count("SELECT count(*) FROM users"),
		links:    d.count("SELECT count(*) FROM factors WHERE method LIKE 'oauth\\_%' ESCAPE '\\' OR method LIKE 'saml\\_%' ESCAPE '\\'"),
		sessions: d.count("SELECT count(*) FROM sessions WHERE ended_at IS NULL"),
		proven:   d.count("SELECT count(*) FROM holdings WHERE verified_at IS NOT NULL"),
	}
}

// grown fails if the database did not change by just so much since then.
func (d *database) grown(t testing.TB, since, by ledger) {
	t.Helper()
	now := d.ledger()
	want := ledger{since.people + by.people, since.links + by.links, since.sessions + by.sessions, since.proven + by.proven}
	if now != want {
		t.Errorf("there are %+v, want %+v", now, want)
	}
}

// wantHome fails unless the browser is signed in with that address as the proven one.
func (b *browser) wantHome(t testing.TB, email string) {
	t.Helper()
	if b.Get("/account"); b.URL.Path != "/account" || !strings.Contains(b.Text(), email) {
		t.Fatalf("the browser is not signed in as %s, but at %s:\n%s", email, b.URL, b.Text())
	}
}

// wantNobody fails if the browser is signed in.
func (b *browser) wantNobody(t testing.TB) {
	t.Helper()
	if b.Get("/account"); !strings.HasPrefix(b.URL.Path, "/sign-in") {
		t.Fatalf("the browser is signed in: %s\n%s", b.URL, b.Text())
	}
}

// wantNotice waits for a mail that says that the connection leads in now, and has no code.
func (p *process) wantNotice(to, title string) {
	p.t.Helper()
	p.await(to, func(all []letter) bool {
		return slices.ContainsFunc(all, func(l letter) bool { return l.Code == "" && strings.Contains(l.Subject+l.Text, title) })
	})
}

// settled waits until mail that is on its way now has come in: it leaves as a job, one after another.
func (p *process) settled(t testing.TB) {
	t.Helper()
	marker := "marker" + strings.ReplaceAll(time.Now().Format("150405.000000000"), ".", "") + "@example.com"
	newBrowser(t, p.URL).Get("/sign-up").Fill("Email address", marker).Fill("Password", good).Press("Sign up")
	p.LastLetter(marker, 0)
}

// codes is how many letters with a code came to an address.
func (p *process) codes(to string) (n int) {
	p.t.Helper()
	for _, l := range p.Letters(to) {
		if l.Code != "" {
			n++
		}
	}
	return n
}
