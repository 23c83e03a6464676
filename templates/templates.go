// Package templates draws: pages, e-mails, style, script and the words in every
// language. It knows nothing of HTTP or of other rooms; whoever shows a page hands it
// the data that the page's comment names.
//
// A page lives in pages/NAME.html and defines "title" and "main"; layout.html puts
// what every page shares around it, parts.html holds what several share. A mail is
// mail/NAME.html (its middle) and mail/NAME.txt (first line: the subject); an SMS is
// sms/NAME.txt. No sentence stands in a template: words are looked up by key in
// locales/LANGUAGE.json, so that a language is one more file. A directory given to Load may replace any file.
package templates

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"html/template"
	"io"
	"io/fs"
	"maps"
	"os"
	"path"
	"slices"
	"strings"
	"sync"
	texttemplate "text/template"

	"idp/internal/secret"
)

//go:embed layout.html parts.html pages mail sms assets locales
var embedded embed.FS

// Set is all templates. Each of those that are embedded is parsed when it is first drawn: there are many,
// and a process that has just started will draw few.
type Set struct {
	Brand string // what the instance calls itself, in mails
	Host  string // of the issuer; an SMS says to browsers where its code belongs

	pages  map[string]lazy[page]
	mails  map[string]lazy[mail]
	texts  map[string]lazy[*texttemplate.Template]
	assets map[string]Asset  // by hashed name
	hashed map[string]string // plain name → hashed name
	words  *catalogues
}

// page is one page with all that it takes from the layout and the parts.
type page struct {
	*template.Template
	wide bool // its shape is "wide"
}

type mail struct {
	html *template.Template
	text *texttemplate.Template
}

// Frame is a page's data and all that the layout says around it.
type Frame struct {
	Locale      string
	Brand       string
	Development bool
	Inbox       bool          // messages stay in the development inbox
	Form        secret.String // token of every form
	Trouble     *Trouble      // why a form came back, nil if it did not
	Data        any

	set  *Set
	wide bool
}

// Trouble is why a form came back.
type Trouble struct {
	Problem string // its code
	Text    string // English; a catalogue may translate it by "problem.CODE"
	Field   string // name of the input it is about, "" for the whole form
}

// Load makes the templates known. A file of the same name in dir ("" for none) replaces the embedded
// one, and a file of words there may add a language. With a dir all templates are parsed at once, so
// that an operator learns of a mistake from the start and not from a visitor.
func Load(dir string) (*Set, error) {
	var files fs.FS = embedded
	if dir != "" {
		root, err := os.OpenRoot(dir)
		if err != nil {
			return nil, fmt.Errorf("open template directory: %w", err)
		}
		files = overlay{over: root.FS(), under: embedded}
	}
	s, err := load(files)
	if err != nil || dir == "" {
		return s, err
	}
	if err := errors.Join(parseAll(s.pages), parseAll(s.mails), parseAll(s.texts)); err != nil {
		return nil, err
	}
	return s, nil
}

func load(files fs.FS) (*Set, error) {
	s := &Set{pages: map[string]lazy[page]{}, mails: map[string]lazy[mail]{}, texts: map[string]lazy[*texttemplate.Template]{}}
	var err error
	if s.words, err = loadCatalogues(files); err != nil {
		return nil, err
	}
	if s.assets, s.hashed, err = loadAssets(files); err != nil {
		return nil, err
	}
	if err := s.loadPages(files); err != nil {
		return nil, err
	}
	if err := s.loadMails(files); err != nil {
		return nil, err
	}
	return s, s.loadTexts(files)
}

func (s *Set) loadPages(files fs.FS) error {
	base := sync.OnceValues(func() (*template.Template, error) {
		t, err := template.New("layout.html").Option("missingkey=error").Funcs(template.FuncMap{"dict": dict, "initials": initials}).
			ParseFS(files, "layout.html", "parts.html")
		if err != nil {
			return nil, fmt.Errorf("parse layout: %w", err)
		}
		return t, nil
	})
	names, err := fs.Glob(files, "pages/*.html")
	if err != nil {
		return err
	}
	for _, name := range names {
		s.pages[strings.TrimSuffix(path.Base(name), ".html")] = sync.OnceValues(func() (page, error) {
			return parsePage(base, files, name)
		})
	}
	return nil
}

func parsePage(base lazy[*template.Template], files fs.FS, name string) (page, error) {
	layout, err := base()
	if err != nil {
		return page{}, err
	}
	t, err := layout.Clone()
	if err == nil {
		_, err = t.ParseFS(files, name)
	}
	if err != nil {
		return page{}, fmt.Errorf("parse %s: %w", name, err)
	}
	var shape strings.Builder
	if err := t.ExecuteTemplate(&shape, "shape", nil); err != nil {
		return page{}, fmt.Errorf("shape of %s: %w", name, err)
	}
	return page{t, shape.String() == "wide"}, nil
}

// Page draws the page of that name.
func (s *Set) Page(w io.Writer, name string, f Frame) error {
	parsed, ok := s.pages[name]
	if !ok {
		return fmt.Errorf("no page is called %q", name)
	}
	t, err := parsed()
	if err != nil {
		return err
	}
	f.set, f.wide = s, t.wide
	var out bytes.Buffer // a page is shown whole or not at all
	if err := t.Execute(&out, f); err != nil {
		return fmt.Errorf("draw page %s: %w", name, err)
	}
	_, err = out.WriteTo(w)
	return err
}

// lazy parses at the first call, and gives the same to everybody.
type lazy[T any] func() (T, error)

func parseAll[T any](all map[string]lazy[T]) error {
	for _, name := range slices.Sorted(maps.Keys(all)) {
		if _, err := all[name](); err != nil {
			return err
		}
	}
	return nil
}

// overlay is a file system whose upper files hide the lower ones.
type overlay struct{ over, under fs.FS }

func (o overlay) Open(name string) (fs.File, error) {
	f, err := o.over.Open(name)
	if err == nil {
		info, statErr := f.Stat()
		if statErr == nil && !info.IsDir() {
			return f, nil
		}
		_ = f.Close() // directories are listed from below: only known files are replaced
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	return o.under.Open(name)
}

// ReadDir lists the lower directory, and for words the upper one too: a language may be
// new, a page may only be replaced.
func (o overlay) ReadDir(name string) ([]fs.DirEntry, error) {
	found, err := fs.ReadDir(o.under, name)
	if err != nil || name != "locales" {
		return found, err
	}
	more, err := fs.ReadDir(o.over, name)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	for _, entry := range more {
		known := slices.ContainsFunc(found, func(e fs.DirEntry) bool { return e.Name() == entry.Name() })
		if !known && !entry.IsDir() {
			found = append(found, entry)
		}
	}
	return found, nil
}

// dict makes a map of alternating keys and values, to hand several things to a part.
func dict(pairs ...any) (map[string]any, error) {
	if len(pairs)%2 != 0 {
		return nil, errors.New("dict needs pairs")
	}
	m := make(map[string]any, len(pairs)/2)
	for i := 0; i < len(pairs); i += 2 {
		k, ok := pairs[i].(string)
		if !ok {
			return nil, errors.New("dict keys are strings")
		}
		m[k] = pairs[i+1]
	}
	return m, nil
}

// initials returns one or two letters that stand for a name.
func initials(name string) string {
	var out []rune
	for _, word := range strings.FieldsFunc(name, func(r rune) bool { return r == ' ' || r == '.' || r == '@' || r == '-' || r == '_' }) {
		out = append(out, []rune(strings.ToUpper(word))[0])
		if len(out) == 2 || strings.Contains(name, "@") {
			break
		}
	}
	return string(out)
}
