package provider

import (
	"net/http"
	"sync"

	"github.com/ory/fosite"
)

// fetching counts the request objects that are being fetched, by client. Anybody can make
// us fetch one, who need not be the client: so few at a time, that neither we nor the
// client's server are kept busy by it. The zero value is ready.
type fetching struct {
	mu   sync.Mutex
	busy map[ClientID]int
}

const objectFetches = 16 // at the same time for one client

var errBusy = &fosite.RFC6749Error{
	ErrorField: "temporarily_unavailable", CodeField: http.StatusTooManyRequests,
	HintField: "Too many request objects of this client are being fetched. Please try again in a moment.",
}

// begin takes a place, if there is one.
func (f *fetching) begin(c ClientID) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.busy[c] >= objectFetches {
		return false
	}
	if f.busy == nil {
		f.busy = map[ClientID]int{}
	}
	f.busy[c]++
	return true
}

// end gives it back.
func (f *fetching) end(c ClientID) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.busy[c]--; f.busy[c] == 0 {
		delete(f.busy, c)
	}
}
