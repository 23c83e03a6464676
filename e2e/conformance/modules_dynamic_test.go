package conformance

import (
	"bytes"
	"image"
	"image/png"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"

	"idp/token"
)

// dynamicModules are what the Dynamic plan adds: registration, keys on both sides.
var dynamicModules = []module{
	{name: "oidcc-idtoken-rs256", do: idTokenRS256, notStatic: true, wants: "an ID token signed with RS256, as registered"},
	{name: "oidcc-userinfo-rs256", do: userinfoRS256, notStatic: true, notFor: []string{"id_token"}, wants: "userinfo signed with RS256, as registered"},
	{name: "oidcc-ensure-redirect-uri-in-authorization-request", do: noRedirect, wants: "no redirect_uri: an error page"},
	{name: "oidcc-redirect-uri-query-OK", do: redirectQuery, notStatic: true, wants: "a registered redirect URI with a query"},
	{name: "oidcc-redirect-uri-query-mismatch", do: redirectQueryMismatch, notStatic: true, wants: "another query: an error page"},
	{name: "oidcc-redirect-uri-query-added", do: redirectQueryAdded, wants: "a query added: an error page"},
	{name: "oidcc-redirect-uri-regfrag", do: redirectFragment, wants: "a redirect URI with a fragment is not registered"},
	{name: "oidcc-registration-logo-uri", do: registrationLogo, wants: "the logo is shown where the person signs in"},
	{name: "oidcc-registration-policy-uri", do: registrationLink("policy_uri"), wants: "the policy is linked where the person signs in"},
	{name: "oidcc-registration-tos-uri", do: registrationLink("tos_uri"), wants: "the terms are linked where the person signs in"},
	{name: "oidcc-registration-jwks-uri", do: registrationJWKSURI, notFor: onlyFront, notStatic: true, wants: "private_key_jwt with keys at jwks_uri"},
	{name: "oidcc-registration-sector-uri", do: sectorGood, wants: "pairwise with a sector_identifier_uri that lists the redirect URIs"},
	{name: "oidcc-registration-sector-bad", do: sectorBad, wants: "a sector_identifier_uri that lists others is refused"},
	{name: "oidcc-server-rotate-keys", do: rotateKeys, moves: true, wants: "after a rotation there is a new key, and the old one still"},
	{name: "oidcc-refresh-token-rp-key-rotation", do: partyRotation, notFor: onlyFront, notStatic: true, moves: true,
		wants: "a new key at jwks_uri is found by its kid"},
	{name: "oidcc-request-uri-unsigned", do: requestURIUnsignedOrNot, notStatic: true, wants: "an unsigned object by reference, if registered", note: unsignedNote},
	{name: "oidcc-request-uri-signed-rs256", do: requestURISigned, notStatic: true, wants: "a signed object by reference"},
	{name: "oidcc-ensure-client-assertion-with-iss-aud-succeeds", do: assertionForIssuer, wants: "a client assertion for the issuer",
		note: "nothing to do where no code is issued"},
}

func idTokenRS256(m *run) {
	m.register(func(wish map[string]any) { wish["id_token_signed_response_alg"] = "RS256" })
	o := m.flow(m.request())
	for _, header := range []map[string]any{o.front.header, o.back.header} {
		if header != nil && (header["alg"] != "RS256" || header["kid"] == "") {
			m.Errorf("the ID token's header is %v", header)
		}
	}
}

func userinfoRS256(m *run) {
	m.register(func(wish map[string]any) { wish["userinfo_signed_response_alg"] = "RS256" })
	if o := m.flow(m.request()); o.info["sub"] != o.claims()["sub"] {
		m.Errorf("userinfo is about %v", o.info["sub"])
	}
}

func noRedirect(m *run) {
	q := m.request()
	q.Del("redirect_uri")
	m.send(q)
	m.errorPage("redirect_uri_mismatch")
}

func redirectQuery(m *run) {
	m.register(func(wish map[string]any) { wish["redirect_uris"] = []string{m.callback() + "?foo=bar"} })
	m.flow(m.request())
}

func redirectQueryMismatch(m *run) {
	m.register(func(wish map[string]any) { wish["redirect_uris"] = []string{m.callback() + "?foo=bar"} })
	m.send(m.with("redirect_uri", m.callback()+"?bar=foo"))
	m.errorPage("redirect_uri_mismatch")
}

func redirectQueryAdded(m *run) {
	m.send(m.with("redirect_uri", m.callback()+"?foo=bar"))
	m.errorPage("redirect_uri_mismatch")
}

func redirectFragment(m *run) {
	wish := m.wish()
	wish["redirect_uris"] = []string{m.callback() + "#foobar"}
	m.refusedRegistration(wish, "invalid_redirect_uri", "invalid_client_metadata")
}

// signInPage opens a request on a browser where nobody is signed in, and stops there.
func (m *run) signInPage() {
	m.Helper()
	m.freshBrowser()
	m.browser.open(m.w.endpoint(m.t, "authorization_endpoint") + "?" + m.request().Encode())
	if m.browser.at.id("login-identifier") == nil {
		m.Fatalf("no page to sign in on: %.600s", m.browser.at.text())
	}
}

