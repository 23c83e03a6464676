package conformance

import (
	"net/http"
	"net/url"
	"slices"
)

// coreModules are plain flows and what every response type has to refuse.
var coreModules = []module{
	{name: "oidcc-server", do: happyFlow, wants: "a plain flow; nothing in the ID token that nobody asked for"},
	{name: "oidcc-server-client-secret-post", do: happyFlow, wants: "the same with client_secret_post"},
	{name: "oidcc-response-type-missing", do: responseTypeMissing, wants: "no response_type: unsupported_response_type or invalid_request"},
	{name: "oidcc-idtoken-signature", do: idTokenSignature, notStatic: true, wants: "without a registered algorithm: RS256 and a kid"},
	{name: "oidcc-idtoken-unsigned", do: idTokenUnsigned, notStatic: true,
		notFor: []string{"code id_token", "code id_token token", "id_token", "id_token token"},
		wants:  "alg none is neither offered nor registered",
		note:   "skipped by the suite, because the metadata does not offer none"},
	{name: "oidcc-userinfo-get", do: userinfoGet, wants: "userinfo by GET"},
	{name: "oidcc-userinfo-post-header", do: userinfoPostHeader, wants: "userinfo by POST, token in the header"},
	{name: "oidcc-userinfo-post-body", do: userinfoPostBody, wants: "userinfo by POST, token in the form"},
	{name: "oidcc-ensure-request-without-nonce-succeeds-for-code-flow", do: withoutNonceGood, wants: "no nonce is needed where no ID token comes in front"},
	{name: "oidcc-ensure-request-without-nonce-fails", do: withoutNonceBad, notFor: []string{"code", "code token"},
		wants: "no nonce is invalid_request where an ID token comes in front"},
	{name: "oidcc-ensure-other-scope-order-succeeds", do: otherScopeOrder, wants: "openid need not be the first scope"},
	{name: "oidcc-ensure-request-with-unknown-parameter-succeeds", do: unknownParameter, wants: "unknown parameters are ignored"},
	{name: "oidcc-ensure-registered-redirect-uri", do: registeredRedirect, wants: "another redirect URI: an error page, no redirect"},
	{name: "oidcc-ensure-post-request-succeeds", do: postRequest, wants: "an authorization request by POST"},
	{name: "oidcc-discovery-endpoint-verification", do: discovery, wants: "metadata is whole and https, keys are public and distinct"},
}

// plainClaims are what an ID token may say unasked.
var plainClaims = []string{"iss", "sub", "aud", "azp", "exp", "iat", "auth_time", "nonce", "acr", "amr", "at_hash", "c_hash", "sid", "jti"}

func happyFlow(m *run) {
	m.freshBrowser()
	o := m.flow(m.request())
	for _, claims := range []map[string]any{o.front.claims, o.back.claims} {
		for name := range claims {
			if !slices.Contains(plainClaims, name) {
				m.Errorf("the ID token says %s = %v, which nobody asked for", name, claims[name])
			}
		}
	}
	if o.front.code != "" {
		again := m.flow(m.request())
		if again.front.code == o.front.code {
			m.Error("two requests got the same code")
		}
	}
}

func responseTypeMissing(m *run) {
	q := m.request()
	q.Del("response_type")
	m.send(q)
	m.v.response = "code" // without one the error comes in the query, unless a response mode says otherwise
	m.refused("unsupported_response_type", "invalid_request")
}

func idTokenSignature(m *run) {
	o := m.flow(m.request())
	for _, header := range []map[string]any{o.front.header, o.back.header} {
		if header != nil && (header["alg"] != "RS256" || header["kid"] == "") {
			m.Errorf("the ID token's header is %v", header)
		}
	}
}

func idTokenUnsigned(m *run) {
	if m.w.lists("id_token_signing_alg_values_supported", "none") {
		m.Error("unsigned ID tokens are on offer")
	}
	wish := m.wish()
	wish["id_token_signed_response_alg"] = "none"
	m.refusedRegistration(wish, "invalid_client_metadata")
}

func userinfoGet(m *run) {
	o := m.flow(m.request())
	if o.info["sub"] != o.claims()["sub"] {
		m.Errorf("userinfo is about %v", o.info["sub"])
	}
}

func userinfoPostHeader(m *run) {
	o := m.flow(m.request())
	at := m.w.endpoint(m.t, "userinfo_endpoint")
	info := m.claimsOf(m.w.send(m.t, http.MethodPost, at, bearer(o.access()), nil))
	if info["sub"] != o.claims()["sub"] {
		m.Errorf("userinfo is about %v", info["sub"])
	}
}

func userinfoPostBody(m *run) {
	o := m.flow(m.request())
	at := m.w.endpoint(m.t, "userinfo_endpoint")
	info := m.claimsOf(m.w.send(m.t, http.MethodPost, at, nil, url.Values{"access_token": {o.access()}}))
	if info["sub"] != o.claims()["sub"] {
		m.Errorf("userinfo is about %v", info["sub"])
	}
}

func withoutNonceGood(m *run) {
	q := m.request()
	q.Del("nonce")
	m.nonce = ""
	m.flow(q)
}

func withoutNonceBad(m *run) {
	q := m.request()
	q.Del("nonce")
	m.send(q)
	m.refused("invalid_request")
}

func otherScopeOrder(m *run) { m.flow(m.with("scope", "email openid")) }

func unknownParameter(m *run) { m.flow(m.with("extra", "foobar")) }

func registeredRedirect(m *run) {
	m.freshBrowser() // a person who is signed in would be the better prey, a stranger sees the same
	m.send(m.with("redirect_uri", m.callback()+"X7"))
	m.errorPage("redirect_uri_mismatch")
	m.browser = m.w.browserOfJane(m.t)
	m.send(m.with("redirect_uri", m.callback()+"X7"))
	m.errorPage("redirect_uri_mismatch")
}

func postRequest(m *run) {
	m.browser.open(m.folder.url + "/start") // the form stands on the relying party's page
	m.browser.load(http.MethodPost, m.w.endpoint(m.t, "authorization_endpoint"), m.request())
	m.goOn()
	m.complete()
}
