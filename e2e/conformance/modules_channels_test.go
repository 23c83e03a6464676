package conformance

import (
	"crypto/sha256"
	"crypto/tls"
	"encoding/hex"
	"net/http"
	"net/url"
	"strings"
)

// channelModules are about how relying parties hear that a session is over.
var channelModules = []module{
	{name: "oidcc-frontchannel-logout-discovery-endpoint-verification",
		do:    discovered("end_session_endpoint", "frontchannel_logout_supported", "frontchannel_logout_session_supported"),
		wants: "the metadata promises front-channel logout, with sessions"},
	{name: "oidcc-frontchannel-rp-initiated-logout", do: frontchannel, wants: "the party's page is loaded in a frame with iss and sid, then the browser goes back"},
	{name: "oidcc-backchannel-logout-discovery-endpoint-verification",
		do:    discovered("end_session_endpoint", "backchannel_logout_supported", "backchannel_logout_session_supported"),
		wants: "the metadata promises back-channel logout, with sessions"},
	{name: "oidcc-backchannel-rp-initiated-logout", do: backchannel, wants: "the party's server gets a logout token, and the browser goes back"},
	{name: "oidcc-session-management-discovery-endpoint-verification", do: discovered("end_session_endpoint", "check_session_iframe"),
		wants: "the metadata names the frame to watch the session with"},
	{name: "oidcc-session-management-rp-initiated-logout", do: sessionManagement,
		wants: "session_state is unchanged while signed in and changed afterwards",
		note:  "here the frame's arithmetic is done by the test, not by its script"},
}

func frontchannel(m *run) {
	o := m.signInToLeave(func(wish map[string]any) {
		wish["frontchannel_logout_uri"], wish["frontchannel_logout_session_required"] = m.folder.url+"/frontchannel_logout", true
	})
	q := m.leaving(o)
	m.leave(q)
	hits := m.folder.of("frontchannel_logout")
	if len(hits) != 1 || len(m.browser.frames) != 1 {
		m.Fatalf("the frame was loaded %d times: %s", len(hits), m.browser.frames)
	}
	want := url.Values{"iss": {m.w.issuer}, "sid": {text(o.claims()["sid"])}}
	if hits[0].query.Encode() != want.Encode() || hits[0].method != http.MethodGet {
		m.Errorf("the frame got %s %v, not %v", hits[0].method, hits[0].query, want)
	}
	m.backWith(q)
	m.gone()
}

func text(v any) string {
	s, _ := v.(string)
	return s
}

func backchannel(m *run) {
	o := m.signInToLeave(func(wish map[string]any) {
		wish["backchannel_logout_uri"], wish["backchannel_logout_session_required"] = m.folder.url+"/backchannel_logout", true
	})
	q := m.leaving(o)
	m.leave(q)
	m.backWith(q)
	h := m.folder.await(m, "backchannel_logout")
	if h.method != http.MethodPost || !strings.HasPrefix(h.kind, "application/x-www-form-urlencoded") || len(h.query) > 0 || len(h.form) != 1 {
		m.Errorf("the party got %s %q with %v %v", h.method, h.kind, h.query, h.form)
	}
	if h.tls == nil || h.tls.Version < tls.VersionTLS12 {
		m.Error("the call did not come over TLS 1.2 or later")
	}
	m.logoutToken(h.form.Get("logout_token"), o)
	m.gone()
}

// logoutToken verifies a logout token (OIDC Back-Channel Logout §2.4 and §2.6).
func (m *run) logoutToken(raw string, o outcome) {
	m.Helper()
	header, claims := m.w.verified(m.t, raw, "RS256")
	if typ := header["typ"]; typ != "logout+jwt" {
		m.Errorf("the logout token's type is %v", typ)
	}
	now := m.w.clock.Now()
	if iat := seconds(claims["iat"]); iat.After(now) || now.Sub(iat).Minutes() > 2 {
		m.Errorf("iat is %v, and it is %v", iat, now)
	}
	if exp := seconds(claims["exp"]); !exp.After(now) {
		m.Errorf("exp is %v, and it is %v", exp, now)
	}
	aud := claims["aud"]
	if list, ok := aud.([]any); ok && len(list) == 1 {
		aud = list[0]
	}
	if claims["iss"] != m.w.issuer || aud != m.client.id || text(claims["jti"]) == "" {
		m.Errorf("the logout token says %v", claims)
	}
	if claims["sub"] != nil && claims["sub"] != o.claims()["sub"] || claims["sid"] != o.claims()["sid"] || claims["nonce"] != nil {
		m.Errorf("the logout token says %v, the ID token %v", claims, o.claims())
	}
	events, _ := claims["events"].(map[string]any)
	if one, ok := events["http://schemas.openid.net/event/backchannel-logout"].(map[string]any); !ok || len(one) > 0 || len(events) != 1 {
		m.Errorf("events are %v", claims["events"])
	}
}

func sessionManagement(m *run) {
	o := m.signInToLeave(nil)
	if o.front.session == "" || strings.Contains(o.front.session, " ") {
		m.Fatalf("session_state is %q", o.front.session)
	}
	if now := m.checkSession(o.front.session); now != "unchanged" {
		m.Errorf("the session is %s before anybody left", now)
	}
	q := m.leaving(o)
	m.leave(q)
	m.backWith(q)
	if now := m.checkSession(o.front.session); now != "changed" {
		m.Errorf("the session is %s after signing out", now)
	}
}

// checkSession answers what the frame at check_session_iframe answers: it looks at the
// page that is served and at the cookie that its script would read.
func (m *run) checkSession(state string) string {
	m.Helper()
	at := m.w.endpoint(m.t, "check_session_iframe")
	frame := m.browser.fetch(http.MethodGet, at, nil)
	if frame.status != http.StatusOK || frame.header.Get("X-Frame-Options") != "" ||
		!strings.Contains(frame.header.Get("Content-Security-Policy"), "frame-ancestors *") {
		m.Fatalf("the frame cannot stand in a relying party's page: %d %v", frame.status, frame.header)
	}
	var name string
	for _, s := range frame.all("script") {
		name = attr(s, "data-cookie")
	}
	var cookie string
	for _, c := range m.browser.jar.Cookies(parse(m.t, at)) {
		if c.Name == name {
			cookie = c.Value
		}
	}
	callback := parse(m.t, m.callback())
	hash, salt, _ := strings.Cut(state, ".")
	sum := sha256.Sum256([]byte(m.client.id + " " + callback.Scheme + "://" + callback.Host + " " + cookie + " " + salt))
	if cookie != "" && hex.EncodeToString(sum[:]) == hash {
		return "unchanged"
	}
	return "changed"
}
