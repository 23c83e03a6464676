package templates

import (
	"bytes"
	"fmt"
	"io/fs"
	"path"
	"strings"
	"sync"
	texttemplate "text/template"
)

// An SMS is short, because every part of it is paid for, and its last line says in the form
// of origin-bound one-time codes (WICG) for which host the code is: a phone then offers it
// on that site alone.

// textFrame is an SMS in a language; Data is a Letter.
type textFrame struct {
	mailFrame
	Host string
}

func (s *Set) loadTexts(files fs.FS) error {
	names, err := fs.Glob(files, "sms/*.txt")
	if err != nil {
		return err
	}
	for _, name := range names {
		s.texts[strings.TrimSuffix(path.Base(name), ".txt")] = sync.OnceValues(func() (*texttemplate.Template, error) {
			t, err := texttemplate.New(path.Base(name)).ParseFS(files, name)
			if err != nil {
				return nil, fmt.Errorf("parse %s: %w", name, err)
			}
			return t, nil
		})
	}
	return nil
}

// SMS draws the text of the SMS of that kind in a language ("" for the default).
func (s *Set) SMS(kind, locale string, data Letter) (string, error) {
	parsed, ok := s.texts[kind]
	if !ok {
		return "", fmt.Errorf("no SMS is called %q", kind)
	}
	t, err := parsed()
	if err != nil {
		return "", err
	}
	var plain bytes.Buffer
	frame := textFrame{mailFrame{Frame{Locale: s.Match(locale), Brand: s.Brand, Data: data, set: s}}, s.Host}
	if err := t.Execute(&plain, frame); err != nil {
		return "", fmt.Errorf("draw SMS %s: %w", kind, err)
	}
	return strings.TrimSpace(plain.String()), nil
}
