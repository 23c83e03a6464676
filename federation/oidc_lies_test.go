package federation_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"idp/federation"
	"idp/federation/federationtest"
	"idp/internal/outbound"
	"idp/internal/problem"
	"idp/internal/secret"
)

func TestALyingIDTokenSignsNobodyIn(t *testing.T) {
	claim := func(name string, value any) func(map[string]any) {
		return func(c map[string]any) { c[name] = value }
	}
	h := newHouse(t)
	now := h.clock.Now()
	for what, alter := range map[string]func(c map[string]any){
		"another nonce":                claim("nonce", "somebody else's"),
		"no nonce":                     claim("nonce", nil),
		"a nonce that is no text":      claim("nonce", 5),
		"another audience":             claim("aud", "another client"),
		"no audience":                  claim("aud", nil),
		"an empty audience":            claim("aud", []string{}),
		"an audience of odd type":      claim("aud", []any{federationtest.ClientID, 5}),
		"several, without azp":         claim("aud", []string{federationtest.ClientID, "another"}),
		"azp of another":               claim("azp", "another"),
		"azp of odd type":              claim("azp", []string{federationtest.ClientID}),
		"another issuer":               claim("iss", "https://elsewhere.example"),
		"its issuer with a slash":      claim("iss", h.op.URL+"/"),
		"its issuer in capitals":       claim("iss", strings.ToUpper(h.op.URL)),
		"no issuer":                    claim("iss", nil),
		"nobody":                       claim("sub", nil),
		"an empty subject":             claim("sub", ""),
		"a subject that is a number":   claim("sub", 5),
		"over":                         claim("exp", now.Add(-time.Minute).Unix()),
		"over for as long as the skew": claim("exp", now.Add(-30*time.Second).Unix()),
		"without an end":               claim("exp", nil),
		"with an end that is a text":   claim("exp", "2099"),
		"with an end that is negative": claim("exp", -5),
		"of the future":                claim("iat", now.Add(31*time.Second).Unix()),
		"of no time":                   claim("iat", nil),
		"that does not hold yet":       claim("nbf", now.Add(31*time.Second).Unix()),
		"for another access token":     claim("at_hash", "AAAAAAAAAAAAAAAAAAAAAA"),
		"with at_hash of odd type":     claim("at_hash", []string{"x"}),
		"with a proof of odd time":     claim("auth_time", "yesterday"),
		"with a proof of the future":   claim("auth_time", now.Add(31*time.Second).Unix()),
	} {
		h.op.Token = alter
		x, err := h.signIn()
		h.refused("an ID token "+what, x, err, federation.ErrRefused)
	}
	h.op.Token = nil
	for _, key := range []federationtest.Key{
		federationtest.None, federationtest.Public, federationtest.Shared, federationtest.Stranger, federationtest.Unknown, federationtest.Next,
	} {
		h.op.Sign = key
		h.clock.Add(time.Minute)
		x, err := h.signIn()
		h.refused("signed by "+string(key), x, err, federation.ErrRefused)
	}
	h.op.Sign = federationtest.Right
	if _, err := h.signIn(); err != nil {
		t.Errorf("and then the truth: %v", err)
	}
}

func TestTheEdgesOfTheClockAreThirtySeconds(t *testing.T) {
	h := newHouse(t)
	for what, alter := range map[string]func(c map[string]any){
		"ended 29 s ago": func(c map[string]any) { c["exp"] = h.clock.Now().Add(-29 * time.Second).Unix() },
		"made in 30 s":   func(c map[string]any) { c["iat"] = h.clock.Now().Add(30 * time.Second).Unix() },
		"begins in 30 s": func(c map[string]any) { c["nbf"] = h.clock.Now().Add(30 * time.Second).Unix() },
		"two audiences": func(c map[string]any) {
			c["aud"], c["azp"] = []string{"other", federationtest.ClientID}, federationtest.ClientID
		},
		"without at_hash": func(c map[string]any) { c["at_hash"] = nil },
	} {
		h.op.Token = alter
		if _, err := h.signIn(); err != nil {
			t.Errorf("a token that %s: %v", what, err)
		}
	}
}

