package admin_test

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"idp/event"
	"idp/federation"
	"idp/identity"
	"idp/internal/secret"
)

func TestAnOperatorAddsAKnownProviderOnPages(t *testing.T) {
	offices(t, func(o *office) {
		b, op := o.signedIn("op@example.com", true)
		b.Get("/operator/connections").Want(200, "No connections yet")
		b.Get("/operator/connections/new").Want(200, `href="/operator/connections/new?preset=google"`, `href="/operator/connections/new?type=saml"`)
		b.Get("/operator/connections/new?preset=google").Want(200, "https://id.example/federation/google/callback", "console.cloud.google.com").WantNot("token_endpoint", "metadata_url")
		if len(o.ways.Federation.All()) != 0 {
			t.Fatal("looking at the form made a connection")
		}
		b.Post("/operator/connections", "preset", "google", "type", "oidc", "name", "google", "client_id", "", "client_secret", "hush-hush", "domains", "acme.com\nacme.org", "claims", "").
			Want(422, `id="client-id-error"`, "acme.org").WantNot("hush-hush")
		b.Post("/operator/connections", "preset", "google", "type", "oidc", "name", "google", "client_id", "id-1", "client_secret", "hush-hush", "domains", "acme.com\nacme.org",
			"options.domain", "acme.com", "trust.email", "domains", "trust.mfa", "yes", "hidden", "yes", "scopes", "openid email").Follow().
			Want(200, "The connection is there", "Leave this empty to keep it", "https://id.example/federation/google/callback").WantNot("hush-hush")
		x := o.ways.Federation.All()[0]
		if x.ClientSecret.Reveal() != "hush-hush" || x.Options["domain"] != "acme.com" || x.Trust != (federation.Trust{Email: "domains", MFA: true}) || !x.Hidden || x.Enforce || len(x.Domains) != 2 || len(x.Scopes) != 2 || x.Type != federation.OIDC {
			t.Fatalf("%+v", x)
		}
		if made := o.happened(t, "connection.created"); len(made) != 1 || made[0].Actor != string(op.ID) {
			t.Errorf("%+v", made)
		}
		b.Get("/operator/connections").Want(200, `href="/operator/connections/google"`, "0 linked accounts", "No button").WantNot("hush-hush")
		b.Get("/operator/connections/new?preset=google").Want(200, "https://id.example/federation/google-2/callback")
		b.Get("/operator/connections/new?preset=google&name=google").Want(409, `id="connection-name-error"`, "of that name already")
		b.Get("/operator/connections/new?preset=google&name=A+b").Want(422, `id="connection-name-error"`, `value="A b"`)
		b.Get("/operator/connections/new?preset=google&name=team").Want(200, "/federation/team/callback")
		b.Get("/operator/connections/new?preset=nobody").Want(200, `id="choose-google"`)
		b.Get("/operator/connections/none").Want(404)
	})
}

func TestAnOperatorChangesAConnectionOnPages(t *testing.T) {
	offices(t, func(o *office) {
		b, _ := o.signedIn("op@example.com", true)
		x := upstream("acme", "acme.com")
		x.Options = map[string]string{"pkce": "no"}
		_, err := o.ways.Create(o.Context(), x, "system")
		o.must(err)
		path, look := "/operator/connections/acme", func() federation.Connection { return o.ways.Federation.All()[0] }
		same := []string{"issuer", x.Issuer, "client_id", "id", "domains", "acme.com"}
		b.Get(path).Want(200, "login.acme.com").WantNot("s3cret")
		version := strconv.Itoa(look().Version)
		b.Want(200, `name="version" value="`+version+`"`)
		b.Post(path, append(same, "title", "Acme", "version", version, "claims", "email = mail\nusername=upn")...).Follow().Want(200, "Saved.", "email = mail")
		if now := look(); now.Title != "Acme" || now.ClientSecret.Reveal() != "s3cret-acme" || now.Options["pkce"] != "no" || now.Claims["username"] != "upn" {
			t.Errorf("%+v", now)
		}
		b.Post(path, append(same, "title", "Other", "version", version)...).Want(409, "Somebody else changed this connection")
		b.Post(path, append(same, "claims", "mail")...).Want(422, `id="claims-error"`)
		b.Post(path, append(same, "claims", "admin = x")...).Want(422, `id="claims-error"`)
		b.Post(path, "issuer", "https://evil.example", "client_id", "id").Want(422, `id="client-secret-error"`)
		b.Post(path, "issuer", "https://new.example", "client_id", "id", "client_secret", "n3w").Follow().Want(200, "Saved.")
		if now := look(); now.ClientSecret.Reveal() != "n3w" || now.Issuer != "https://new.example" || len(now.Domains) != 0 || now.Title != "" {
			t.Errorf("%+v", now)
		}

		b.Get(path).Post(path+"/json", "json", `{"name": "acme", "issuer": "https://new.example", "client_id": "id", "hidden": true}`).Follow().Want(200, "Saved.")
		if now := look(); !now.Hidden || now.ClientSecret.Reveal() != "n3w" || len(now.Options) != 0 {
			t.Errorf("%+v", now)
		}
		b.Get(path).Post(path+"/json", "json", `{"nmae": "acme"}`).Want(422, `id="connection-json-error"`, "nmae", "{&#34;nmae")
		b.Post(path+"/json", "json", `{"name": "other"}`).Want(422, "name: The name of a connection never changes")

		b.Get(path).Want(200, `id="connection-test"`)
		b.Post(path, "issuer", "https://[::1]:1", "client_id", "id", "client_secret", "n3w").Follow().Want(200)
		b.Post(path+"/test").Want(200, `data-result="problem"`, "cannot be read").WantNot("n3w")
		b.Post(path, "issuer", "https://new.example", "client_id", "id", "client_secret", "n3w").Follow().Want(200)

		b.Get(path).Post(path+"/turn", "turn", "off").Follow().Want(200, "Disabled")
		b.Post(path, "issuer", "https://new.example", "client_id", "id", "title", "Acme").Follow().Want(200)
		if now := look(); !now.Disabled || now.Title != "Acme" {
			t.Errorf("saving switched it on: %+v", now)
		}
		b.Post(path+"/turn", "turn", "on").Follow().Want(200)
		if look().Disabled {
			t.Error("it is still off")
		}
	})
}

