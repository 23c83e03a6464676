package token

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
)

// Templates are the instance's templates, compiled, in memory. Call Reload once before use, and
// whenever another process may have changed one.
type Templates struct {
	Store TemplateStore

	reading sync.Mutex // who read earlier must not overwrite who read later
	loaded  atomic.Pointer[map[string]compiledOr]
}

type compiledOr struct {
	*Compiled

	err error
}

// Reload takes a fresh snapshot of the templates in storage. One that a newer release does not
// understand any more spoils its own tokens alone: Get says what is wrong with it.
func (t *Templates) Reload(ctx context.Context) error {
	t.reading.Lock()
	defer t.reading.Unlock()
	all, err := t.Store.Templates(ctx)
	if err != nil {
		return fmt.Errorf("load templates: %w", err)
	}
	compiled := make(map[string]compiledOr, len(all))
	for _, one := range all {
		c, err := Compile(one)
		if err != nil {
			err = fmt.Errorf("template %s: %v", one.Name, err) //nolint:errorlint // no problem of who asks for a token
		}
		compiled[one.Name] = compiledOr{c, err}
	}
	t.loaded.Store(&compiled)
	return nil
}

// Get returns a template, or ErrTemplate.
func (t *Templates) Get(name string) (*Compiled, error) {
	if all := t.loaded.Load(); all != nil {
		if c, ok := (*all)[name]; ok {
			return c.Compiled, c.err
		}
	}
	return nil, ErrTemplate
}

// Hold returns a template as it is on file, or ErrTemplate, and keeps it so until the caller's
// transaction is over: call it inside the one that makes something rest on it.
func (t *Templates) Hold(ctx context.Context, name string) (*Compiled, error) {
	kept, err := t.Store.HoldTemplate(ctx, name)
	if err != nil {
		return nil, err
	}
	return Compile(kept)
}

// ForApps returns the names of the templates that relying parties can name for their tokens,
// sorted: all but those that sign with a key of their own.
func (t *Templates) ForApps() []string {
	var names []string
	if all := t.loaded.Load(); all != nil {
		for name, c := range *all {
			if c.err == nil && c.Key.None() {
				names = append(names, name)
			}
		}
	}
	slices.Sort(names)
	return names
}
