package federation_test

import (
	"io"
	"net/http"
	"net/url"
	"testing"
	"time"

	"idp/federation"
	"idp/federation/federationtest"
	"idp/internal/problem"
)

const documentPath = "/.well-known/openid-configuration"

func down(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) }

func TestKeysThatRotateBetweenDepartureAndReturnAreFound(t *testing.T) {
	h := newHouse(t)
	_, err := h.signIn() // the old keys are remembered
	h.must(err)
	d := h.departure()
	way, err := h.f.Depart(t.Context(), h.c, d)
	h.must(err)
	h.op.Rotated, h.op.Sign = true, federationtest.Next
	x, err := h.f.Finish(t.Context(), h.c, d, h.op.Visit(way).Result())
	if err != nil || x.Account.Subject == "" {
		t.Errorf("signed by the new key: %v", err)
	}
	h.op.Sign = federationtest.Right
	x, err = h.signIn()
	h.refused("signed by the key that was withdrawn", x, err, federation.ErrRefused)
}

func TestUnknownKeysMakeNoFlood(t *testing.T) {
	h := newHouse(t)
	_, err := h.signIn()
	h.must(err)
	h.op.Sign = federationtest.Unknown
	for range 20 {
		_, err := h.signIn()
		if err == nil {
			t.Fatal("an unknown key was believed")
		}
	}
	if n := h.op.Calls("/jwks"); n != 6 {
		t.Errorf("the keys were read %d times in a minute", n)
	}
	h.op.Sign = federationtest.Right
	if _, err := h.signIn(); err != nil {
		t.Errorf("and others are kept out: %v", err)
	}
	h.clock.Add(time.Minute)
	h.op.Rotated, h.op.Sign = true, federationtest.Next
	if _, err := h.signIn(); err != nil {
		t.Errorf("a minute later: %v", err)
	}
}

func TestADescriptionIsReadOnceAnHourAndOutlivesSilenceForADay(t *testing.T) {
	h := newHouse(t)
	read := func(what string, want int) {
		t.Helper()
		if n := h.op.Calls(documentPath); n != want {
			t.Errorf("%s: read %d times, want %d", what, n, want)
		}
	}
	depart := func() error {
		_, err := h.f.Depart(t.Context(), h.c, h.departure())
		return err
	}
	h.must(depart())
	h.clock.Add(59 * time.Minute)
	h.must(depart())
	read("within the hour", 1)
	h.op.Take[documentPath] = down
	h.clock.Add(time.Minute)
	h.must(depart())
	h.must(depart())
	read("two departures while it is down", 2)
	h.clock.Add(22 * time.Hour)
	h.must(depart())
	h.clock.Add(time.Hour + time.Second)
	if err := depart(); !problem.HasCode(err, federation.ErrAway.Code) {
		t.Errorf("after a day of silence: %v", err)
	}
	delete(h.op.Take, documentPath)
	if err := depart(); !problem.HasCode(err, federation.ErrAway.Code) {
		t.Errorf("at once after a failure: %v", err)
	}
	read("the pause", 4)
	h.clock.Add(10 * time.Second)
	h.must(depart())
}

func TestADescriptionThatTurnsWrongServesNobody(t *testing.T) {
	h := newHouse(t)
	_, err := h.signIn()
	h.must(err)
	h.op.Document = func(d map[string]any) { d["issuer"] = "https://elsewhere.example" }
	h.clock.Add(time.Hour)
	x, err := h.signIn()
	h.refused("a description that is another's now", x, err, federation.ErrSetup)
	h.op.Document = nil
	h.clock.Add(10 * time.Second)
	_, err = h.signIn()
	h.must(err)
}

