package templates

import (
	"bytes"
	"fmt"
	"html/template"
	"io/fs"
	"path"
	"regexp"
	"strings"
	"sync"
	texttemplate "text/template"
	"time"

	"idp/internal/secret"
)

// Letter is what a mail has to say.
type Letter struct {
	To    string
	Code  secret.String     // six digits, or empty
	Link  secret.String     // absolute URL, or empty
	Words map[string]string // what else the mail of that kind mentions
	Valid time.Duration     // how long code and link live, 0 if neither expires

	Notice Notice // what a notice is about
}

// Notice is message.Notice as a template sees it.
type Notice struct {
	What, Method, Name, Address, Browser, Place, Network string

	At time.Time
}

// mailFrame is a letter in a language; Data is a Letter.
type mailFrame struct {
	Frame
}

// The methods are what mail templates may call besides those of Frame.

// Reveal returns a code or link to be read by the one it is sent to.
func (m mailFrame) Reveal(s secret.String) string { return s.Reveal() }

// Lasts says how long code and link live, "" if they do not expire.
func (m mailFrame) Lasts(d time.Duration) string {
	switch {
	case d <= 0:
		return ""
	case d < 2*time.Hour:
		return m.N("lasts.minutes", max(1, int(d.Round(time.Minute).Minutes())))
	case d < 48*time.Hour:
		return m.N("lasts.hours", int(d.Hours()))
	}
	return m.N("lasts.days", int(d.Round(time.Hour).Hours()/24))
}

// Way names a method in a sentence: "an authenticator app".
func (m mailFrame) Way(method string) string {
	if method == "" {
		return ""
	}
	return m.Translated("mail.method."+method, method)
}

func (s *Set) loadMails(files fs.FS) error {
	names, err := fs.Glob(files, "mail/*.txt")
	if err != nil {
		return err
	}
	for _, name := range names {
		kind := strings.TrimSuffix(path.Base(name), ".txt")
		if kind == "layout" {
			continue
		}
		s.mails[kind] = sync.OnceValues(func() (mail, error) { return parseMail(files, kind) })
	}
	return nil
}

func parseMail(files fs.FS, kind string) (mail, error) {
	text, err := texttemplate.New(kind+".txt").ParseFS(files, "mail/"+kind+".txt", "mail/layout.txt")
	if err != nil {
		return mail{}, fmt.Errorf("parse mail/%s.txt: %w", kind, err)
	}
	html, err := template.New("layout.html").Funcs(template.FuncMap{"dict": dict}).ParseFS(files, "mail/layout.html", "mail/"+kind+".html")
	if err != nil {
		return mail{}, fmt.Errorf("parse mail/%s.html: %w", kind, err)
	}
	return mail{html: html, text: text}, nil
}

// Mail draws the mail of that kind in a language ("" for the default).
func (s *Set) Mail(kind, locale string, data Letter) (subject, text, html string, err error) {
	parsed, ok := s.mails[kind]
	if !ok {
		return "", "", "", fmt.Errorf("no mail is called %q", kind)
	}
	t, err := parsed()
	if err != nil {
		return "", "", "", err
	}
	m := mailFrame{Frame{Locale: s.Match(locale), Brand: s.Brand, Data: data, set: s}}
	var plain, rich bytes.Buffer
	if err := t.text.Execute(&plain, m); err != nil {
		return "", "", "", fmt.Errorf("draw mail %s: %w", kind, err)
	}
	if err := t.html.Execute(&rich, m); err != nil {
		return "", "", "", fmt.Errorf("draw mail %s: %w", kind, err)
	}
	subject, text, _ = strings.Cut(plain.String(), "\n")
	return oneLine(subject), tidy(text), rich.String(), nil
}

var gaps = regexp.MustCompile(`\n\s*\n`)

// tidy leaves one empty line where parts that say nothing left more.
func tidy(text string) string { return gaps.ReplaceAllString(strings.TrimSpace(text), "\n\n") + "\n" }

// oneLine keeps a name with a line break from adding headers to a mail.
func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }
