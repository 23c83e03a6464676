package web_test

import (
	"strings"
	"testing"

	"idp/internal/web"
)

func TestPeopleAreSentBackToOurPathsAndListedOriginsOnly(t *testing.T) {
	p := &web.Pages{Origin: issuer, Base: "/auth", Listed: func(o string) bool { return o == friend || o == "http://localhost:5173" }}
	for to, want := range map[string]string{
		"/auth/account":          issuer + "/auth/account",
		"/shop?a=1#b":            issuer + "/shop?a=1#b",
		issuer:                   issuer,
		issuer + "/auth/account": issuer + "/auth/account",
		friend:                   friend,
		friend + "/":             friend + "/",
		friend + "?a=//b":        friend + "?a=//b",
		friend + "/#/hash/route": friend + "/#/hash/route",
		"http://localhost:5173/": "http://localhost:5173/",
	} {
		if got := p.Returnable(to); got != want {
			t.Errorf("%s becomes %q", to, got)
		}
		if p.Returnable(want) != want {
			t.Errorf("%s does not stay", want)
		}
	}
	for to, why := range map[string]string{
		"": "nowhere", "//evil.example": "a URL without its scheme", `/\evil.example`: "a backslash that browsers turn", "/%09/evil.example": "an encoded tab",
		"/\t/evil.example": "a tab that browsers drop", "https:evil.example": "no slashes", "https:/evil.example": "one slash", "/x/..//evil.example": "a way up",
		"@evil.example": "behind the host", ":8443": "behind the host", "javascript:alert(1)": "a script", "data:text/html,x": "data", "evil.example": "relative",
		"https://evil.example": "listed nowhere", "https://app.friend.example.evil.example/": "a listed one as prefix", "https://app.friend.example@evil.example/": "a user that looks listed",
		"https://a@app.friend.example/": "a user", "https://a:b@app.friend.example/": "a user", "https://app.friend.example:443/": "the default port", "https://app.friend.example:8443/": "another port",
		"https://APP.friend.example/": "upper case", "HTTPS://app.friend.example/": "upper case", "http://app.friend.example/": "the plain twin", "https://app.friend.example./": "another name",
		`https://app.friend.example\@evil.example/`: "a backslash", "https://app.friend.example%2eevil.example/": "an encoded dot", "https://app.friend.example/\nx": "a line feed", "https://app.friend.example/?a=\\b": "a backslash in the query", "https://app.friend.example/a b": "a space inside",
		" https://app.friend.example/": "a space", "https:///app.friend.example/": "three slashes", friend + "/" + strings.Repeat("x", 2048): "endless",
		"blob:https://app.friend.example/x": "a blob", "ftp://app.friend.example/": "not the web", "http://localhost:5173@evil.example/": "a listed one as user",
	} {
		if got := p.Returnable(to); got != "" {
			t.Errorf("%q (%s) becomes %q", to, why, got)
		}
	}
	if (&web.Pages{Origin: issuer}).Returnable(friend+"/") != "" {
		t.Error("without a list, others are listed")
	}
}
