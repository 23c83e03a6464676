package account_test

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"idp/consent"
	"idp/identity"
	"idp/internal/secret"
	"idp/internal/web/webtest"
	"idp/login"
	"idp/message"
)

// answer is what a script got.
type answer struct {
	*desk
	status int
	body   string
}

// call sends a script's request with a browser's cookies; body "" is none.
func (d *desk) call(b *webtest.Browser, method, path, body string) answer {
	d.Helper()
	path = "/frontend/v1" + strings.Replace(path, "/here", "/sessions", 1)
	r, err := http.NewRequestWithContext(d.Context(), method, d.server.URL+path, strings.NewReader(body))
	d.must(err)
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	client := *b.Client
	client.Transport = webtest.Hold(d, http.DefaultTransport, "")
	res, err := client.Do(r)
	d.must(err)
	defer func() { _ = res.Body.Close() }()
	text, err := io.ReadAll(res.Body)
	d.must(err)
	return answer{d, res.StatusCode, string(text)}
}

func (a answer) want(status int, parts ...string) answer {
	a.Helper()
	if a.status != status {
		a.Fatalf("status %d, want %d: %s", a.status, status, a.body)
	}
	for _, p := range parts {
		if !strings.Contains(a.body, p) {
			a.Fatalf("%s is missing in %s", p, a.body)
		}
	}
	return a
}

func TestScriptsSeeAndChangeTheirPerson(t *testing.T) {
	each(t, func(d *desk) {
		ann := d.person("ann")
		d.password(ann)
		b, s := d.on(nil, ann)
		b.Get("/account")
		d.call(b, "GET", "/me", "").want(200, `"name":"ann Lee"`, `"value":"ann@example.com","primary":true,"verified":true`, `"recent":true`, `"password":true`, `"id":"`+string(s.ID)+`"`)
		d.call(b, "PATCH", "/me", `{"name":" Ann B. ","locale":"de-at","zoneinfo":"Europe/Vienna"}`).want(200, `"name":"Ann B."`, `"locale":"de-AT"`, `"zoneinfo":"Europe/Vienna"`)
		d.call(b, "PATCH", "/me", `{"given_name":"Ann"}`).want(200, `"name":"Ann B."`, `"given_name":"Ann"`)
		for body, field := range map[string]string{
			`{"name":"a\u0000b"}`: "name", `{"locale":"not a language"}`: "locale", `{"zoneinfo":"here"}`: "zoneinfo", `{"family_name":"` + strings.Repeat("x", 201) + `"}`: "family_name",
		} {
			d.call(b, "PATCH", "/me", body).want(422, `"field":"`+field+`"`)
		}
		p, err := d.people.Person(t.Context(), ann)
		d.must(err)
		if f := p.User.Profile; f.Name != "Ann B." || f.Locale != "de-AT" || f.FamilyName != "" {
			t.Errorf("on file is %+v", f)
		}
		d.call(webtest.New(t, d.server.URL), "GET", "/me", "").want(401)
	})
}

func TestNoRouteLetsAPersonVouchForThemselves(t *testing.T) {
	each(t, func(d *desk) {
		ann := d.person("ann")
		claim := d.hold(ann, identity.Email, "victim@example.com", false, identity.SourceOperator)
		b, _ := d.on(nil, ann)
		b.Get("/account")
		before := d.file(ann)
		for _, x := range [][3]string{
			{"PATCH", "/me", `{"email":"victim@example.com"}`}, {"PATCH", "/me", `{"email_verified":true}`}, {"PATCH", "/me", `{"operator":true}`},
			{"PATCH", "/me", `{"name":["a"]}`}, {"PATCH", "/me", `{"name":1}`}, {"PATCH", "/me", `{"groups":["admins"]}`},
			{"PATCH", "/me/identifiers/" + string(claim), `{"verified":true}`}, {"PATCH", "/me/identifiers/" + string(claim), `{"primary":true,"verified_at":"2020-01-01T00:00:00Z"}`},
			{"POST", "/me/identifiers", `{"address":"x@example.com","verified":true}`}, {"POST", "/me/identifiers", `{"address":["x@example.com"]}`},
			{"POST", "/me/password", `{"password":null}`}, {"POST", "/me/password", `{"password":{"a":1}}`}, {"POST", "/me/password", `{"password":["a"]}`},
		} {
			d.call(b, x[0], x[1], x[2]).want(400)
		}
		d.call(b, "PATCH", "/me/identifiers/"+string(claim), `{"primary":false}`).want(422)
		d.call(b, "PATCH", "/me/identifiers/"+string(claim), `{"primary":true}`).want(409, "identifier_unverified")
		b.Post("/account/identifiers/primary", "id", string(claim), "verified", "yes").Want(409)
		b.Post("/account/profile", "name", "Ann", "email", "victim@example.com", "email_verified", "true", "operator", "true").Want(303)
		p, err := d.people.Person(t.Context(), ann)
		d.must(err)
		if d.file(ann) != before || p.User.Operator || len(p.User.Groups) != 0 {
			t.Errorf("on file is %s %+v", d.file(ann), p.User)
		}
	})
}