func TestWhatComesBackMustBeForThisDeparture(t *testing.T) {
	h := newHouse(t)
	for what, one := range map[string]struct {
		alter func(v url.Values)
		want  *problem.Error
	}{
		"an issuer of another":       {func(v url.Values) { v.Set("iss", "https://elsewhere.example") }, federation.ErrRefused},
		"its issuer with a slash":    {func(v url.Values) { v.Set("iss", v.Get("iss")+"/") }, federation.ErrRefused},
		"no issuer, though promised": {func(v url.Values) { v.Del("iss") }, federation.ErrRefused},
		"two codes":                  {func(v url.Values) { v.Add("code", "another") }, federation.ErrRefused},
		"two states":                 {func(v url.Values) { v.Add("state", "another") }, federation.ErrRefused},
		"no code":                    {func(v url.Values) { v.Del("code") }, federation.ErrRefused},
		"a long code":                {func(v url.Values) { v.Set("code", strings.Repeat("x", 5000)) }, federation.ErrRefused},
		"somebody's tokens":          {func(v url.Values) { v.Del("code"); v.Set("id_token", "e30.e30."); v.Set("access_token", "x") }, federation.ErrRefused},
		"another code":               {func(v url.Values) { v.Set("code", "guessed") }, federation.ErrRefused},
		"a person who turned back":   {func(v url.Values) { v.Del("code"); v.Set("error", "access_denied") }, federation.ErrChanged},
		"an error and a code":        {func(v url.Values) { v.Set("error", "access_denied") }, federation.ErrChanged},
		"a provider that is tired":   {func(v url.Values) { v.Set("error", "temporarily_unavailable") }, federation.ErrAway},
		"a request that was wrong":   {func(v url.Values) { v.Set("error", "invalid_scope") }, federation.ErrSetup},
		"an error of another issuer": {func(v url.Values) { v.Set("error", "access_denied"); v.Set("iss", "https://elsewhere.example") }, federation.ErrRefused},
		"an error that is a page": {func(v url.Values) {
			v.Set("error", "<script>alert(1)</script>")
			v.Set("error_description", "<b>call 555</b>")
		}, federation.ErrRefused},
	} {
		h.op.Answer = one.alter
		before := h.op.Calls("/token")
		x, err := h.signIn()
		h.refused(what, x, err, one.want)
		if err != nil && (strings.Contains(err.Error(), "script") || strings.Contains(err.Error(), "555")) {
			t.Errorf("%s: %v repeats what the browser brought", what, err)
		}
		if n := h.op.Calls("/token") - before; n != 0 && what != "another code" {
			t.Errorf("%s: the code was sent %d times all the same", what, n)
		}
	}
}

func TestAStateOfAnotherAttemptOrConnectionRedeemsNothing(t *testing.T) {
	h := newHouse(t)
	d := h.departure()
	way, err := h.f.Depart(t.Context(), h.c, d)
	h.must(err)
	back := h.op.Visit(way).Result()

	other := h.departure() // the same browser's next try, or a stranger's
	forged := back
	forged.State = other.State
	x, err := h.f.Finish(t.Context(), h.c, other, forged)
	h.refused("another state than the answer's", x, err, federation.ErrRefused)

	forged.Values = url.Values{"code": back.Values["code"], "iss": back.Values["iss"], "state": {other.State.Reveal()}}
	x, err = h.f.Finish(t.Context(), h.c, other, forged)
	h.refused("a stranger's code under our own state", x, err, federation.ErrRefused)

	x, err = h.f.Finish(t.Context(), h.c, d, back)
	h.refused("the code that somebody else tried to redeem", x, err, federation.ErrRefused)
}

func TestACodeWithoutChallengeIsStillBoundByTheNonce(t *testing.T) {
	h := newHouse(t)
	h.op.Document = func(d map[string]any) { d["code_challenge_methods_supported"] = []string{"plain"} }
	d, other := h.departure(), h.departure()
	way, err := h.f.Depart(t.Context(), h.c, d)
	h.must(err)
	back := h.op.Visit(way).Result()
	if h.op.Visits()[0].Get("code_challenge") != "" {
		t.Fatal("a challenge was sent to who does not know it")
	}
	back.State = other.State
	back.Values.Set("state", other.State.Reveal())
	x, err := h.f.Finish(t.Context(), h.c, other, back)
	h.refused("a stranger's code", x, err, federation.ErrRefused)
	if _, err := h.signIn(); err != nil {
		t.Errorf("the same person by their own code: %v", err)
	}
}

