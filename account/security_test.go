package account_test

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"

	"idp/event"
	"idp/identity"
	"idp/internal/secret"
	"idp/internal/web/webtest"
	"idp/login"
	"idp/session"
	"idp/storage"
)

var (
	manualKey  = regexp.MustCompile(`(?s)<code id="enroll-key">(.*?)</code>`)
	anyTag     = regexp.MustCompile(`<[^>]*>`)
	backupCode = regexp.MustCompile(`<li><code>([A-Z2-9-]{19})</code>`)
)

// app sets up an authenticator app from the security page, reading the key off the page, and
// returns that key and the backup codes.
func (d *desk) app(b *webtest.Browser) (key string, codes []string) {
	d.Helper()
	b.Get("/account/security").Want(200, "Set up an authenticator app", "Off").Post("/account/security/add", "method", "totp").Want(303, "/sign-in/attempt_")
	at := b.To
	b.Get(at).Want(200, "enroll-key")
	key = anyTag.ReplaceAllString(manualKey.FindStringSubmatch(b.Page)[1], "")
	b.Post(at+"/confirm", "code", d.shows(key)).Want(200, "Keep your backup codes", `href="/account/security"`)
	for _, c := range backupCode.FindAllStringSubmatch(b.Page, -1) {
		codes = append(codes, c[1])
	}
	return key, codes
}

func (d *desk) shows(key string) string {
	d.Helper()
	c, err := totp.GenerateCode(key, d.clock.Now())
	d.must(err)
	return c
}

func (d *desk) factors(u identity.UserID, m identity.Method) (found []identity.Factor) {
	d.Helper()
	p, err := d.people.Person(d.Context(), u)
	d.must(err)
	for _, f := range p.Factors {
		if f.Method == m {
			found = append(found, f)
		}
	}
	return found
}

func (d *desk) recorded(k event.Kind) (n int) {
	d.Helper()
	all, err := d.events.List(d.Context(), storage.EventFilter{Limit: 500})
	d.must(err)
	for _, e := range all {
		if e.Kind == k {
			n++
		}
	}
	return n
}

// told counts the mails that say so.
func (d *desk) told(what login.ChangeKind) (n int) {
	for _, m := range d.letters {
		if m.Notice != nil && m.Notice.What == string(what) {
			n++
		}
	}
	return n
}

// twice gives the session the proofs of somebody who just showed password and app.
func (d *desk) twice(s session.Session) {
	d.Helper()
	now := d.clock.Now()
	s.Proofs, s.AuthTime = s.Proofs[:1], now
	s.Proofs[0].At = now
	p, err := d.people.Person(d.Context(), s.User)
	d.must(err)
	for _, f := range p.Factors {
		if f.Method == identity.TOTP {
			s.Proofs = append(s.Proofs, identity.Proof{Method: f.Method, Category: identity.Possession, Credential: string(f.ID), At: now})
		}
	}
	d.must(d.keeper.Store.SaveSession(d.Context(), s))
}

func TestTwoStepVerificationIsTurnedOnAndOffOnTheSecurityPage(t *testing.T) {
	each(t, func(d *desk) {
		ann := d.person("ann")
		d.password(ann)
		b, _ := d.on(nil, ann)
		key, codes := d.app(b)
		if len(codes) != 10 || d.told(login.FactorAdded) != 1 {
			t.Errorf("%d codes shown, told %d times", len(codes), d.told(login.FactorAdded))
		}
		b.Get("/account/security").Want(200, "Authenticator app", ">On<", "10 codes are left", "Move to another authenticator app").WantNot(key, codes[0])
		app := string(d.factors(ann, identity.TOTP)[0].ID)
		b.Post("/account/security/rename", "factor", app, "name", "Old <phone>").Follow().Want(200, "Old &lt;phone&gt;", "The name is changed.")
		b.Post("/account/security/backup-codes").Want(200, "Keep your backup codes").WantNot(codes[0])
		b.Get("/account/security").Want(200, "10 codes are left")
		b.Post("/account/security/remove", "factor", app).Follow().Want(200, "Removed.", ">Off<").WantNot("codes are left", "Old &lt;phone&gt;")
		if left := len(d.factors(ann, identity.TOTP)) + len(d.factors(ann, identity.BackupCode)); left != 0 || d.told(login.FactorRemoved) != 1 || d.recorded(event.FactorRemoved) != 1 {
			t.Errorf("%d are left, told %d times", left, d.told(login.FactorRemoved))
		}
	})
}

