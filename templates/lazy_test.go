package templates_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"idp/internal/secret"
	"idp/templates"
)

// Templates are parsed when they are first drawn, and nothing says that somebody draws them alone.
func TestManyMayBeTheFirstToDrawAPage(t *testing.T) {
	want := draw(t, load(t), "sign_in", sample("sign_in"))
	subject, text, rich, err := load(t).Mail("sign_up", "", templates.Letter{To: "ann@example.com"})
	if err != nil {
		t.Fatal(err)
	}
	set := load(t)
	start := make(chan struct{})
	troubles := make(chan string, 40)
	var all sync.WaitGroup
	for i := range 20 {
		all.Go(func() {
			<-start
			f := sample("sign_in")
			f.Locale, f.Brand, f.Form = "en", "Northwind", secret.NewString("token-of-the-form")
			var got bytes.Buffer
			if err := set.Page(&got, "sign_in", f); err != nil || got.String() != want {
				troubles <- fmt.Sprintf("page %d: %v, %d bytes of %d", i, err, got.Len(), len(want))
			}
			s, p, r, err := set.Mail("sign_up", "", templates.Letter{To: "ann@example.com"})
			if err != nil || s != subject || p != text || r != rich {
				troubles <- fmt.Sprintf("mail %d: %v: %s", i, err, s)
			}
		})
		all.Go(func() { // another page, from the same layout
			<-start
			f := sample("password")
			f.Locale = "en"
			if err := set.Page(new(bytes.Buffer), "password", f); err != nil {
				troubles <- err.Error()
			}
		})
	}
	close(start)
	all.Wait()
	close(troubles)
	for why := range troubles {
		t.Error(why)
	}
}

func TestAMistakeInADirectoryIsToldAtOnceAndNotToAVisitor(t *testing.T) {
	for _, name := range []string{"layout.html", "parts.html", "pages/undone.html", "mail/test.html", "mail/test.txt", "mail/layout.txt", "sms/test.txt"} {
		dir := t.TempDir()
		file := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(`{{define "main"}}{{.Unclosed`), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := templates.Load(dir); err == nil || !strings.Contains(err.Error(), filepath.Base(name)) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
