package federation_test

import (
	"encoding/base64"
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

func TestWhatIsPostedHereReachesItsBrowserAndTakesNoRoomHere(t *testing.T) {
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
		for range 50 { // a stranger who knows the state
			_, _, err := h.f.Post(h.c, url.Values{"state": {d.State.Reveal()}, "code": {strings.Repeat("x", 4<<10)}})
			h.must(err)
		}
		a, err := federationtest.Bring(t, h.f, h.c, landed)
		h.must(err)
		if n := storagetest.Rows(t, db, "arrivals"); n != 0 {
			t.Errorf("%d rows were written", n)
		}
		if a.State.Reveal() != d.State.Reveal() {
			t.Errorf("it came as %v", a.Values)
		}
		x, err := h.f.Finish(t.Context(), h.c, d, a)
		if err != nil || x.Account.Subject != "upstream-ann" {
			t.Errorf("%+v, %v", x, err)
		}
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
		"one that was made up": func(_ *federation.Connection, _ *federation.Departure, a *federation.Answer) {
			a.Arrival = secret.Token("")
		},
		"one that was altered": func(_ *federation.Connection, _ *federation.Departure, a *federation.Answer) {
			sealed := []byte(a.Arrival.Reveal())
			sealed[len(sealed)/2] ^= 1
			a.Arrival = secret.NewString(string(sealed))
		},
		"two minutes later": func(*federation.Connection, *federation.Departure, *federation.Answer) { h.clock.Add(2 * time.Minute) },
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

func TestWhatTravelsInAnAddressIsUnreadable(t *testing.T) {
	h := newHouse(t)
	state := federation.NewState("attempt_1").Reveal()
	_, arrived, err := h.f.Post(h.c, url.Values{"state": {state}, "code": {"marked-code"}})
	h.must(err)
	_, sealed, _ := strings.Cut(arrived.Reveal(), ":")
	raw, err := base64.RawStdEncoding.DecodeString(sealed)
	if err != nil {
		raw = []byte(arrived.Reveal())
	}
	for _, open := range []string{"marked-code", state, "code"} {
		if strings.Contains(string(raw)+arrived.Reveal(), open) {
			t.Errorf("%.4s… can be read in the address", open)
		}
	}
}

func TestOfAFormOnlyWhatAnybodyReadsIsKept(t *testing.T) {
	h := newHouse(t)
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
	if n := len(a.Arrival.Reveal()); n > 1<<10 {
		t.Errorf("%d characters go into an address for a code", n)
	}
	if x, err := h.f.Finish(t.Context(), h.c, d, a); err != nil || x.Account.Subject != "upstream-ann" {
		t.Errorf("%+v, %v", x, err)
	}
}

func TestTheLongestCodeFitsIntoAnAddressThatProxiesTake(t *testing.T) {
	h := newHouse(t)
	state := federation.NewState("attempt_0123456789abcdefghijkl").Reveal()
	_, arrived, err := h.f.Post(h.c, url.Values{"state": {state}, "code": {strings.Repeat("x", 4096)}, "iss": {h.op.URL}})
	h.must(err)
	if n := len(url.Values{"state": {state}, "arrival": {arrived.Reveal()}}.Encode()); n > 8000 {
		t.Errorf("the address has %d characters", n)
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
		"many users":      {"state": {state}, "user": slices.Repeat([]string{""}, 4<<10)},
		"many codes":      {"state": {state}, "code": slices.Repeat([]string{""}, 4<<10)},
		"forty fields":    many,
		"state elsewhere": {"State": {state}},
	} {
		if _, _, err := h.f.Post(h.c, form); !problem.HasCode(err, federation.ErrArrival.Code) {
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
