package login

import (
	"bytes"
	"cmp"
	"io"
	"net/http"
	"time"

	"idp/internal/secret"
)

// Crowd bounds how many steps of signing in and up are worked on at once. Hashing has a queue
// of its own; but each step writes, too, and whoever is refused must be refused before that,
// or a flood of refused ones keeps relying parties waiting for the database.
type Crowd struct {
	places chan struct{}
	wait   time.Duration
}

// NewCrowd makes room for n at once; the others wait so long for a place.
func NewCrowd(n int, wait time.Duration) *Crowd { return &Crowd{make(chan struct{}, n), wait} }

// Bounded is do for those who find a place in time; to the others it is secret.ErrBusy, and
// costs nothing. They wait first: a refusal at once would only bring them back sooner.
func (c *Crowd) Bounded(do func(w http.ResponseWriter, r *http.Request) error) func(w http.ResponseWriter, r *http.Request) error {
	return func(w http.ResponseWriter, r *http.Request) error {
		// Before there is a place: who sends slowly must not sit on one.
		body, err := io.ReadAll(r.Body)
		r.Body = io.NopCloser(io.MultiReader(bytes.NewReader(body), ended{err}))
		patience := time.NewTimer(c.wait)
		defer patience.Stop()
		select {
		case c.places <- struct{}{}:
		case <-patience.C:
			return secret.ErrBusy
		case <-r.Context().Done():
			return r.Context().Err()
		}
		defer func() { <-c.places }()
		return do(w, r)
	}
}

// Staying is Bounded for those who stay here. Who leaves for a provider waits for that, and must
// keep nobody else waiting meanwhile.
func (c *Crowd) Staying(do func(w http.ResponseWriter, r *http.Request) error) func(w http.ResponseWriter, r *http.Request) error {
	bounded := c.Bounded(do)
	return func(w http.ResponseWriter, r *http.Request) error {
		if connectionOf(r.PostFormValue("do")) != "" {
			return do(w, r)
		}
		return bounded(w, r)
	}
}

// ended is a body that is read up, for whatever reason.
type ended struct{ err error }

func (e ended) Read([]byte) (int, error) { return 0, cmp.Or(e.err, io.EOF) }