func TestAnOperatorHasToInsistOnTakingAwayAnOnlyWayIn(t *testing.T) {
	offices(t, func(o *office) {
		b, op := o.signedIn("op@example.com", true)
		_, err := o.ways.Create(o.Context(), upstream("acme"), "system")
		o.must(err)
		alone := identity.User{ID: identity.UserID(secret.NewID("user")), Status: identity.Active, CreatedAt: o.clock.Now(), UpdatedAt: o.clock.Now()}
		o.must(o.people.SaveUser(o.Context(), alone))
		o.linkTo(o.T, alone, "oauth_acme")
		o.linkTo(o.T, op, "oauth_acme")
		path := "/operator/connections/acme"
		b.Get(path).Want(200, "2 linked accounts", "1 person has no other way in", `name="force"`)
		b.Post(path+"/delete").Want(409, "Without it 1 person could not sign in any more")
		if len(o.ways.Federation.All()) != 1 || len(o.factors(o.T, alone)) != 1 {
			t.Fatal("it is gone without insisting")
		}
		b.Post(path+"/delete", "force", "yes").Follow().Want(200, "The connection is deleted", "No connections yet")
		if got := strings.Join(o.factors(o.T, op), " "); got != "password" {
			t.Errorf("the operator has %s", got)
		}
	})
}

func TestASAMLConnectionIsMadeOnPages(t *testing.T) {
	offices(t, func(o *office) {
		b, _ := o.signedIn("op@example.com", true)
		b.Get("/operator/connections/new?type=saml").Want(200, `id="connection-name"`).WantNot(`id="metadata-url"`)
		b.Get("/operator/connections/new?type=saml&name=acme").Want(200, "https://id.example/federation/acme/metadata", "https://id.example/federation/acme/acs", `id="metadata-url"`).
			WantNot(`id="client-id"`, `value="claim"`)
		b.Post("/operator/connections", "type", "saml", "name", "acme").Want(422, `id="metadata-url-error"`)
		b.Post("/operator/connections", "type", "saml", "name", "acme", "metadata_url", "https://login.acme.com/metadata", "domains", "acme.com", "enforce_sso", "yes", "idp_initiated", "yes").
			Follow().Want(200, "The connection is there")
		if x := o.ways.Federation.All()[0]; x.Type != federation.SAML || !x.Enforce || !x.IDPInitiated || x.MetadataURL == "" {
			t.Errorf("%+v", x)
		}
	})
}

func TestOnlyOperatorsFindConnections(t *testing.T) {
	offices(t, func(o *office) {
		_, err := o.ways.Create(o.Context(), upstream("acme"), "system")
		o.must(err)
		b, _ := o.signedIn("somebody@example.com", false)
		for _, path := range []string{"/operator/connections", "/operator/connections/new", "/operator/connections/acme"} {
			b.Get(path).Want(404)
		}
		b.Get("/form")
		for _, path := range []string{"", "/json", "/test", "/turn", "/delete"} {
			b.Post("/operator/connections/acme"+path, "turn", "off", "force", "yes").Want(404)
		}
		b.Post("/operator/connections", "type", "saml", "name", "mine", "metadata_url", "https://evil.example/m").Want(404)
		if all := o.ways.Federation.All(); len(all) != 1 || all[0].Disabled {
			t.Errorf("%+v", all)
		}
	})
}

func TestTheLastRefusalsOfAConnectionAreOnItsPage(t *testing.T) {
	offices(t, func(o *office) {
		b, _ := o.signedIn("op@example.com", true)
		for _, name := range []string{"acme", "other"} {
			_, err := o.ways.Create(o.Context(), upstream(name), "system")
			o.must(err)
			for n := range 7 {
				o.must(o.events.Record(o.Context(), event.Event{Kind: event.ConnectionRefused, Actor: "system", At: o.clock.Now().Add(time.Duration(n) * time.Minute),
					Detail: map[string]string{"connection": name, "why": fmt.Sprintf("<b>%s no. %d</b>", name, n)}}))
			}
		}
		b.Get("/operator/connections/acme").Want(200, `id="refusals"`, "&lt;b&gt;acme no. 6", "acme no. 2").WantNot("acme no. 1", "other no.", "<b>")
		_, err := o.ways.Create(o.Context(), upstream("fresh"), "system")
		o.must(err)
		b.Get("/operator/connections/fresh").Want(200).WantNot(`id="refusals"`)
	})
}
