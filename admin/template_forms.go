package admin

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"idp/internal/problem"
	"idp/internal/secret"
	"idp/token"
)

// templateForm is what an operator fills in about a template. The key never is in it.
type templateForm struct {
	New, Session       bool
	Name, Preset       string
	Maker              string // the preset's title, "" for none
	Help               string // what the preset's maker wants to be told
	Source             string // the first document that says so
	Claims             string
	Rows               int // lines of the field with the claims
	Lifetime, Skew     string
	Audience           string // one a line
	Algorithm          string
	Algorithms         []string
	Key                string // which is chosen: issuer, keep or new
	HasKey             bool
	KeyID              string // of the key it has
	KeySet             time.Time
	NewKeyID           string
	Version            int
	Issuer, JWKS       string
	Shortcodes         []token.Shortcode
	Using              []appRow
	Mistake            *mistake
	Who                string // whom to preview it with
	Previewing         bool
	Preview            *previewed
	Saved, Made        bool
	Warn, Cookie, Most int // bytes
}

// mistake is where the claims are wrong.
type mistake struct {
	Line, Column int
	Text         string // the line
	Before       string // spaces up to the column
}

// previewed is what a template says of somebody.
type previewed struct {
	Name, Claims string
	Bytes        int
	Weight       token.Weight
	InCookie     bool
}

func (p *Pages) templateForm(t, kept token.Template) templateForm {
	f := templateForm{
		New: kept.Name == "", HasKey: !kept.Key.None(), KeyID: kept.Key.ID, KeySet: kept.Key.SetAt, Issuer: p.Issuer, JWKS: p.Issuer + "/.well-known/jwks.json",
		Shortcodes: token.Shortcodes(), Warn: token.WarnSize, Cookie: token.CookieSize, Most: token.MaxSize, Key: "issuer",
		Algorithms: slices.Concat(token.SigningAlgorithms, []string{"HS256", "HS384", "HS512"}),
	}
	if f.HasKey {
		f.Key = "keep"
	}
	f.fill(t)
	return f
}

// fill puts in what the template says.
func (f *templateForm) fill(t token.Template) {
	f.Name, f.Preset, f.Version, f.Session = t.Name, t.Preset, t.Version, t.Name == token.SessionTemplate
	p := presetOf(t.Preset)
	f.Maker, f.Help = p.Title, p.Says
	if len(p.Source) > 0 {
		f.Source = p.Source[0]
	}
	f.Lifetime, f.Skew, f.Algorithm = strconv.Itoa(int(t.Lifetime)), strconv.Itoa(int(t.Skew)), t.Algorithm
	f.Audience = strings.Join(t.Audience, "\n")
	f.claims(string(t.Claims))
	if f.New && (strings.HasPrefix(t.Algorithm, "HS") || presetOf(t.Preset).Key != "") {
		f.Key = "new" // there is no other way
	}
}

func (f *templateForm) claims(text string) {
	f.Claims, f.Rows = text, min(max(strings.Count(text, "\n")+3, 8), 28)
}

// typed keeps what was typed as it came, so that a mistake is where it was made. A new key is
// not said back.
func (f *templateForm) typed(r *http.Request) {
	f.claims(r.PostFormValue("claims"))
	f.Audience, f.Who, f.Algorithm = r.PostFormValue("audience"), strings.TrimSpace(r.PostFormValue("who")), r.PostFormValue("algorithm")
	if f.Session {
		return
	}
	f.Lifetime, f.Skew, f.NewKeyID = r.PostFormValue("lifetime"), r.PostFormValue("skew"), r.PostFormValue("signing_key_id")
	if k := r.PostFormValue("key"); k == "issuer" || k == "new" || k == "keep" && f.HasKey {
		f.Key = k
	}
}