func TestEndpointsThatMovedAreFoundAfterAFailure(t *testing.T) {
	h := newHouse(t)
	_, err := h.signIn()
	h.must(err)
	h.op.Take["/token"] = http.NotFound
	h.op.Take["/token2"] = func(w http.ResponseWriter, r *http.Request) {
		delete(h.op.Take, "/token")
		r.URL.Path = "/token"
		h.op.ServeHTTP(w, r)
	}
	h.op.Document = func(d map[string]any) { d["token_endpoint"] = h.op.URL + "/token2" }
	h.clock.Add(time.Minute)
	x, err := h.signIn()
	h.refused("at the old address", x, err, federation.ErrRefused)
	if _, err := h.signIn(); err != nil {
		t.Errorf("the next time: %v", err)
	}
}

func TestManyWhoArriveAtOnceReadOneDescription(t *testing.T) {
	h := newHouse(t)
	done := make(chan error)
	for range 20 {
		go func() {
			_, err := h.f.Depart(t.Context(), h.c, h.departure())
			done <- err
		}()
	}
	for range 20 {
		h.must(<-done)
	}
	if n := h.op.Calls(documentPath); n != 1 {
		t.Errorf("read %d times", n)
	}
}

func TestASlowProviderIsGivenUp(t *testing.T) {
	if testing.Short() {
		t.Skip("takes five seconds")
	}
	t.Parallel()
	h := newHouse(t)
	h.op.Take["/userinfo"] = func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"sub":`)
		w.(http.Flusher).Flush()
		<-r.Context().Done()
	}
	began := time.Now()
	x, err := h.signIn()
	h.refused("userinfo that never ends", x, err, federation.ErrAway)
	if took := time.Since(began); took > 20*time.Second {
		t.Errorf("it took %s", took)
	}
}

const directory = "11111111-2222-4333-8444-555555555555"

func TestAProviderOfManyTenantsIsOneIssuerPerTenant(t *testing.T) {
	h := newHouse(t)
	template := h.op.URL + "/{tenantid}"
	t.Cleanup(federation.AddPreset(federation.Preset{
		Name: "directory", Title: "Directory", Type: federation.OIDC, Issuer: h.op.URL + "/common", Dialect: federation.Dialect{Issued: template},
		Options: map[string]string{"tenant": "common"}, Rule: federation.Rule{{Claim: "xms_edov", Yes: federation.True}},
	}))
	h.c.Preset, h.c.Type, h.c.Issuer = "directory", "", ""
	h.op.Take["/common"+documentPath] = func(w http.ResponseWriter, r *http.Request) {
		r.URL.Path = documentPath
		h.op.ServeHTTP(w, r)
	}
	h.op.Document = func(d map[string]any) {
		d["issuer"] = template
		delete(d, "authorization_response_iss_parameter_supported")
	}
	h.op.Answer = func(v url.Values) { v.Del("iss") }
	h.op.Claims["xms_edov"] = true
	for what, one := range map[string]struct{ tid, iss any }{
		"no tenant":                {nil, template},
		"the template itself":      {"{tenantid}", template},
		"a tenant that is a way":   {"../" + directory, h.op.URL + "/../" + directory},
		"a tenant of odd type":     {5, h.op.URL + "/5"},
		"another tenant's":         {directory, h.op.URL + "/22222222-2222-4333-8444-555555555555"},
		"another issuer's":         {directory, "https://elsewhere.example/" + directory},
		"the way where it is read": {directory, h.op.URL + "/common"},
	} {
		h.op.Token = func(c map[string]any) { c["tid"], c["iss"] = one.tid, one.iss }
		x, err := h.signIn()
		h.refused(what, x, err, federation.ErrRefused)
	}
	h.op.Token = func(c map[string]any) { c["tid"], c["iss"] = directory, h.op.URL+"/"+directory }
	x, err := h.signIn()
	if err != nil || x.Account.Issuer != h.op.URL+"/"+directory || !x.Verdict.Verified {
		t.Errorf("its own: %+v, %v", x, err)
	}
	h.op.Answer = func(v url.Values) { v.Set("iss", h.op.URL+"/22222222-2222-4333-8444-555555555555") }
	x, err = h.signIn()
	h.refused("an answer of another tenant", x, err, federation.ErrRefused)
}