func TestScriptsAddAnAddressByAnAttempt(t *testing.T) {
	each(t, func(d *desk) {
		ann := d.person("ann")
		d.password(ann)
		b, _ := d.on(nil, ann)
		b.Get("/account")
		got := d.call(b, "POST", "/me/identifiers", `{"address":"work@example.com"}`).want(201, `"goal":"extend"`, `"step":"needs_email_verification"`)
		var v login.View
		d.must(json.Unmarshal([]byte(got.body), &v))
		if d.file(ann) != "ann@example.com!" {
			t.Fatal("it is on file before it answered")
		}
		b.Post("/sign-in/"+string(v.ID)+"/prove", "method", "email_code", "code", d.letter(message.VerifyAddress, "work@example.com").Code.Reveal()).Want(303)
		id := d.idOf(ann, "work@example.com")
		d.call(b, "PATCH", "/me/identifiers/"+string(id), `{"primary":true}`).want(204)
		d.call(b, "DELETE", "/me/identifiers/"+string(d.idOf(ann, "ann@example.com")), "").want(204)
		d.call(b, "DELETE", "/me/identifiers/"+string(id), "").want(409, "identifier_last")
		d.call(b, "POST", "/me/identifiers", `{"address":"nonsense"}`).want(422, `"field":"address"`)
	})
}

func TestScriptsSeeDevicesAndAppsAndEndThem(t *testing.T) {
	each(t, func(d *desk) {
		ann := d.person("ann")
		b, this := d.on(nil, ann)
		d.clock.Add(time.Minute)
		_, far := d.on(nil, ann)
		_, third := d.on(nil, ann)
		b.Get("/account")
		d.call(b, "GET", "/me/sessions", "").want(200, `{"sessions":[{"id":"`+string(this.ID)+`","this":true,"browser":"Firefox · Linux"`, `"methods":["password"]`, string(far.ID))
		d.call(b, "DELETE", "/me/sessions/"+string(far.ID), "").want(204)
		if d.alive(far) || !d.alive(third) {
			t.Error("the wrong session ended")
		}
		d.call(b, "POST", "/me/sessions/end-others", "{}").want(204)
		if d.alive(third) || !d.alive(this) {
			t.Error("the wrong sessions ended")
		}
		d.must(d.grants.SaveGrant(t.Context(), consent.Grant{User: ann, Client: "client_1", Scopes: []string{"openid"}, CreatedAt: d.clock.Now(), UpdatedAt: d.clock.Now()}))
		d.call(b, "GET", "/me/grants", "").want(200, `"client_id":"client_1"`, `"scopes":["openid"]`)
		for range 2 {
			d.call(b, "DELETE", "/me/grants/client_1", "").want(204)
		}
		d.call(b, "GET", "/me/grants", "").want(200, `{"grants":[]}`)
	})
}

func TestAnExportHoldsWhatIsOnFileAndNothingThatProvesAnything(t *testing.T) {
	each(t, func(d *desk) {
		ann, eve := d.person("ann"), d.person("eve")
		d.password(ann)
		d.must(d.people.SaveFactor(t.Context(), identity.Factor{
			ID: "factor_app", UserID: ann, Method: identity.TOTP, Name: "my phone", Secret: secret.NewString("SEEDSEEDSEED"), Credential: "credential-x", CreatedAt: d.clock.Now(),
		}))
		b, s := d.on(nil, ann)
		s.Proofs = append(s.Proofs, identity.Proof{Method: identity.TOTP, Category: identity.Possession, At: d.clock.Now()})
		d.must(d.keeper.Store.SaveSession(t.Context(), s))
		_, eves := d.on(nil, eve)
		d.must(d.keeper.End(t.Context(), eves, string(eve)))
		b.Get("/account").Post("/account/export").Want(200, `"format":"idp-account-1"`, "ann@example.com", `"name":"my phone"`, `"method":"totp"`, string(s.ID), `"kind":"user.exported","by":"you"`)
		b.WantNot("hash of", rightPassword, "SEEDSEEDSEED", "credential-x", "user_eve", string(eves.ID), "digest")
		got := d.call(b, "GET", "/me/export", "").want(200)
		var x map[string]any
		d.must(json.Unmarshal([]byte(got.body), &x))
		for _, member := range []string{"format", "issuer", "exported_at", "user", "identifiers", "factors", "trusted_browsers", "sessions", "apps", "events", "events_truncated"} {
			if _, ok := x[member]; !ok {
				t.Errorf("it lacks %s", member)
			}
		}
	})
}
