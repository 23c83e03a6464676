package conformance

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/go-jose/go-jose/v4"

	"idp/internal/secret"
)

// logoutModules are about signing out at a relying party's wish.
var logoutModules = []module{
	{name: "oidcc-rp-initiated-logout-discovery-endpoint-verification", do: discovered("end_session_endpoint"),
		wants: "end_session_endpoint is in the metadata"},
	{name: "oidcc-rp-initiated-logout", do: logoutGood, wants: "back with the state, and nobody is signed in any more"},
	{name: "oidcc-rp-initiated-logout-bad-post-logout-redirect-uri", do: logoutAsked(func(m *run, q url.Values) {
		q.Set("post_logout_redirect_uri", m.farewell()+"X7")
	}), wants: "an unregistered address: a question, no redirect"},
	{name: "oidcc-rp-initiated-logout-query-added-to-post-logout-redirect-uri", do: logoutAsked(func(m *run, q url.Values) {
		q.Set("post_logout_redirect_uri", m.farewell()+"?foo=bar")
	}), wants: "a query added to the address: a question, no redirect"},
	{name: "oidcc-rp-initiated-logout-bad-id-token-hint", do: logoutAsked(func(m *run, q url.Values) {
		q.Set("id_token_hint", sign(m, jose.SigningKey{Algorithm: jose.RS256, Key: ownKey(0, "first")}, "JWT", m.hintClaims(q)))
	}), wants: "a hint that somebody else signed: a question, no redirect"},
	{name: "oidcc-rp-initiated-logout-modified-id-token-hint", do: logoutAsked(func(m *run, q url.Values) {
		q.Set("id_token_hint", unsigned(m, m.hintClaims(q)))
	}), wants: "a hint without a signature: a question, no redirect"},
	{name: "oidcc-rp-initiated-logout-no-id-token-hint", do: logoutAsked(func(_ *run, q url.Values) { q.Del("id_token_hint") }),
		wants: "no hint: a question, no redirect"},
	{name: "oidcc-rp-initiated-logout-no-params", do: logoutDone(func(_ *run, q url.Values) { clear(q) }),
		wants: "no parameters: signed out after a question, and told so"},
	{name: "oidcc-rp-initiated-logout-only-state", do: logoutDone(func(_ *run, q url.Values) {
		q.Del("id_token_hint")
		q.Del("post_logout_redirect_uri")
	}), wants: "only a state: signed out after a question, and told so"},
	{name: "oidcc-rp-initiated-logout-no-post-logout-redirect-uri", do: logoutDone(func(_ *run, q url.Values) { q.Del("post_logout_redirect_uri") }),
		wants: "no address: signed out, and told so"},
	{name: "oidcc-rp-initiated-logout-no-state", do: logoutNoState, wants: "back without a state"},
}

// discovered demands members of the metadata: addresses of https, and flags that are true.
func discovered(names ...string) func(*run) {
	return func(m *run) {
		meta := m.w.discover(m.t)
		for _, name := range names {
			at, isText := meta[name].(string)
			if isText && !strings.HasPrefix(at, "https://") || !isText && meta[name] != true {
				m.Errorf("%s is %v", name, meta[name])
			}
		}
	}
}

func (m *run) farewell() string { return m.folder.url + "/post_logout_redirect" }

// signInToLeave registers a client that may end sessions and signs Jane in to it, on a
// browser of its own.
func (m *run) signInToLeave(change func(wish map[string]any)) outcome {
	m.Helper()
	m.freshBrowser()
	m.register(func(wish map[string]any) {
		wish["post_logout_redirect_uris"] = []string{m.farewell()}
		if change != nil {
			change(wish)
		}
	})
	return m.flow(m.request())
}

// leaving is the whole logout request, with a long state.
func (m *run) leaving(o outcome) url.Values {
	state := strings.Repeat("s", 128-len(secret.NewID("out"))) + secret.NewID("out")
	return url.Values{"id_token_hint": {o.raw()}, "post_logout_redirect_uri": {m.farewell()}, "state": {state}}
}

// leave opens the end_session_endpoint.
func (m *run) leave(q url.Values) {
	m.Helper()
	at := m.w.endpoint(m.t, "end_session_endpoint")
	if len(q) > 0 {
		at += "?" + q.Encode()
	}
	m.browser.open(at)
}

// hintClaims are the claims of the good hint, to be signed otherwise.
func (m *run) hintClaims(q url.Values) map[string]any {
	m.Helper()
	_, claims := m.w.verified(m.t, q.Get("id_token_hint"), "RS256")
	return claims
}

