package token

import (
	"context"
	"fmt"
	"sync/atomic"
)

// Templates are the instance's templates, compiled, in memory. Call Reload once before use, and
// whenever another process may have changed one.
type Templates struct {
	Store TemplateStore

	loaded atomic.Pointer[map[string]*Compiled]
}

// Reload takes a fresh snapshot of the templates in storage.
func (t *Templates) Reload(ctx context.Context) error {
	all, err := t.Store.Templates(ctx)
	if err != nil {
		return fmt.Errorf("load templates: %w", err)
	}
	compiled := make(map[string]*Compiled, len(all))
	for _, one := range all {
		c, err := Compile(one)
		if err != nil {
			return fmt.Errorf("template %s: %w", one.Name, err)
		}
		compiled[one.Name] = c
	}
	t.loaded.Store(&compiled)
	return nil
}

// Get returns a template, or ErrTemplate.
func (t *Templates) Get(name string) (*Compiled, error) {
	if all := t.loaded.Load(); all != nil {
		if c := (*all)[name]; c != nil {
			return c, nil
		}
	}
	return nil, ErrTemplate
}
