package storagetest

import (
	"context"
	"maps"
	"strings"
	"sync"

	"github.com/uptrace/bun"
)

// Counter counts statements, for tests that hold a budget. Give it to OpenURL as hook.
type Counter struct {
	mu    sync.Mutex
	verbs map[string]int
	texts []string
}

// BeforeQuery implements bun.QueryHook.
func (c *Counter) BeforeQuery(ctx context.Context, _ *bun.QueryEvent) context.Context { return ctx }

// AfterQuery implements bun.QueryHook.
func (c *Counter) AfterQuery(_ context.Context, e *bun.QueryEvent) {
	text := strings.TrimSpace(e.Query)
	verb, _, _ := strings.Cut(text, " ")
	verb, _, _ = strings.Cut(verb, "\n")
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.verbs == nil {
		c.verbs = map[string]int{}
	}
	c.verbs[strings.ToUpper(verb)]++
	c.texts = append(c.texts, text)
}

// Reset starts counting anew.
func (c *Counter) Reset() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.verbs, c.texts = nil, nil
}

// Statements returns how many statements ran, without BEGIN, COMMIT and ROLLBACK.
func (c *Counter) Statements() int {
	n := 0
	for verb, times := range c.Verbs() {
		if verb != "BEGIN" && verb != "COMMIT" && verb != "ROLLBACK" {
			n += times
		}
	}
	return n
}

// Transactions returns how many transactions began.
func (c *Counter) Transactions() int { return c.Verbs()["BEGIN"] }

// Verbs returns how often each kind of statement ran: "SELECT", "INSERT", "BEGIN" …
func (c *Counter) Verbs() map[string]int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return maps.Clone(c.verbs)
}

// Texts returns the statements in order, to be shown when a budget is broken.
func (c *Counter) Texts() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]string(nil), c.texts...)
}
