package federation

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"time"

	"idp/internal/problem"
	"idp/internal/secret"
)

// What is posted here from another site comes without our cookie (SameSite=Lax), so nobody can
// say whose browser it is. It travels on, sealed, in the address that the browser is sent to, which
// only this browser is told. Nothing of it is kept here: whoever posts, and however often, takes no
// room and stands in nobody's way. Only what a SAML provider asserted, which may be long, is kept,
// after its signature was verified, and so often only for each request of ours.
const (
	arrivalLife  = 2 * time.Minute
	maxArrival   = 64 << 10 // bytes of what is kept
	maxPosted    = 5600     // bytes of what goes into an address: sealed, it is less than the 8 KiB that proxies take
	maxUser      = 1 << 10  // of the person's own words in it; longer ones are left out
	maxFields    = 32
	mostArrivals = 3 // that are kept for one state: a page may be sent twice
)

// answers are the fields of a form that anybody reads here; no other is kept.
var answers = []string{"state", "code", "iss", "error", "user"}

// ErrArrival is what somebody hears whose form cannot be kept.
var ErrArrival = problem.New(problem.Malformed, "upstream_form", "What the other service sent cannot be read. Please start again.")

// errGone says that what arrived is no longer good, or is none of ours.
var errGone = problem.New(problem.Gone, "arrival_gone", "This has been used already, or took too long. Please start again.")

// arrival is what was checked of what a SAML provider said, of which connection and state it is.
type arrival struct {
	Connection string          `json:"connection"`
	State      secret.Digest   `json:"state"`
	Checked    json.RawMessage `json:"checked,omitempty"`
}

func arrivalPlace(id secret.Digest) string { return "arrivals.sealed:" + string(id) }

// parcel is a form on its way through an address.
type parcel struct {
	Form  url.Values `json:"form"`
	Until time.Time  `json:"until"`
}

// postedPlace binds what was posted to its connection and state: it opens for no other.
func postedPlace(c Connection, state secret.String) string {
	return "federation posted:" + c.Name + ":" + string(secret.DigestOf(state.Reveal()))
}

// Post seals what a provider had a browser post here, good for two minutes, and returns its state
// and the text from which Finish reads it.
func (f *Federation) Post(c Connection, form url.Values) (state, arrived secret.String, err error) {
	if n := len(form["state"]); n != 1 || AttemptOf(form.Get("state")) == "" || len(form) > maxFields {
		return state, arrived, ErrArrival
	}
	kept := url.Values{}
	for _, name := range answers {
		if all, is := form[name]; is && (name != "user" || len(form.Get(name)) <= maxUser) {
			kept[name] = all
		}
	}
	state = secret.NewString(form.Get("state"))
	plain, err := json.Marshal(parcel{kept, f.Now().Add(arrivalLife)})
	if err != nil {
		return state, arrived, fmt.Errorf("seal a form: %w", err)
	}
	if len(plain) > maxPosted {
		return state, arrived, ErrArrival
	}
	return state, secret.NewString(f.Box.Seal(postedPlace(c, state), plain)), nil
}

// arrived returns the form that was posted for that connection and state.
func (f *Federation) arrived(c Connection, a Answer) (url.Values, error) {
	plain, err := f.Box.Open(postedPlace(c, a.State), a.Arrival.Reveal())
	if errors.Is(err, secret.ErrSealed) {
		return nil, errGone.Because(err)
	}
	if err != nil {
		return nil, err
	}
	var got parcel
	if err := json.Unmarshal(plain, &got); err != nil {
		return nil, fmt.Errorf("read a form: %w", err)
	}
	if !f.Now().Before(got.Until) {
		return nil, errGone
	}
	return got.Form, nil
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

// places are those of a state at which something can be kept.
func places(state secret.String) (all []secret.Digest) {
	for n := range mostArrivals {
		all = append(all, secret.DigestOf(fmt.Sprintf("saml answer %d %s", n, state.Reveal())))
	}
	return all
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
