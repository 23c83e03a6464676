package provider_test

import (
	"encoding/json"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"idp/identity"
	"idp/internal/secret"
	"idp/provider"
	"idp/storage"
)

// known is somebody with a phone number, groups and a role.
func (w *world) known(name string, verified bool) identity.UserID {
	w.t.Helper()
	id, people := w.person(name), storage.NewPeople(w.db)
	p, err := people.Person(w.t.Context(), id)
	must(w.t, err)
	p.User.Groups, p.User.Roles = []string{"staff", "chess"}, []string{"editor"}
	must(w.t, people.SaveUser(w.t.Context(), p.User))
	phone, err := identity.ParsePhone("+442079460018")
	must(w.t, err)
	h := identity.Holding{
		ID: identity.HoldingID(secret.NewID("addr")), UserID: id, Identifier: phone, Primary: true, Source: "import", CreatedAt: w.clock.Now(),
	}
	if verified {
		h.VerifiedAt, h.VerifiedBy = w.clock.Now(), identity.EmailCode
	}
	must(w.t, people.SaveHolding(w.t.Context(), h))
	return id
}

var everything = []string{"openid", "profile", "email", "address", "phone", "groups", "roles", "offline_access"}

func TestEachScopeTellsItsClaimsAndNoOthers(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		b := w.browser()
		b.signIn(w.known("Ann", true))
		c, key := w.client(func(c *provider.Client) { c.Scopes = everything })
		all := []string{"name", "given_name", "updated_at", "email", "email_verified", "address", "phone_number", "phone_number_verified", "groups", "roles"}
		for scope, want := range map[string][]string{
			"openid": nil, "openid profile": {"name", "given_name", "updated_at"}, "openid email": {"email", "email_verified"},
			"openid address": {"address"}, "openid phone": {"phone_number", "phone_number_verified"},
			"openid groups": {"groups"}, "openid roles": {"roles"}, strings.Join(everything, " "): all,
		} {
			a := b.tokens(c, key, "scope", scope)
			told, inID := w.info(a.Access), w.claims(a.ID)
			for _, name := range all {
				if _, has := told[name]; has != slices.Contains(want, name) {
					t.Errorf("%s: userinfo says %s: %v", scope, name, told[name])
				}
				// Applications decide by groups and roles; the rest waits at userinfo.
				early := (name == "groups" || name == "roles") && slices.Contains(want, name)
				if _, has := inID[name]; has != early {
					t.Errorf("%s: the ID token says %s: %v", scope, name, inID[name])
				}
			}
		}
		told := w.info(b.tokens(c, key, "scope", strings.Join(everything, " ")).Access)
		if told["phone_number"] != "+442079460018" || told["phone_number_verified"] != true || told["email_verified"] != true {
			t.Errorf("userinfo %v", told)
		}
		if groups, _ := json.Marshal([]any{told["groups"], told["roles"]}); string(groups) != `[["staff","chess"],["editor"]]` {
			t.Errorf("groups and roles %s", groups)
		}
	})
}

func TestWhatNobodyProvedIsNotCalledVerified(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		b, id := w.browser(), w.known("Ann", false)
		b.signIn(id)
		people := storage.NewPeople(w.db)
		p, err := people.Person(t.Context(), id)
		must(t, err)
		for _, h := range p.Holdings {
			if h.Identifier.Kind == identity.Email {
				h.VerifiedAt, h.VerifiedBy = time.Time{}, ""
				must(t, people.SaveHolding(t.Context(), h))
			}
		}
		c, key := w.client(func(c *provider.Client) { c.Scopes = everything })
		told := w.info(b.tokens(c, key, "scope", "openid email phone").Access)
		if told["email"] == nil || told["email_verified"] != false || told["phone_number"] == nil || told["phone_number_verified"] != false {
			t.Errorf("userinfo %v", told)
		}
	})
}

func TestIDTokensTellAllWhereThereIsNoOtherWayOrTheOperatorSaysSo(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		b := w.browser()
		b.signIn(w.known("Ann", true))
		wordy, wordyKey := w.client(func(c *provider.Client) { c.Scopes, c.IDTokenClaims = everything, true })
		if said := w.claims(b.tokens(wordy, wordyKey, "scope", "openid email phone").ID); said["email"] != "ann@example.com" || said["phone_number"] == nil || said["name"] != nil {
			t.Errorf("by the operator's choice: %v", said)
		}
		front, _ := w.client(func(c *provider.Client) {
			c.Scopes, c.GrantTypes, c.ResponseTypes = everything, []string{"implicit"}, []string{"id_token", "id_token token"}
		})
		for types, want := range map[string]bool{"id_token": true, "id_token token": false} {
			rec := b.authorize(ask(front, "response_type", types, "scope", "openid email", "code_challenge", "", "code_challenge_method", ""))
			_, fragment, _ := strings.Cut(rec.Header().Get("Location"), "#")
			got, err := url.ParseQuery(fragment)
			must(t, err)
			if said := w.claims(got.Get("id_token")); (said["email"] != nil) != want {
				t.Errorf("%s: %v", types, said)
			}
		}
	})
}