// mistaken finds the line of the claims that an error is about.
func (f *templateForm) mistaken(err error) {
	var m *token.Mistake
	if !errors.As(err, &m) {
		return
	}
	lines := strings.Split(strings.ReplaceAll(f.Claims, "\r\n", "\n"), "\n")
	if m.Line < 1 || m.Line > len(lines) {
		return
	}
	const around = 60 // characters shown on each side
	line := []rune(strings.ReplaceAll(lines[m.Line-1], "\t", " "))
	at := min(max(m.Column-1, 0), len(line))
	from := max(at-around, 0)
	f.Mistake = &mistake{
		Line: m.Line, Column: m.Column, Text: string(line[from:min(at+around, len(line))]), Before: strings.Repeat(" ", at-from),
	}
}

// typedTemplate is a template as a form says it, and its new key, if it brings one.
type typedTemplate struct {
	token.Template

	New *token.SigningKey
	err error // what could not be read
}

// readTemplate returns old with what the form says.
func readTemplate(r *http.Request, old token.Template) typedTemplate {
	said := func(field string) string { return strings.TrimSpace(r.PostFormValue(field)) }
	t := typedTemplate{Template: old}
	t.Claims = []byte(strings.ReplaceAll(r.PostFormValue("claims"), "\r\n", "\n"))
	t.Version, _ = strconv.Atoi(said("version")) // what is no number is no version
	if old.Name == token.SessionTemplate {
		t.Lifetime, t.Skew = token.DefaultLifetime, token.DefaultSkew
		return t
	}
	t.Audience, t.Algorithm = lines(r.PostFormValue("audience")), said("algorithm")
	t.Lifetime, t.Skew = t.seconds("lifetime", said("lifetime"), token.DefaultLifetime), t.seconds("skew", said("skew"), token.DefaultSkew)
	switch r.PostFormValue("key") {
	case "keep":
		t.Key.Material = secret.String{} // the one on file stays
	case "new":
		given := token.SigningKeyFile([]byte(r.PostFormValue("signing_key")))
		given.ID = said("signing_key_id")
		t.New = &given
	default:
		t.Key = token.CustomKey{}
	}
	return t
}

func (t *typedTemplate) seconds(field, text string, usual token.Seconds) token.Seconds {
	if text == "" {
		return usual
	}
	n, err := strconv.Atoi(text)
	if err != nil || n > 1<<30 || n < -1 {
		t.err = problem.New(problem.Invalid, "template_"+field, "Give a whole number of seconds.").On(field)
	}
	if n == 0 && field == "lifetime" {
		n = -1 // 0 would be taken for the usual one
	}
	return token.Seconds(n)
}

// keyed returns the template with its new key.
func (t typedTemplate) keyed() (token.Template, error) {
	if t.err != nil || t.New == nil {
		return t.Template, t.err
	}
	made := t.Template
	var err error
	made.Key, made.Algorithm, err = t.New.For(t.Algorithm)
	return made, err
}

// look previews a template with the person who is named in the form.
func (f *templateForm) look(r *http.Request, p *Pages, t, old token.Template, actor string) error {
	if f.Who == "" {
		return problem.New(problem.Invalid, "preview_who", "Whom shall it be previewed with? Enter an email address or a user ID.").On("who")
	}
	person, err := p.Users.Find(r.Context(), f.Who)
	var e *problem.Error
	if errors.As(err, &e) {
		return problem.New(problem.Invalid, e.Code, e.Detail).On("who").Because(err)
	}
	if err != nil {
		return err
	}
	made, err := p.Templates.Preview(r.Context(), t, old, person, actor)
	if err != nil {
		return err
	}
	var text bytes.Buffer
	enc := json.NewEncoder(&text)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	if err := enc.Encode(made.Claims); err != nil {
		return fmt.Errorf("show a preview: %w", err)
	}
	name, _ := person.Shown()
	f.Preview = &previewed{name, strings.TrimSpace(text.String()), made.Size.Bytes, made.Size.Weight, made.Size.InCookie}
	return nil
}

// inTemplate says of a member that the form has no field for which field it stands in.
func inTemplate(err error) error {
	var e *problem.Error
	if errors.As(err, &e) && e.Field == "key" {
		return e.On("signing_key")
	}
	return err
}
