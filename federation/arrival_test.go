package federation_test

import (
	"context"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"idp/federation"
	"idp/federation/federationtest"
	"idp/internal/problem"
	"idp/internal/secret"
	"idp/storage"
	"idp/storage/storagetest"
)

// posting makes the provider post its answers, as Apple does.
func (h *house) posting() {
	h.Helper()
	h.Cleanup(federation.AddPreset(federation.Preset{
		Name: "posting", Title: "Posting", Type: federation.OIDC, Issuer: h.op.URL, Dialect: federation.Dialect{FormPost: true, NoMaxAge: true},
		Claims: map[string]string{"given_name": "user.name.firstName", "family_name": "user.name.lastName"},
		Rule:   federation.Rule{{Claim: "email_verified", Yes: federation.TrueText}},
	}))
	h.c.Preset, h.c.Type, h.c.Issuer = "posting", "", ""
}

func TestWhatIsPostedHereWaitsForItsBrowserAndIsTakenOnce(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *storage.DB) {
		h := houseOn(t, db)
		h.posting()
		d := h.departure()
		way, err := h.f.Depart(t.Context(), h.c, d)
		h.must(err)
		landed := h.op.Visit(way)
		if landed.Form == nil {
			t.Fatal("the provider was not asked to post")
		}
		a, err := federationtest.Bring(t, h.f, h.c, landed)
		h.must(err)
		if a.State.Reveal() != d.State.Reveal() || strings.Contains(a.Arrival.Reveal(), landed.Form.Get("code")) {
			t.Errorf("it came as %v", a.Values)
		}
		x, err := h.f.Finish(t.Context(), h.c, d, a)
		if err != nil || x.Account.Subject != "upstream-ann" {
			t.Errorf("%+v, %v", x, err)
		}
		x, err = h.f.Finish(t.Context(), h.c, d, a)
		h.refused("the second time", x, err, problem.New(problem.Gone, "arrival_gone", ""))
	})
}

func TestAnArrivalIsForOneConnectionAndState(t *testing.T) {
	h := newHouse(t)
	for what, alter := range map[string]func(c *federation.Connection, d *federation.Departure, a *federation.Answer){
		"another connection": func(c *federation.Connection, _ *federation.Departure, _ *federation.Answer) { c.Name = "other" },
		"another state": func(_ *federation.Connection, d *federation.Departure, a *federation.Answer) {
			d.State = federation.NewState("attempt_2")
			a.State = d.State
		},
		"a guessed name": func(_ *federation.Connection, _ *federation.Departure, a *federation.Answer) {
			a.Arrival = secret.Token("")
		},
		"ten minutes later": func(*federation.Connection, *federation.Departure, *federation.Answer) { h.clock.Add(10 * time.Minute) },
	} {
		d, c := h.departure(), h.c
		way, err := h.f.Depart(t.Context(), c, d)
		h.must(err)
		landed := h.op.Visit(way)
		landed.Form = landed.URL.Query()
		a, err := federationtest.Bring(t, h.f, c, landed)
		h.must(err)
		before := h.op.Calls("/token")
		alter(&c, &d, &a)
		x, err := h.f.Finish(t.Context(), c, d, a)
		if err == nil || x.Account.Subject != "" {
			t.Errorf("%s: %+v, %v", what, x, err)
		}
		if h.op.Calls("/token") != before {
			t.Errorf("%s: the code was sent", what)
		}
	}
}

// seen keeps what is written down, as whoever reads the database sees it.
type seen struct {
	federation.Store
	written string
}

func (s *seen) SaveArrival(ctx context.Context, id secret.Digest, sealed string, expires time.Time) error {
	s.written += string(id) + sealed
	return s.Store.SaveArrival(ctx, id, sealed, expires)
}

func TestWhatWaitsIsUnreadableAtRest(t *testing.T) {
	h := newHouse(t)
	store := &seen{Store: h.f.Store}
	h.f.Store = store
	state := federation.NewState("attempt_1").Reveal()
	_, name, err := h.f.Post(t.Context(), h.c, url.Values{"state": {state}, "code": {"marked-code"}})
	h.must(err)
	for _, open := range []string{"marked-code", state, name.Reveal()} {
		if store.written == "" || strings.Contains(store.written, open) {
			t.Errorf("%.4s… can be read in the database", open)
		}
	}
}

func TestOfAFormOnlyWhatAnybodyReadsIsKept(t *testing.T) {
	h := newHouse(t)
	store := &seen{Store: h.f.Store}
	h.f.Store = store
	d := h.departure()
	way, err := h.f.Depart(t.Context(), h.c, d)
	h.must(err)
	landed := h.op.Visit(way)
	landed.Form = landed.URL.Query()
	for i := range 20 {
		landed.Form.Set("junk"+strconv.Itoa(i), strings.Repeat("x", 2<<10))
	}
	a, err := federationtest.Bring(t, h.f, h.c, landed)
	h.must(err)
	if n := len(store.written); n > 2<<10 {
		t.Errorf("%d bytes are kept for a code", n)
	}
	if x, err := h.f.Finish(t.Context(), h.c, d, a); err != nil || x.Account.Subject != "upstream-ann" {
		t.Errorf("%+v, %v", x, err)
	}
}

func TestAFormThatIsNoAnswerIsNotKept(t *testing.T) {
	h := newHouse(t)
	state := federation.NewState("attempt_1").Reveal()
	many := url.Values{"state": {state}}
	for range 40 {
		many.Set(secret.Token("").Reveal(), "x")
	}
	for what, form := range map[string]url.Values{
		"nothing":         {},
		"two states":      {"state": {state, state}},
		"a foreign one":   {"state": {"nobody's"}},
		"half a state":    {"state": {"attempt_1."}},
		"a large code":    {"state": {state}, "code": {strings.Repeat("x", 12<<10)}},
		"a large user":    {"state": {state}, "user": {strings.Repeat("x", 12<<10)}},
		"many codes":      {"state": {state}, "code": slices.Repeat([]string{""}, 4<<10)},
		"forty fields":    many,
		"state elsewhere": {"State": {state}},
	} {
		if _, _, err := h.f.Post(t.Context(), h.c, form); !problem.HasCode(err, federation.ErrArrival.Code) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

func TestTheNameThatIsPostedOnceIsTheirsAndTheAddressBesideItIsNobodys(t *testing.T) {
	h := newHouse(t)
	h.posting()
	h.op.Claims = map[string]any{"sub": "upstream-ann", "email": "ann@example.com", "email_verified": "true"}
	h.op.Answer = func(v url.Values) {
		v.Set("user", `{"name":{"firstName":"Ann","lastName":"Apple"},"email":"victim@example.com","email_verified":true,"sub":"victim"}`)
	}
	x, err := h.signIn()
	h.must(err)
	if x.Profile.GivenName != "Ann" || x.Profile.FamilyName != "Apple" || x.Email.Value != "ann@example.com" || x.Account.Subject != "upstream-ann" {
		t.Errorf("%+v", x)
	}
	for _, user := range []string{`{`, `[]`, `{"name":"Ann"}`, `{"name":{"firstName":{"a":1}}}`, strings.Repeat("[", 10_000)} {
		h.op.Answer = func(v url.Values) { v.Set("user", user) }
		if x, err := h.signIn(); err != nil || x.Profile.GivenName != "" {
			t.Errorf("%.20s: %+v, %v", user, x.Profile, err)
		}
	}
}
