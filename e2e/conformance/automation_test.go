package conformance

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
)

// The suite's configuration: what it must know of idp, and what its browser is to do on
// idp's pages. The files in the folder suite are written from this (-update).

const (
	suiteIssuer = "https://localhost:9443"
	callbackAt  = "*/test/*/callback*" // the suite's pages, with or without an alias
	farewellAt  = "*/test/*/post_logout_redirect*"
)

// settings is one configuration file of the suite.
type settings struct {
	Alias       string              `json:"alias,omitempty"`
	Description string              `json:"description"`
	Server      map[string]string   `json:"server"`
	Client      map[string]string   `json:"client"`
	Client2     map[string]string   `json:"client2"`
	ClientPost  map[string]string   `json:"client_secret_post,omitempty"`
	Browser     []visit             `json:"browser"`
	Override    map[string]override `json:"override"`
}

type override struct {
	Browser []visit `json:"browser"`
}

// visit is what the suite's browser does after it was sent to an address that matches.
type visit struct {
	Comment string `json:"comment,omitempty"`
	Match   string `json:"match"`
	Tasks   []task `json:"tasks"`
}

type task struct {
	Task     string  `json:"task"`
	Match    string  `json:"match"`
	Optional bool    `json:"optional,omitempty"`
	Commands [][]any `json:"commands,omitempty"`
}

// The words on idp's pages that the suite takes for a screenshot.
const (
	wordsSignIn    = "Sign in"
	wordsBadURI    = "is not one that it registered"
	wordsAsked     = "Sign out\\?"
	wordsSignedOut = "You are signed out"
)

func shown(words, placeholder string) []any {
	return []any{"wait", "xpath", "//*", 10, words, placeholder}
}

// signingIn is the way through the authorization endpoint; first happens before the form.
func signingIn(first ...[]any) visit {
	return visit{Match: suiteIssuer + "/oauth2/authorize*", Tasks: []task{
		{Task: "Sign in", Match: suiteIssuer + "/sign-in*", Optional: true, Commands: append(first,
			[]any{"text", "id", "login-identifier", address, "optional"},
			[]any{"text", "id", "login-password", password, "optional"},
			[]any{"click", "id", "login-submit"})},
		{Task: "Agree", Match: suiteIssuer + "/consent*", Optional: true, Commands: [][]any{{"click", "id", "consent-allow"}}},
		{Task: "Be back", Match: callbackAt, Commands: [][]any{{"wait", "id", "submission_complete", 10}}},
	}}
}

// stopping ends on a page of idp's, which the suite takes for a screenshot.
func stopping(comment, at, words string) override {
	return override{[]visit{{Comment: comment, Match: suiteIssuer + "/oauth2/authorize*", Tasks: []task{
		{Task: "See the page", Match: suiteIssuer + at, Commands: [][]any{shown(words, "update-image-placeholder")}},
	}}}}
}

// signingOut is the way through the end_session_endpoint and back.
func signingOut() visit {
	return visit{Match: suiteIssuer + "/oauth2/logout*", Tasks: []task{
		{Task: "Agree to sign out", Match: suiteIssuer + "/oauth2/logout?*", Optional: true, Commands: [][]any{{"click", "id", "logout-confirm", "optional"}}},
		{Task: "Let apps be told", Match: suiteIssuer + "/oauth2/logout/apps*", Optional: true, Commands: [][]any{{"wait", "contains", "/post_logout_redirect", 15}}},
		{Task: "Be back", Match: farewellAt},
	}}
}

// staying signs in and then ends on a page about signing out.
func staying(comment string, tasks ...task) override {
	return override{[]visit{signingIn(), {Comment: comment, Match: suiteIssuer + "/oauth2/logout*", Tasks: tasks}}}
}

var (
	asked = task{Task: "See the question", Match: suiteIssuer + "/oauth2/logout*", Commands: [][]any{shown(wordsAsked, "update-image-placeholder")}}
	agree = task{Task: "Agree to sign out", Match: suiteIssuer + "/oauth2/logout*", Commands: [][]any{{"click", "id", "logout-confirm", "optional"}}}
	done  = task{Task: "See that it is done", Match: suiteIssuer + "/oauth2/logout/done*", Commands: [][]any{shown(wordsSignedOut, "update-image-placeholder")}}
)