func TestACodeIsRedeemedOnce(t *testing.T) {
	h := newHouse(t)
	d := h.departure()
	way, err := h.f.Depart(t.Context(), h.c, d)
	h.must(err)
	back := h.op.Visit(way).Result()
	_, err = h.f.Finish(t.Context(), h.c, d, back)
	h.must(err)
	x, err := h.f.Finish(t.Context(), h.c, d, back)
	h.refused("the second time", x, err, federation.ErrRefused)
}

func TestAMixUpOfTwoProvidersEndsBeforeTheCodeIsSent(t *testing.T) {
	h := newHouse(t)
	evil := federationtest.New(t, h.clock.Now)
	evil.Claims["email"] = "victim@example.com"
	h.f.Outbound = federationtest.Outbound(h.op, evil)
	theirs := evil.Connection("evil")

	d := h.departure()
	way, err := h.f.Depart(t.Context(), h.c, d)
	h.must(err)
	back := h.op.Visit(way).Result() // of the honest one, taken to the other's callback
	x, err := h.f.Finish(t.Context(), theirs, d, back)
	h.refused("started at one, returned at the other", x, err, federation.ErrRefused)
	if evil.Calls("/token") != 0 {
		t.Error("the dishonest provider was given the honest one's code")
	}
	x, err = h.f.Finish(t.Context(), h.c, d, federation.Answer{State: d.State, Values: url.Values{
		"state": {d.State.Reveal()}, "code": {"of the other"}, "iss": {evil.URL},
	}})
	h.refused("the other's answer at the honest callback", x, err, federation.ErrRefused)
	if h.op.Calls("/token") != 0 {
		t.Error("a foreign code was sent")
	}
}

func TestADescriptionThatIsWrongSignsNobodyIn(t *testing.T) {
	for what, alter := range map[string]func(d map[string]any){
		"of another issuer":       func(d map[string]any) { d["issuer"] = "https://elsewhere.example" },
		"with a slash more":       func(d map[string]any) { d["issuer"] = d["issuer"].(string) + "/" },
		"without issuer":          func(d map[string]any) { delete(d, "issuer") },
		"without a way":           func(d map[string]any) { delete(d, "authorization_endpoint") },
		"with a script for a way": func(d map[string]any) { d["authorization_endpoint"] = "javascript:alert(1)" },
		"with an open token":      func(d map[string]any) { d["token_endpoint"] = "http://provider.example/token" },
		"with an open key set":    func(d map[string]any) { d["jwks_uri"] = "http://provider.example/keys" },
		"without keys":            func(d map[string]any) { delete(d, "jwks_uri") },
		"with shared keys only":   func(d map[string]any) { d["id_token_signing_alg_values_supported"] = []string{"HS256", "none"} },
	} {
		h := newHouse(t)
		h.op.Document = alter
		_, err := h.f.Depart(t.Context(), h.c, h.departure())
		if !problem.HasCode(err, federation.ErrSetup.Code) {
			t.Errorf("a description %s: %v", what, err)
		}
	}
}

func TestAPrivateAddressIsNotReachedInProduction(t *testing.T) {
	h := newHouse(t)
	h.op = federationtest.NewTLS(t, h.clock.Now)
	h.f.Outbound = outbound.New(outbound.Options{})
	h.c = h.op.Connection("inside")
	_, err := h.f.Depart(t.Context(), h.c, h.departure())
	if !problem.HasCode(err, federation.ErrAway.Code) {
		t.Errorf("discovery inside: %v", err)
	}
	h.c = h.op.Plain("inside")
	d := h.departure()
	x, err := h.f.Finish(t.Context(), h.c, d, federation.Answer{State: d.State, Values: url.Values{"state": {d.State.Reveal()}, "code": {"c"}}})
	h.refused("token endpoint inside", x, err, federation.ErrAway)
	h.c.TokenEndpoint = "http://metadata.internal/token"
	_, err = h.f.Depart(t.Context(), h.c, d)
	if !problem.HasCode(err, federation.ErrSetup.Code) {
		t.Errorf("an open endpoint: %v", err)
	}
	if h.op.Calls("/token")+h.op.Calls("/.well-known/openid-configuration") != 0 {
		t.Error("the inside was reached")
	}
}

