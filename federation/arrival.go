package federation

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"time"

	"idp/internal/problem"
	"idp/internal/secret"
)

// What is posted here from another site comes without our cookie (SameSite=Lax), so nobody can
// say whose browser it is. It waits, sealed, under a name that only this browser is told, until
// the browser comes by itself.
const (
	arrivalLife = 10 * time.Minute
	maxArrival  = 64 << 10 // bytes of what is kept
	maxForm     = 12 << 10 // of a form: whoever departed may post as often as they like
	maxFields   = 32
)

// answers are the fields of a form that anybody reads here; no other is kept.
var answers = []string{"state", "code", "iss", "error", "user"}

// ErrArrival is what somebody hears whose form cannot be kept.
var ErrArrival = problem.New(problem.Malformed, "upstream_form", "What the other service sent cannot be read. Please start again.")

// arrival is what waits: of which connection and state it is, and the form, or whatever else
// was checked already.
type arrival struct {
	Connection string          `json:"connection"`
	State      secret.Digest   `json:"state"`
	Form       url.Values      `json:"form,omitempty"`
	Checked    json.RawMessage `json:"checked,omitempty"`
}

func arrivalPlace(id secret.Digest) string { return "arrivals.sealed:" + string(id) }

// Post keeps what a provider had a browser post here, for ten minutes, and returns its state
// and the name under which Finish finds it, once.
func (f *Federation) Post(ctx context.Context, c Connection, form url.Values) (state, arrived secret.String, err error) {
	if n := len(form["state"]); n != 1 || AttemptOf(form.Get("state")) == "" || len(form) > maxFields {
		return state, arrived, ErrArrival
	}
	kept, size := url.Values{}, 0
	for _, name := range answers {
		if all, is := form[name]; is {
			kept[name], size = all, size+len(strings.Join(all, name))
		}
	}
	if size > maxForm {
		return state, arrived, ErrArrival
	}
	state = secret.NewString(form.Get("state"))
	arrived, err = f.keep(ctx, arrival{Connection: c.Name, State: secret.DigestOf(state.Reveal()), Form: kept})
	return state, arrived, err
}

// keep seals what arrived and returns its name.
func (f *Federation) keep(ctx context.Context, a arrival) (secret.String, error) {
	name, id, sealed, err := f.pack(a)
	if err != nil {
		return secret.String{}, err
	}
	return name, f.Store.SaveArrival(ctx, id, sealed, f.Now().Add(arrivalLife))
}

// pack seals what arrived under a name that nobody knows yet.
func (f *Federation) pack(a arrival) (name secret.String, id secret.Digest, sealed string, err error) {
	plain, err := json.Marshal(a)
	if err != nil {
		return name, "", "", fmt.Errorf("keep an arrival: %w", err)
	}
	if len(plain) > maxArrival {
		return name, "", "", ErrArrival
	}
	name = secret.Token("")
	id = secret.DigestOf(name.Reveal())
	return name, id, f.Box.Seal(arrivalPlace(id), plain), nil
}

// take returns what arrived for that connection and state, once.
func (f *Federation) take(ctx context.Context, c Connection, a Answer) (arrival, error) {
	id := secret.DigestOf(a.Arrival.Reveal())
	sealed, err := f.Store.TakeArrival(ctx, id, f.Now())
	if err != nil {
		return arrival{}, err
	}
	plain, err := f.Box.Open(arrivalPlace(id), sealed)
	if err != nil {
		return arrival{}, err
	}
	var got arrival
	if err := json.Unmarshal(plain, &got); err != nil {
		return arrival{}, fmt.Errorf("read an arrival: %w", err)
	}
	if got.Connection != c.Name || got.State != secret.DigestOf(a.State.Reveal()) {
		return arrival{}, refuse("it arrived for another connection or state")
	}
	return got, nil
}

// arrived returns the form that was posted for that answer.
func (f *Federation) arrived(ctx context.Context, c Connection, a Answer) (url.Values, error) {
	got, err := f.take(ctx, c, a)
	return got.Form, err
}
