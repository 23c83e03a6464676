package e2e

import (
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var undoURL = regexp.MustCompile(`\S+/undo/\S+`)

// Somebody takes an account over by its mailbox, and its owner takes it back by the link in
// the notice, in a browser without script.
func TestAPasswordChangeIsTakenBackByTheMailedLinkWithoutScript(t *testing.T) {
	eachEngine(t, func(t *testing.T, i *instance) {
		p := i.Start()
		i.Person(ann, good)
		owner := newBrowser(t, i.Issuer)
		owner.Get("/sign-in").Fill("Email address", ann).Fill("Password", good).Press("Sign in")
		thief := newBrowser(t, i.Issuer)
		thief.Get("/sign-in").Fill("Email address", ann).Press("Forgot password?")
		thief.Fill("Code", p.code(ann)).Press("Continue")
		thief.Fill("New password", "the thief's own long phrase 9").Press("Continue")
		thief.Get("/account")
		if thief.URL.Path != "/account" {
			t.Fatalf("the thief is at %s:\n%s", thief.URL, thief.Text())
		}
		l := p.told(ann, "password was changed")
		link := undoURL.FindString(l.Text)
		if link == "" || l.Link != link {
			t.Fatalf("the notice reads %s", l.Text)
		}
		for range 5 { // scanners
			if b := newBrowser(t, i.Issuer).Get(link); b.Status != 200 || !b.HasButton("Take it back") {
				t.Fatalf("%d:\n%s", b.Status, b.Text())
			}
		}
		if thief.Get("/account"); thief.URL.Path != "/account" {
			t.Fatal("a scanner's look undid the change")
		}
		b := newBrowser(t, i.Issuer).Get(link).Press("Take it back")
		if b.Status != 200 || !b.Has("undone") {
			t.Fatalf("%d:\n%s", b.Status, b.Text())
		}
		next := b.Link("Choose a new password")
		if thief.Get("/account"); !strings.HasPrefix(thief.URL.Path, "/sign-in") {
			t.Errorf("the thief is at %s", thief.URL)
		}
		if b.Get("/account"); !strings.HasPrefix(b.URL.Path, "/sign-in") {
			t.Errorf("the link let its holder in, to %s", b.URL)
		}
		if b.Get(link); b.Status != 410 || b.HasButton("Take it back") {
			t.Errorf("the used link answers %d:\n%s", b.Status, b.Text())
		}
		for _, old := range []string{good, "the thief's own long phrase 9"} {
			c := newBrowser(t, i.Issuer)
			if c.Get("/sign-in").Fill("Email address", ann).Fill("Password", old).Press("Sign in"); c.Status != 422 {
				t.Errorf("%q still works: %d at %s", old, c.Status, c.URL)
			}
		}
		b.Get(next).Fill("Code", p.CodeLetter(ann, 1).Code).Press("Continue")
		b.Fill("New password", "a new and quiet phrase 11").Press("Continue")
		if b.Get("/account"); b.URL.Path != "/account" {
			t.Errorf("after the reset at %s:\n%s", b.URL, b.Text())
		}
	})
}

func TestAPersonTakesChangesBackInARealBrowser(t *testing.T) {
	needBrowser(t)
	eachEngine(t, func(t *testing.T, i *instance) {
		i.Start()
		i.Person(ann, good)
		env := []string{"EMAIL=" + ann, "GOOD=" + good}
		if strings.HasSuffix(t.Name(), "/sqlite") {
			out, err := filepath.Abs("artifacts")
			if err != nil {
				t.Fatal(err)
			}
			env = append(env, "ARTIFACTS="+out)
		}
		i.walk(t, "undo.mjs", env...)
	})
}
