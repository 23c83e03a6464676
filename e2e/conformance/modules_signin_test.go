package conformance

import (
	"slices"
	"strings"
	"time"
)

// signInModules are about whether and how the person is asked.
var signInModules = []module{
	{name: "oidcc-display-page", do: display("page"), wants: "display=page is no obstacle"},
	{name: "oidcc-display-popup", do: display("popup"), wants: "display=popup is no obstacle"},
	{name: "oidcc-prompt-login", do: promptLogin, moves: true, wants: "prompt=login asks again, and auth_time tells"},
	{name: "oidcc-prompt-none-not-logged-in", do: promptNoneNobody, wants: "prompt=none and nobody there: login_required"},
	{name: "oidcc-prompt-none-logged-in", do: promptNoneSomebody, wants: "prompt=none and somebody there: no question, same sub and auth_time"},
	{name: "oidcc-max-age-1", do: maxAge1, moves: true, wants: "max_age=1 asks again after a second, and auth_time tells"},
	{name: "oidcc-max-age-10000", do: maxAge10000, moves: true, wants: "max_age=10000 asks nobody again, and auth_time is there"},
	{name: "oidcc-id-token-hint", do: idTokenHint, wants: "prompt=none with an id_token_hint of the one who is signed in"},
	{name: "oidcc-login-hint", do: loginHint, wants: "login_hint is no obstacle; the address is filled in"},
	{name: "oidcc-ui-locales", do: locales("ui_locales"), wants: "ui_locales is no obstacle"},
	{name: "oidcc-claims-locales", do: locales("claims_locales"), wants: "claims_locales is no obstacle"},
	{name: "oidcc-ensure-request-with-acr-values-succeeds", do: acrValues, wants: "acr_values is no obstacle, and acr is one of them"},
}

func display(how string) func(*run) {
	return func(m *run) {
		m.freshBrowser()
		m.flow(m.with("display", how))
	}
}

// firstThen runs one flow on a browser of its own, lets time pass, and sends the next request.
func firstThen(m *run, passes time.Duration, first []string, next ...string) (one outcome, seen int) {
	m.Helper()
	m.freshBrowser()
	one = m.flow(m.with(first...))
	m.w.clock.Add(passes)
	seen = len(m.browser.visited)
	m.send(m.with(next...))
	return one, seen
}

func promptLogin(m *run) {
	one, seen := firstThen(m, 2*time.Second, nil, "prompt", "login")
	two := m.complete()
	if !m.browser.saw(seen, "/sign-in") {
		m.Errorf("nobody was asked to sign in again: %s", m.browser.visited[seen:])
	}
	m.laterProof(one, two)
}

// laterProof demands the same person, proven anew.
func (m *run) laterProof(one, two outcome) {
	m.Helper()
	m.samePerson(one, two)
	before, after := one.claims()["auth_time"], two.claims()["auth_time"]
	if after == nil || !seconds(after).After(seconds(before)) {
		m.Errorf("auth_time was %v and is %v", before, after)
	}
}

func (m *run) samePerson(one, two outcome) {
	m.Helper()
	if one.claims()["sub"] != two.claims()["sub"] {
		m.Errorf("sub was %v and is %v", one.claims()["sub"], two.claims()["sub"])
	}
}

func promptNoneNobody(m *run) {
	m.freshBrowser()
	m.send(m.with("prompt", "none"))
	m.refused("login_required", "interaction_required", "account_selection_required", "consent_required")
	if m.browser.saw(0, "/sign-in") {
		m.Error("somebody was asked although prompt=none")
	}
}

func promptNoneSomebody(m *run) {
	one := m.flow(m.request())
	m.silently(one, m.with("prompt", "none"))
}

// silently demands that the request goes through without any page, for the same person.
func (m *run) silently(one outcome, q map[string][]string) {
	m.Helper()
	seen := len(m.browser.visited)
	m.send(q)
	two := m.complete()
	for _, at := range m.browser.visited[seen:] {
		if strings.HasPrefix(at, m.w.issuer+"/sign-in") || strings.HasPrefix(at, m.w.issuer+"/consent") {
			m.Errorf("somebody was asked: %s", at)
		}
	}
	m.samePerson(one, two)
	if one.claims()["auth_time"] != two.claims()["auth_time"] {
		m.Errorf("auth_time was %v and is %v", one.claims()["auth_time"], two.claims()["auth_time"])
	}
}

func maxAge1(m *run) {
	one, seen := firstThen(m, 3*time.Second, nil, "max_age", "1")
	two := m.complete()
	if !m.browser.saw(seen, "/sign-in") {
		m.Errorf("nobody was asked to sign in again: %s", m.browser.visited[seen:])
	}
	m.laterProof(one, two)
}

func maxAge10000(m *run) {
	one, seen := firstThen(m, 3*time.Second, []string{"max_age", "15000"}, "max_age", "10000")
	two := m.complete()
	if m.browser.saw(seen, "/sign-in") {
		m.Errorf("somebody was asked to sign in again: %s", m.browser.visited[seen:])
	}
	m.samePerson(one, two)
	if at := two.claims()["auth_time"]; at == nil || at != one.claims()["auth_time"] {
		m.Errorf("auth_time was %v and is %v", one.claims()["auth_time"], at)
	}
}

func idTokenHint(m *run) {
	one := m.flow(m.request())
	m.silently(one, m.with("prompt", "none", "id_token_hint", one.raw()))
}

func loginHint(m *run) {
	m.freshBrowser()
	m.browser.open(m.w.endpoint(m.t, "authorization_endpoint") + "?" + m.with("login_hint", address).Encode())
	if input := m.browser.at.id("login-identifier"); input == nil || attr(input, "value") != address {
		m.Errorf("the hint is not filled in: %.300s", m.browser.at.text())
	}
	m.goOn()
	m.complete()
}

func locales(parameter string) func(*run) {
	return func(m *run) {
		m.freshBrowser()
		m.flow(m.with(parameter, "se de-DE en"))
	}
}

func acrValues(m *run) {
	var offered []string
	all, _ := m.w.meta["acr_values_supported"].([]any)
	for _, v := range all {
		offered = append(offered, v.(string))
	}
	if len(offered) == 0 {
		offered = []string{"1", "2"}
	}
	o := m.flow(m.with("acr_values", strings.Join(offered, " ")))
	if acr, _ := o.claims()["acr"].(string); !slices.Contains(offered, acr) {
		m.Errorf("acr is %v, not one of %s", o.claims()["acr"], offered)
	}
}