func registrationLogo(m *run) {
	var picture bytes.Buffer
	must(m, png.Encode(&picture, image.NewGray(image.Rect(0, 0, 48, 48))))
	at := m.folder.publish("logo.png", "image/png", picture.String())
	m.register(func(wish map[string]any) { wish["logo_uri"] = at })
	m.signInPage()
	for _, img := range m.browser.at.all("img") {
		shown := m.browser.fetch(http.MethodGet, m.browser.at.url.ResolveReference(parse(m.t, attr(img, "src"))).String(), nil)
		_, kind, err := image.Decode(strings.NewReader(shown.body))
		if shown.status == http.StatusOK && err == nil && "image/"+kind == shown.header.Get("Content-Type") && len(m.folder.of("logo.png")) > 0 {
			return
		}
	}
	m.Errorf("the logo is not on the page: %.900s", m.browser.at.body)
}

func registrationLink(field string) func(*run) {
	return func(m *run) {
		at := m.folder.url + "/" + field
		m.register(func(wish map[string]any) { wish[field] = at })
		m.signInPage()
		for _, a := range m.browser.at.all("a") {
			if attr(a, "href") == at {
				return
			}
		}
		m.Errorf("%s is not linked: %.600s", at, m.browser.at.text())
	}
}

// keysElsewhere registers a client whose keys stand at its jwks_uri.
func (m *run) keysElsewhere(grants ...string) {
	m.Helper()
	at := m.folder.publishJSON(m.t, "jwks", publicSet(ownKey(0, "first")))
	m.register(func(wish map[string]any) {
		delete(wish, "jwks")
		wish["jwks_uri"] = at
		own, _ := wish["grant_types"].([]string)
		wish["grant_types"] = append(own, grants...)
	})
}

func registrationJWKSURI(m *run) {
	m.keysElsewhere()
	m.flow(m.request())
	if len(m.folder.of("jwks")) == 0 {
		m.Error("nobody fetched the keys")
	}
}

func sectorGood(m *run) {
	at := m.folder.publishJSON(m.t, "sector", []string{m.callback()})
	m.register(func(wish map[string]any) { wish["subject_type"], wish["sector_identifier_uri"] = "pairwise", at })
	sub := m.flow(m.request()).claims()["sub"]
	m.register(nil)
	if sub == m.flow(m.request()).claims()["sub"] {
		m.Error("a pairwise name is the public one")
	}
}

func sectorBad(m *run) {
	if !m.w.lists("subject_types_supported", "pairwise") {
		m.Error("pairwise is not on offer")
	}
	at := m.folder.publishJSON(m.t, "sector", []string{m.callback() + "X7"})
	wish := m.wish()
	wish["subject_type"], wish["sector_identifier_uri"] = "pairwise", at
	m.refusedRegistration(wish, "invalid_client_metadata")
	if len(m.folder.of("sector")) == 0 {
		m.Error("nobody fetched the document")
	}
}

func rotateKeys(m *run) {
	before := m.w.jwks(m.t)
	must(m, m.w.rooms.Keys.Rotate(m.t.Context(), token.OIDC, true, "operator:test"))
	after := m.w.jwks(m.t)
	kids := func(set jose.JSONWebKeySet) (all []string) {
		for _, k := range set.Keys {
			all = append(all, k.KeyID)
		}
		return all
	}
	old, now := kids(before), kids(after)
	fresh := slices.DeleteFunc(slices.Clone(now), func(kid string) bool { return slices.Contains(old, kid) })
	if len(fresh) == 0 {
		m.Errorf("there is no new key: %s, before %s", now, old)
	}
	for _, kid := range old {
		if !slices.Contains(now, kid) {
			m.Errorf("the key %s went at once, although tokens are out that it signed", kid)
		}
	}
}

func partyRotation(m *run) {
	m.keysElsewhere("refresh_token")
	o := m.flow(m.with("scope", "openid offline_access", "prompt", "consent"))
	m.client.key = ownKey(1, "second")
	m.folder.publishJSON(m.t, "jwks", publicSet(m.client.key))
	m.w.clock.Add(61 * time.Second) // nobody is asked for keys more than once a minute
	next := m.refreshed(o)
	m.userinfo(next.access)
	if n := len(m.folder.of("jwks")); n != 2 {
		m.Errorf("the keys were fetched %d times, not twice", n)
	}
}

// signed signs claims with the client's key.
func (m *run) signed(claims map[string]any) string {
	m.Helper()
	return sign(m, jose.SigningKey{Algorithm: jose.RS256, Key: m.client.key}, "", claims)
}

func requestURISigned(m *run) {
	if !slices.Contains(m.w.signedAlgorithms(), "RS256") {
		m.Error("RS256 is not on offer for request objects")
	}
	m.register(func(wish map[string]any) {
		wish["request_object_signing_alg"], wish["request_uris"] = "RS256", []string{m.folder.url + "/object"}
	})
	q := m.request()
	m.send(m.signedByReference(q))
	m.complete()
	if len(m.folder.of("object")) == 0 {
		m.Error("nobody fetched the request object")
	}
}

func assertionForIssuer(m *run) {
	m.send(m.request())
	g := m.success()
	if !m.v.code() {
		return
	}
	form := url.Values{"grant_type": {"authorization_code"}, "code": {g.code}, "redirect_uri": {m.client.redirect}}
	m.client.assert(m, form, m.w.issuer)
	m.tokens(m.w.send(m.t, http.MethodPost, m.w.endpoint(m.t, "token_endpoint"), nil, form))
}