func TestUserinfoThatLiesSignsNobodyIn(t *testing.T) {
	h := newHouse(t)
	say := func(status int, kind, body string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", kind)
			w.WriteHeader(status)
			_, _ = w.Write([]byte(body))
		}
	}
	for what, one := range map[string]struct {
		take http.HandlerFunc
		want *problem.Error
	}{
		"about another":      {say(200, "application/json", `{"sub":"victim","email":"victim@example.com","email_verified":true}`), federation.ErrRefused},
		"about nobody":       {say(200, "application/json", `{"email":"victim@example.com"}`), federation.ErrRefused},
		"about a number":     {say(200, "application/json", `{"sub":5}`), federation.ErrRefused},
		"a page":             {say(200, "text/html", "<html>Please sign in</html>"), federation.ErrRefused},
		"a token":            {say(200, "application/jwt", "e30.e30."), federation.ErrRefused},
		"two answers":        {say(200, "application/json", `{"sub":"upstream-ann"}{"sub":"victim"}`), federation.ErrRefused},
		"a list":             {say(200, "application/json", `[]`), federation.ErrRefused},
		"nothing":            {say(200, "application/json", `null`), federation.ErrRefused},
		"an error":           {say(200, "application/json", `{"error":"nope"}`), federation.ErrRefused},
		"too much":           {say(200, "application/json", `{"sub":"upstream-ann","x":"`+strings.Repeat("x", 1<<20)+`"}`), federation.ErrAway},
		"a failure":          {say(500, "application/json", `{}`), federation.ErrAway},
		"a way to elsewhere": {func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/jwks", http.StatusFound) }, federation.ErrAway},
	} {
		h.op.Take["/userinfo"] = one.take
		x, err := h.signIn()
		h.refused("userinfo with "+what, x, err, one.want)
	}
}

func TestATokenEndpointThatIsOddSignsNobodyIn(t *testing.T) {
	h := newHouse(t)
	say := func(status int, body string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status); _, _ = w.Write([]byte(body)) }
	}
	for what, one := range map[string]struct {
		take http.HandlerFunc
		want *problem.Error
	}{
		"fails":                   {say(500, `{}`), federation.ErrAway},
		"is busy":                 {say(429, `{}`), federation.ErrAway},
		"shows a page":            {say(200, `<html></html>`), federation.ErrRefused},
		"shows an error page":     {say(404, `<html></html>`), federation.ErrRefused},
		"sends elsewhere":         {func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/userinfo", http.StatusFound) }, federation.ErrRefused},
		"does not know us":        {say(401, `{"error":"invalid_client"}`), federation.ErrSetup},
		"says no with status 200": {say(200, `{"error":"bad_verification_code"}`), federation.ErrRefused},
		"gives nothing":           {say(200, `{}`), federation.ErrRefused},
		"gives another type":      {say(200, `{"access_token":"a","token_type":"mac","id_token":"x"}`), federation.ErrRefused},
		"gives no ID token":       {say(200, `{"access_token":"a","token_type":"bearer"}`), federation.ErrRefused},
		"gives an odd ID token":   {say(200, `{"access_token":"a","token_type":"bearer","id_token":{"sub":"x"}}`), federation.ErrRefused},
		"gives no JWT":            {say(200, `{"access_token":"a","token_type":"bearer","id_token":"x"}`), federation.ErrRefused},
		"gives too much":          {say(200, `{"access_token":"`+strings.Repeat("x", 1<<20)+`"}`), federation.ErrRefused},
	} {
		h.op.Take["/token"] = one.take
		x, err := h.signIn()
		h.refused("a token endpoint that "+what, x, err, one.want)
	}
}

func TestWhatAClientBringsIsNoToken(t *testing.T) {
	h := newHouse(t)
	for _, c := range []federation.Connection{h.c, h.op.Plain("hub")} {
		d := h.departure()
		x, err := h.f.Finish(t.Context(), c, d, federation.Answer{State: d.State, Values: url.Values{
			"state": {d.State.Reveal()}, "access_token": {secret.Token("at_").Reveal()}, "token_type": {"bearer"}, "id_token": {h.op.Signed(map[string]any{"sub": "x"})},
		}})
		h.refused("tokens in the address", x, err, federation.ErrRefused)
	}
	if n := h.op.Calls("/userinfo"); n != 0 {
		t.Errorf("somebody's token was used %d times", n)
	}
}
