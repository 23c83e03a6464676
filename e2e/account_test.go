package e2e

import (
	"encoding/json"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const (
	work  = "ann.work@example.com"
	newer = "quiet harbour lantern 9"
)

// wantText fails unless each part is to be read on the page.
func (b *browser) wantText(parts ...string) *browser {
	b.t.Helper()
	for _, p := range parts {
		if !strings.Contains(b.Text(), p) {
			b.t.Fatalf("%q is not on %s (%d):\n%s", p, b.URL, b.Status, b.Text())
		}
	}
	return b
}

// told waits for a mail with such a subject to an address, and returns it: mail leaves as a job.
func (p *process) told(to, subject string) letter {
	p.t.Helper()
	about := func(l letter) bool { return strings.Contains(l.Subject, subject) }
	all := p.await(to, func(all []letter) bool { return slices.ContainsFunc(all, about) })
	return all[slices.IndexFunc(all, about)]
}

func TestPeopleKeepTheirOwnAccountWithoutScript(t *testing.T) {
	eachEngine(t, func(t *testing.T, i *instance) {
		p := i.Start()
		i.Person(ann, good)
		in := func(password string) *browser {
			b := newBrowser(t, i.Issuer).Get("/sign-in").Fill("Email address", ann).Fill("Password", password).Press("Sign in")
			return b.wantText("This device")
		}
		b, far := in(good), in(good)
		b.Get("/account").Fill("Name (optional)", "Ann Lee").Fill("Language (optional)", "de-at").Press("Save").wantText("Saved.", "Ann Lee")

		b.Fill("Email address", work).Press("Send code").Fill("Code", p.code(work)).Press("Continue").wantText("on your account now", work)
		b.PressNamed("Make main: " + work).wantText("That is the main one now.")
		p.told(ann, "another main email address")

		b.Get("/account/password").Fill("New password", "short").Press("Save")
		if b.Status != 422 {
			t.Fatalf("a short password: %d", b.Status)
		}
		b.Fill("New password", newer).Press("Save").wantText("You have a new password.")
		if far.Get("/account"); far.URL.Path == "/account" {
			t.Error("the other device is signed in still")
		}
		far = in(newer)
		b.Get("/account").PressNamed("Sign out Firefox · Linux").wantText("That device is signed out.")
		if far.Get("/account"); far.URL.Path == "/account" {
			t.Error("the device is signed in still")
		}

		b.Press("Download")
		var file struct {
			Format string
			User   struct{ Profile struct{ Name, Locale string } }
			Events []struct{ Kind string }
		}
		if err := json.Unmarshal([]byte(b.Body), &file); err != nil || file.Format != "idp-account-1" || file.User.Profile.Name != "Ann Lee" || file.User.Profile.Locale != "de-AT" || len(file.Events) < 5 {
			t.Fatalf("the export is %s (%v)", b.Body, err)
		}
		if !strings.HasPrefix(b.Header.Get("Content-Disposition"), "attachment;") || b.Header.Get("Cache-Control") != "no-store" || strings.Contains(b.Body, "argon2") {
			t.Errorf("handed out as %v", b.Header)
		}

		b.Get("/account/delete").Fill("To go on, type "+work, ann).Press("Delete my account for ever")
		if b.Status != 422 {
			t.Fatalf("another address confirms: %d %s", b.Status, b.Text())
		}
		b.Fill("To go on, type "+work, work).Press("Delete my account for ever").wantText("Your account is deleted")
		if b.Get("/account"); b.URL.Path == "/account" {
			t.Error("somebody who is gone is signed in")
		}
		p.told(work, "is deleted")
		newBrowser(t, i.Issuer).Get("/sign-in").Fill("Email address", ann).Fill("Password", newer).Press("Sign in").wantText("do not match")
	})
}

func TestPeopleKeepTheirOwnAccountInARealBrowser(t *testing.T) {
	needBrowser(t)
	eachEngine(t, func(t *testing.T, i *instance) {
		i.Start()
		i.SwitchOn("sign_in.sms")
		i.Person(ann, good)
		env := []string{"EMAIL=" + ann, "WORK=" + work, "NEWER=" + newer}
		if strings.HasSuffix(t.Name(), "/sqlite") {
			out, err := filepath.Abs("artifacts")
			if err != nil {
				t.Fatal(err)
			}
			env = append(env, "ARTIFACTS="+out)
		}
		i.walk(t, "account.mjs", env...)
	})
}