// suiteSettings are the files by name.
func suiteSettings() map[string]settings {
	again := override{[]visit{signingIn(shown(wordsSignIn, "update-image-placeholder-optional"))}}
	refusal := stopping("an error page at once", "/oauth2/authorize*", wordsBadURI)
	common := settings{
		Description: "idp", Server: map[string]string{"discoveryUrl": suiteIssuer + "/.well-known/openid-configuration"},
		Browser: []visit{signingIn(), signingOut(), {Comment: "session management: the suite's own page, whose frames ask ours",
			Match: "*/test/*session_verify", Tasks: []task{{Task: "Let the frames talk", Match: "*", Commands: [][]any{{"wait", "contains", "session_result", 30}}}}}},
		Override: map[string]override{
			"oidcc-prompt-login": again, "oidcc-max-age-1": again,
			"oidcc-ensure-registered-redirect-uri": refusal, "oidcc-ensure-redirect-uri-in-authorization-request": refusal,
			"oidcc-redirect-uri-query-mismatch": refusal, "oidcc-redirect-uri-query-added": refusal,
			"oidcc-registration-logo-uri":                                       stopping("a page with the logo", "/sign-in*", wordsSignIn),
			"oidcc-registration-policy-uri":                                     stopping("a page with a link to the policy", "/sign-in*", wordsSignIn),
			"oidcc-registration-tos-uri":                                        stopping("a page with a link to the terms", "/sign-in*", wordsSignIn),
			"oidcc-rp-initiated-logout-bad-post-logout-redirect-uri":            staying("a question that says what is wrong", asked),
			"oidcc-rp-initiated-logout-query-added-to-post-logout-redirect-uri": staying("a question that says what is wrong", asked),
			"oidcc-rp-initiated-logout-bad-id-token-hint":                       staying("a question that says what is wrong", asked),
			"oidcc-rp-initiated-logout-modified-id-token-hint":                  staying("a question that says what is wrong", asked),
			"oidcc-rp-initiated-logout-no-id-token-hint":                        staying("a question", asked),
			"oidcc-rp-initiated-logout-no-params":                               staying("a question, then the last page", agree, done),
			"oidcc-rp-initiated-logout-only-state":                              staying("a question, then the last page", agree, done),
			"oidcc-rp-initiated-logout-no-post-logout-redirect-uri":             staying("the last page", done),
		},
	}
	dynamic, given := common, common
	dynamic.Client, dynamic.Client2 = map[string]string{"client_name": "Conformance one"}, map[string]string{"client_name": "Conformance two"}
	given.Alias = "idp"
	named := func(which string) map[string]string {
		return map[string]string{"client_id": which + " ID", "client_secret": which + " SECRET"}
	}
	given.Client, given.Client2, given.ClientPost = named("FIRST"), named("SECOND"), named("POST")
	return map[string]settings{"dynamic.json": dynamic, "static.json": given}
}

// suiteClients are the metadata of the clients that an operator makes for static.json. One
// client serves all response types; its redirect URIs are those of the alias.
func suiteClients() map[string]map[string]any {
	const base = "https://localhost.emobix.co.uk:8443/test/a/idp"
	all := map[string]map[string]any{}
	for file, c := range map[string][2]string{
		"client.json": {"Conformance one", "client_secret_basic"}, "client2.json": {"Conformance two", "client_secret_basic"},
		"client_post.json": {"Conformance by post", "client_secret_post"},
	} {
		all[file] = map[string]any{
			"client_name": c[0], "token_endpoint_auth_method": c[1],
			"redirect_uris":             []string{base + "/callback", base + "/callback?dummy1=lorem&dummy2=ipsum"},
			"post_logout_redirect_uris": []string{base + "/post_logout_redirect"},
			"grant_types":               []string{"authorization_code", "implicit", "refresh_token"},
			"response_types":            []string{"code", "id_token", "id_token token", "code id_token", "code token", "code id_token token"},
			"scope":                     "openid profile email address phone offline_access",
		}
	}
	return all
}

// TestSuiteFiles keeps the files equal to what stands here.
func TestSuiteFiles(t *testing.T) {
	files := map[string]any{}
	for name, s := range suiteSettings() {
		files[name] = s
	}
	for name, c := range suiteClients() {
		files[name] = c
	}
	for name, v := range files {
		var want bytes.Buffer
		enc := json.NewEncoder(&want)
		enc.SetEscapeHTML(false)
		enc.SetIndent("", "  ")
		must(t, enc.Encode(v))
		path := filepath.Join("suite", name)
		if *update {
			must(t, os.WriteFile(path, want.Bytes(), 0o600))
		}
		got, err := os.ReadFile(path)
		must(t, err)
		if string(got) != want.String() {
			t.Errorf("suite/%s is old; run: go test ./e2e/conformance -run SuiteFiles -update", name)
		}
	}
}