func TestFactorsChangeOnlyAfterAFreshProofOfBothSteps(t *testing.T) {
	each(t, func(d *desk) {
		ann := d.person("ann")
		d.password(ann)
		b, s := d.on(nil, ann)
		d.app(b)
		app := d.factors(ann, identity.TOTP)[0]
		old := d.factors(ann, identity.BackupCode)[0].ID
		d.clock.Add(11 * time.Minute)
		b.Get("/account/security").Want(200)
		for path, field := range map[string]string{"remove": "factor", "rename": "factor", "add": "method", "backup-codes": "x"} {
			b.Post("/account/security/"+path, field, string(app.ID), "name", "mine").Want(303, "/sign-in/attempt_")
			b.Get(b.To).Want(200, "password")
		}
		d.call(b, "DELETE", "/me/factors/"+string(app.ID), "").want(403, "step_up_required")
		d.call(b, "PATCH", "/me/factors/"+string(app.ID), `{"name":"mine"}`).want(403, "step_up_required")
		d.call(b, "POST", "/me/backup-codes", `{}`).want(403, "step_up_required").desk.must(nil)
		if f := d.factors(ann, identity.TOTP); len(f) != 1 || f[0].Name != "" || d.factors(ann, identity.BackupCode)[0].ID != old {
			t.Errorf("something changed: %+v", f)
		}
		// The password alone is not enough where there is a second step.
		s.Proofs, s.AuthTime = s.Proofs[:1], d.clock.Now()
		d.must(d.keeper.Store.SaveSession(t.Context(), s))
		d.call(b, "DELETE", "/me/factors/"+string(app.ID), "").want(403, "step_up_required")
		d.twice(s)
		d.call(b, "DELETE", "/me/factors/"+string(app.ID), "").want(204)
	})
}

func TestNobodyTouchesSomebodyElsesFactors(t *testing.T) {
	each(t, func(d *desk) {
		ann, eve := d.person("ann"), d.person("eve")
		d.password(ann)
		d.password(eve)
		a, _ := d.on(nil, ann)
		d.app(a)
		anns := d.factors(ann, identity.TOTP)[0]
		b, _ := d.on(nil, eve)
		b.Get("/account/security").Want(200).WantNot(string(anns.ID))
		b.Post("/account/security/remove", "factor", string(anns.ID)).Want(404)
		b.Get("/account/security").Post("/account/security/rename", "factor", string(anns.ID), "name", "mine").Want(404)
		d.call(b, "DELETE", "/me/factors/"+string(anns.ID), "").want(404)
		d.call(b, "PATCH", "/me/factors/"+string(anns.ID), `{"name":"mine"}`).want(404)
		if f := d.factors(ann, identity.TOTP); len(f) != 1 || f[0].Name != anns.Name {
			t.Errorf("ann has %+v", f)
		}
		d.call(webtest.New(d, d.server.URL), "GET", "/me/factors", "").want(401)
		webtest.New(d, d.server.URL).Get("/account/security").Want(303, "/sign-in")
	})
}

func TestScriptsSeeAndKeepTheirFactors(t *testing.T) {
	each(t, func(d *desk) {
		ann := d.person("ann")
		d.password(ann)
		b, _ := d.on(nil, ann)
		d.call(b, "GET", "/me/factors", "").want(200, `"two_step":false`, `"factors":[]`, `"totp"`)
		key, _ := d.app(b)
		app := string(d.factors(ann, identity.TOTP)[0].ID)
		seen := d.call(b, "GET", "/me/factors", "").want(200, `"two_step":true`, `"method":"totp"`, app, `"backup_codes_left":10`)
		if strings.Contains(seen.body, key) {
			t.Error("the seed can be read")
		}
		d.call(b, "PATCH", "/me/factors/"+app, `{"name":"Phone"}`).want(204)
		d.call(b, "GET", "/me/factors", "").want(200, `"name":"Phone"`)
		fresh := d.call(b, "POST", "/me/backup-codes", `{}`).want(200, `"backup_codes":["`)
		if n := len(regexp.MustCompile(`[A-Z2-9]{4}(-[A-Z2-9]{4}){3}`).FindAllString(fresh.body, -1)); n != 10 {
			t.Errorf("%d codes: %s", n, fresh.body)
		}
		d.settings.TwoStep = login.Required
		d.call(b, "DELETE", "/me/factors/"+app, "").want(409, "factor_last", "Set up something else first")
		b.Get("/account/security").Post("/account/security/remove", "factor", app).Want(409, "Set up something else first")
		d.must(d.people.SaveFactor(t.Context(), identity.Factor{ID: "factor_key", UserID: ann, Method: identity.SecurityKey, Credential: "key", Secret: secret.NewString("{}"), CreatedAt: d.clock.Now()}))
		d.call(b, "DELETE", "/me/factors/"+app, "").want(204)
		if n := len(d.factors(ann, identity.BackupCode)); n != 10 {
			t.Errorf("%d backup codes are left beside the key", n)
		}
	})
}