// farewells returns the requests that came back after signing out.
func (m *run) farewells() []hit { return m.folder.of("post_logout_redirect") }

// backWith demands that the browser came back with exactly these parameters.
func (m *run) backWith(q url.Values) {
	m.Helper()
	hits := m.farewells()
	if len(hits) != 1 {
		m.Fatalf("the browser came back %d times and is at %s: %.300s", len(hits), m.browser.at.url, m.browser.at.text())
	}
	want := url.Values{}
	if state := q.Get("state"); state != "" {
		want.Set("state", state)
	}
	if hits[0].query.Encode() != want.Encode() {
		m.Errorf("the browser came back with %v, not %v", hits[0].query, want)
	}
}

// gone demands that prompt=none finds nobody any more.
func (m *run) gone() {
	m.Helper()
	m.send(m.with("prompt", "none"))
	m.refused("login_required", "interaction_required", "account_selection_required", "consent_required")
}

// stillHere demands the opposite: nobody was signed out behind their back.
func (m *run) stillHere() {
	m.Helper()
	m.send(m.with("prompt", "none"))
	m.success()
}

func logoutGood(m *run) {
	q := m.leaving(m.signInToLeave(nil))
	m.leave(q)
	m.backWith(q)
	m.gone()
}

func logoutNoState(m *run) {
	q := m.leaving(m.signInToLeave(nil))
	q.Del("state")
	m.leave(q)
	m.backWith(q)
	m.gone()
}

func (m *run) nobodySentBack() {
	m.Helper()
	if hits := m.farewells(); len(hits) > 0 || !strings.HasPrefix(m.browser.at.url.String(), m.w.issuer) {
		m.Errorf("the browser was sent back: %s %+v", m.browser.at.url, hits)
	}
	if m.browser.at.doc == nil || m.browser.at.status >= 500 {
		m.Errorf("there is no page: %d %.300s", m.browser.at.status, m.browser.at.body)
	}
}

// logoutAsked sends a request that is not in order: the person is asked, and whatever they
// answer the browser stays here.
func logoutAsked(change func(*run, url.Values)) func(*run) {
	return func(m *run) {
		q := m.leaving(m.signInToLeave(nil))
		change(m, q)
		m.leave(q)
		m.nobodySentBack()
		if m.browser.at.id("logout-confirm") == nil {
			m.Fatalf("nobody was asked: %.600s", m.browser.at.text())
		}
		m.stillHere()
		m.leave(q)
		m.browser.click("logout-confirm", nil)
		m.nobodySentBack()
		m.gone()
	}
}

// logoutDone sends a request without a way back: in the end the page says so.
func logoutDone(change func(*run, url.Values)) func(*run) {
	return func(m *run) {
		q := m.leaving(m.signInToLeave(nil))
		change(m, q)
		m.leave(q)
		if m.browser.at.id("logout-confirm") != nil {
			m.stillHere()
			m.leave(q)
			m.browser.click("logout-confirm", nil)
		}
		m.nobodySentBack()
		if m.browser.at.id("logout-done") == nil {
			m.Errorf("the page does not say that it is done: %.600s", m.browser.at.text())
		}
		m.gone()
	}
}

// thirdPartyModules are about addresses at which relying parties want to be started.
var thirdPartyModules = []module{
	{name: "oidcc-3rd_party-init-login", do: thirdParty, notStatic: true, wants: "initiate_login_uri is registered, and read back"},
	{name: "oidcc-3rd_party-init-login-nohttps", do: thirdPartyPlain, notStatic: true, wants: "an initiate_login_uri without https is refused"},
}

func thirdParty(m *run) {
	at := m.folder.url + "/initiate"
	c := m.register(func(wish map[string]any) { wish["initiate_login_uri"] = at })
	res := m.w.send(m.t, http.MethodGet, c.manage, bearer(c.leave), nil)
	v := res.object(m.t)
	if res.status != http.StatusOK || v["initiate_login_uri"] != at || v["client_id"] != c.id {
		m.Errorf("reading the registration answers %d %v", res.status, v)
	}
	m.flow(m.request())
}

func thirdPartyPlain(m *run) {
	wish := m.wish()
	wish["initiate_login_uri"] = strings.Replace(m.folder.url, "https:", "http:", 1) + "/initiate"
	m.refusedRegistration(wish, "invalid_client_metadata")
}
