package templates_test

import (
	"bytes"
	"cmp"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"

	"idp/internal/secret"
	"idp/templates"
)

func load(t *testing.T) *templates.Set {
	t.Helper()
	set, err := templates.Load("")
	if err != nil {
		t.Fatal(err)
	}
	set.Brand = "Northwind"
	return set
}

func draw(t *testing.T, set *templates.Set, name string, f templates.Frame) string {
	t.Helper()
	f.Locale, f.Brand, f.Form = cmp.Or(f.Locale, "en"), "Northwind", secret.NewString("token-of-the-form")
	var b bytes.Buffer
	if err := set.Page(&b, name, f); err != nil {
		t.Fatalf("page %s: %v", name, err)
	}
	return b.String()
}

// nodes returns the elements of a page.
func nodes(t *testing.T, page string) []*html.Node {
	t.Helper()
	root, err := html.Parse(strings.NewReader(page))
	if err != nil {
		t.Fatal(err)
	}
	var all []*html.Node
	for n := range root.Descendants() {
		if n.Type == html.ElementNode {
			all = append(all, n)
		}
	}
	return all
}

func attr(n *html.Node, name string) string {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

func inside(n *html.Node, tag string) bool {
	for p := range n.Ancestors() {
		if p.Data == tag {
			return true
		}
	}
	return false
}

func TestEveryPageIsDrawnAndSaysItInWords(t *testing.T) {
	set := load(t)
	files, err := filepath.Glob("pages/*.html")
	if err != nil || len(files) == 0 {
		t.Fatal("there are no pages", err)
	}
	drawn := map[string]bool{}
	for _, s := range samples() {
		page := draw(t, set, s.page, s.frame)
		drawn[s.page] = true
		if strings.Contains(page, "⟦") {
			t.Errorf("%s lacks words: %s", s.page, regexp.MustCompile(`⟦[^⟧]*⟧`).FindString(page))
		}
		if place := regexp.MustCompile(`\{[a-z]+\}`).FindString(page); place != "" {
			t.Errorf("%s leaves a place unfilled: %s", s.page, place)
		}
		if strings.Contains(page, "ZgotmplZ") || strings.Contains(page, "<no value>") {
			t.Errorf("%s was not drawn safely", s.page)
		}
	}
	for _, f := range files {
		if name := strings.TrimSuffix(filepath.Base(f), ".html"); !drawn[name] {
			t.Errorf("no sample draws page %s", name)
		}
	}
}

func TestPagesNeedNothingInlineAndNothingFromElsewhere(t *testing.T) {
	set := load(t)
	for _, s := range samples() {
		for _, n := range nodes(t, draw(t, set, s.page, s.frame)) {
			for _, a := range n.Attr {
				if a.Key == "style" || strings.HasPrefix(a.Key, "on") {
					t.Errorf("%s: <%s %s> is inline", s.page, n.Data, a.Key)
				}
			}
			switch n.Data {
			case "iframe": // of relying parties, held back from everything but their own logout
				if box := attr(n, "sandbox"); s.page != "logging_out" || box != "allow-scripts allow-same-origin allow-forms" {
					t.Errorf("%s has an <iframe sandbox=%q>", s.page, box)
				}
			case "style", "object", "embed", "base":
				t.Errorf("%s has a <%s>", s.page, n.Data)
			case "script":
				if !strings.HasPrefix(attr(n, "src"), "/assets/") || n.FirstChild != nil {
					t.Errorf("%s has a script that is not an asset of ours", s.page)
				}
			case "link", "img":
				if at := attr(n, "href") + attr(n, "src"); !strings.HasPrefix(at, "/assets/") && (n.Data != "img" || !strings.HasPrefix(at, "/oauth2/clients/") && !strings.HasPrefix(at, "/avatars/")) {
					t.Errorf("%s loads %s", s.page, at)
				}
			case "a":
				if attr(n, "target") == "_blank" && !strings.Contains(attr(n, "rel"), "noopener") {
					t.Errorf("%s opens a window that can reach back", s.page)
				}
			}
		}
	}
}

func TestEveryFieldHasALabelAndEveryIDIsUnique(t *testing.T) {
	set := load(t)
	for _, s := range samples() {
		all := nodes(t, draw(t, set, s.page, s.frame))
		labelled, ids := map[string]bool{}, map[string]bool{}
		for _, n := range all {
			if n.Data == "label" {
				labelled[attr(n, "for")] = true
			}
			if id := attr(n, "id"); id != "" {
				if ids[id] {
					t.Errorf("%s has two elements called %s", s.page, id)
				}
				ids[id] = true
			}
		}
		for _, n := range all {
			field := n.Data == "textarea" || n.Data == "select" || n.Data == "input" && attr(n, "type") != "hidden"
			if field && !labelled[attr(n, "id")] && !inside(n, "label") && attr(n, "aria-label") == "" {
				t.Errorf("%s: field %s has no label", s.page, attr(n, "name"))
			}
			for _, about := range strings.Fields(attr(n, "aria-describedby") + " " + attr(n, "aria-labelledby") + " " + attr(n, "aria-controls")) {
				if !ids[about] {
					t.Errorf("%s: field %s is described by %s, which is not there", s.page, attr(n, "name"), about)
				}
			}
		}
	}
}

func TestEveryFormOfOursCarriesTheToken(t *testing.T) {
	set := load(t)
	for _, s := range samples() {
		for _, n := range nodes(t, draw(t, set, s.page, s.frame)) {
			if n.Data != "form" || attr(n, "method") != "post" {
				continue
			}
			found := false
			for c := range n.Descendants() {
				found = found || c.Data == "input" && attr(c, "name") == "form_token" && attr(c, "value") == "token-of-the-form"
			}
			if abroad := s.page == "form_post"; found == abroad {
				t.Errorf("%s: the form to %s carries the token: %v", s.page, attr(n, "action"), found)
			}
		}
	}
}

func TestTheNamesThatOthersRelyOnStay(t *testing.T) {
	set := load(t)
	for page, ids := range map[string][]string{
		"sign_in": {"login-identifier", "login-password", "login-submit", "login-cancel"}, "password": {"login-password", "login-submit", "login-cancel"},
		"consent": {"consent-allow", "consent-deny"}, "logout": {"logout-confirm", "logout-stay"}, "logged_out": {"logout-done"}, "logging_out": {"logout-continue"}, "error": {"error-page"}, "key": {"key", "key-start", "key-status", "key-other", "key-no-script"}, "enroll_key": {"key", "key-start", "key-status"},
	} {
		drawn := draw(t, set, page, sample(page))
		for _, id := range ids {
			if !strings.Contains(drawn, `id="`+id+`"`) {
				t.Errorf("%s has no #%s", page, id)
			}
		}
	}
	for page, words := range map[string][]string{
		"sign_in": {">Email address</label>", ">Password</label>", ">Sign in</button>", ">Sign up</a>", `autocomplete="username webauthn"`, ">Sign in with a passkey</button>", `autocomplete="current-password"`},
		"sign_up": {">Email address</label>", ">Password</label>", ">Sign up</button>", `autocomplete="new-password"`, "This is a public computer"},
		"code":    {">Continue</button>", `autocomplete="one-time-code"`, `inputmode="numeric"`},
		"consent": {">Allow</button>", ">Deny</button>"}, "account": {">Sign out</button>"},
		"error": {`data-error="ask_unknown"`}, "logout": {"Sign out?", ">Sign out</button>"}, "logged_out": {"You are signed out"},
		"logging_out": {"Signing you out", `content="3; url=https://app.acme.example/bye?state=s"`, `src="https://app.acme.example/out?iss=x&amp;sid=y"`},
	} {
		drawn := draw(t, set, page, sample(page))
		for _, w := range words {
			if !strings.Contains(drawn, w) {
				t.Errorf("%s does not say %s", page, w)
			}
		}
	}
}

func TestTroubleIsToldBesideItsField(t *testing.T) {
	set := load(t)
	f := sample("sign_in")
	f.Trouble = &templates.Trouble{Problem: "password_wrong", Text: "No & match.", Field: "password"}
	page := draw(t, set, "sign_in", f)
	for _, part := range []string{`role="alert"`, `data-error="password_wrong"`, `aria-invalid="true" aria-describedby="login-password-error"`, `id="login-password-error">No &amp; match.`} {
		if !strings.Contains(page, part) {
			t.Errorf("%s is missing", part)
		}
	}
	if strings.Count(page, "aria-invalid") != 1 {
		t.Error("another field is marked as well")
	}
}

func TestAPageIsSmall(t *testing.T) {
	set := load(t)
	page := draw(t, set, "sign_in", sample("sign_in"))
	total := len(page)
	for _, name := range regexp.MustCompile(`/assets/([^"]+)`).FindAllStringSubmatch(page, -1) {
		a, ok := set.Asset(name[1])
		if !ok {
			t.Fatalf("asset %s is missing", name[1])
		}
		total += len(a.Body)
	}
	if total > 50<<10 {
		t.Errorf("the sign-in page takes %d bytes with all it loads; 51200 are allowed", total)
	}
}

func TestDevelopmentIsSaidOnEveryPage(t *testing.T) {
	set := load(t)
	for _, s := range samples() {
		s.frame.Development, s.frame.Inbox = true, true
		if page := draw(t, set, s.page, s.frame); !strings.Contains(page, ">Development<") || !strings.Contains(page, `href="/dev/inbox"`) {
			t.Errorf("%s does not say that it is development", s.page)
		}
		s.frame.Development = false
		if page := draw(t, set, s.page, s.frame); strings.Contains(page, ">Development<") {
			t.Errorf("%s says development in production", s.page)
		}
	}
}

func TestWhatPeopleTypeStaysText(t *testing.T) {
	set := load(t)
	const bad = `"><svg onload=alert(1)>{brand}{{.Data}}`
	f := sample("form_post")
	f.Data = templates.FormPost{Action: "https://rp.example/cb", Fields: map[string]string{"state": bad}}
	page := draw(t, set, "form_post", f)
	for _, n := range nodes(t, page) {
		if n.Data == "svg" {
			t.Error("the state became markup")
		}
		if n.Data == "input" && attr(n, "name") == "state" && attr(n, "value") != bad {
			t.Errorf("the state arrives as %q", attr(n, "value"))
		}
	}
	f.Data = templates.FormPost{Action: "javascript:alert(1)"}
	if strings.Contains(draw(t, set, "form_post", f), "javascript:") {
		t.Error("a script address became an action")
	}
	f = sample("consent")
	f.Data.(m)["Party"] = &party{Name: bad, PolicyURI: "javascript:alert(1)"}
	page = draw(t, set, "consent", f)
	if strings.Contains(page, "<svg") || strings.Contains(page, "javascript:") || strings.Contains(page, "Northwind{{") {
		t.Error("a party's name or link became markup, script or template")
	}
}

func TestEveryMailIsDrawnWithItsCodeAndLink(t *testing.T) {
	set := load(t)
	const link = "https://id.example.com/sign-in/attempt_1/link?token=abc&x=1"
	for _, kind := range []string{"sign_up", "sign_in", "address_held", "reset", "no_account", "password_changed", "locked", "invitation", "test"} {
		full := templates.Letter{
			To: "ann@example.com", Code: secret.NewString("493027"), Link: secret.NewString(link), Valid: 10 * time.Minute,
			Words:  map[string]string{"party": "Acme <b>\r\nBcc: x"},
			Notice: templates.Notice{What: "factor_added", Method: "totp", Name: "My <b>", Browser: "Chrome · macOS", Place: "Auckland, New Zealand", Network: "192.0.2.7", At: time.Date(2026, 11, 22, 9, 14, 0, 0, time.UTC)},
		}
		for name, l := range map[string]templates.Letter{"full": full, "bare": {To: "ann@example.com"}} {
			subject, text, rich, err := set.Mail(kind, "", l)
			if err != nil {
				t.Fatal(err)
			}
			if subject == "" || strings.ContainsAny(subject, "\r\n") || strings.Contains(subject+text+rich, "⟦") || strings.Contains(text, "•••") {
				t.Errorf("%s, %s: subject %q, text %s", kind, name, subject, text)
			}
			if !strings.Contains(text, "ann@example.com") || !strings.Contains(rich, "ann@example.com") {
				t.Errorf("%s, %s does not say whom it was sent to", kind, name)
			}
			if regexp.MustCompile(`\{[a-z]+\}`).MatchString(subject + text) {
				t.Errorf("%s, %s leaves a place unfilled: %s %s", kind, name, subject, text)
			}
			if strings.Contains(rich, "<script") || strings.Contains(rich, "<b>") || strings.Contains(rich, "http-equiv") {
				t.Errorf("%s, %s: a word became markup", kind, name)
			}
		}
		_, text, rich, _ := set.Mail(kind, "", full)
		coded := map[string]bool{"sign_up": true, "sign_in": true, "address_held": true, "reset": true}[kind]
		if got := strings.Contains(text, "493027") && strings.Contains(rich, ">493027<"); got != coded {
			t.Errorf("%s says the code: %v", kind, got)
		}
		if linked := kind != "test"; linked != strings.Contains(text, link) || linked != strings.Contains(rich, strings.ReplaceAll(link, "&", "&amp;")) {
			t.Errorf("%s carries the link wrongly", kind)
		}
	}
}

func TestEveryNoticeSaysWhatWhenAndWhence(t *testing.T) {
	set := load(t)
	const link = "https://id.example.com/undo/undo_1?token=abc"
	subjects := map[string]bool{}
	for _, what := range []string{
		"email_added", "email_removed", "email_primary", "phone_added", "phone_removed", "phone_primary", "factor_added", "factor_removed",
		"factors_reset", "backup_codes_renewed", "factor_cloned", "factor_locked", "new_browser", "undone",
	} {
		for _, method := range []string{"totp", "backup_code", "security_key", "phone_code", "passkey"} {
			l := templates.Letter{To: "ann@example.com", Notice: templates.Notice{
				What: what, Method: method, Name: "<b>desk</b>", Address: "a•••@example.com", Browser: "Firefox · Linux",
				Place: "Auckland, New Zealand", Network: "192.0.2.7", At: time.Date(2026, 11, 22, 21, 14, 0, 0, time.FixedZone("", 13*3600)),
			}}
			_, bare, _, err := set.Mail("changed", "", l)
			if err != nil || strings.Contains(bare, "https:") || !strings.Contains(bare, "choose a new password") {
				t.Errorf("%s without a link: %v, %s", what, err, bare)
			}
			l.Link, l.Valid = secret.NewString(link), 7*24*time.Hour
			subject, text, rich, err := set.Mail("changed", "", l)
			if err != nil {
				t.Fatal(err)
			}
			subjects[subject] = true
			if strings.Contains(subject+text+rich, "⟦") || regexp.MustCompile(`\{[a-z]+\}`).MatchString(subject+text) || strings.Contains(rich, "<b>") {
				t.Errorf("%s, %s: subject %q, text %s", what, method, subject, text)
			}
			for _, want := range []string{"22 November 2026, 08:14 UTC", "Firefox · Linux", "Auckland, New Zealand", "192.0.2.7", link, "7 days"} {
				if !strings.Contains(text, want) || !strings.Contains(rich, want) {
					t.Errorf("%s does not say %s: %s", what, want, text)
				}
			}
		}
	}
	if len(subjects) != 14 {
		t.Errorf("14 changes have %d subjects", len(subjects))
	}
}

func TestADirectoryReplacesSingleFiles(t *testing.T) {
	dir := t.TempDir()
	if err := os.MkdirAll(filepath.Join(dir, "pages"), 0o700); err != nil {
		t.Fatal(err)
	}
	own := `{{define "title"}}Bye{{end}}{{define "main"}}<p id="own">Farewell from {{.Brand}}</p>{{end}}`
	if err := os.WriteFile(filepath.Join(dir, "pages", "logged_out.html"), []byte(own), 0o600); err != nil {
		t.Fatal(err)
	}
	set, err := templates.Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	if page := draw(t, set, "logged_out", templates.Frame{Data: templates.LoggedOut{}}); !strings.Contains(page, "Farewell from Northwind") {
		t.Error("the file in the directory was not used")
	}
	if page := draw(t, set, "sign_in", sample("sign_in")); !strings.Contains(page, "login-submit") {
		t.Error("the other pages are gone")
	}
	if _, err := templates.Load(filepath.Join(dir, "missing")); err == nil {
		t.Error("a directory that is not there is no error")
	}
}

func TestADirectoryMayAddALanguage(t *testing.T) {
	dir := t.TempDir()
	if err := os.MkdirAll(filepath.Join(dir, "locales"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "locales", "de.json"), []byte(`{"sign_in.title": "Anmelden"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	set, err := templates.Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	frame := sample("sign_in")
	frame.Locale = set.Match("de-CH,de;q=0.9")
	page := draw(t, set, "sign_in", frame)
	if !strings.Contains(page, `<html lang="de">`) || !strings.Contains(page, ">Anmelden</h1>") {
		t.Error("the language in the directory is not spoken")
	}
	if !strings.Contains(page, "Forgot password?") {
		t.Error("what it does not translate is not said in English")
	}
}

func TestScopesAreSaidInTheOrderPeopleAsk(t *testing.T) {
	frame := sample("account")
	frame.Data.(m)["Grants"] = []m{{
		"Client": "c", "Party": m{"Name": "Acme"}, "Since": time.Now(), "Used": time.Time{},
		"Scopes": []string{"email", "offline_access", "openid", "orders", "profile"},
	}}
	page := draw(t, load(t), "account", frame)
	want := "Know who you are · See your name and profile · See your email address · Use “orders” · Stay connected while you are away"
	if !strings.Contains(page, want) {
		t.Errorf("not in this order: %s", want)
	}
}

func TestStrangeLanguagesGetEnglish(t *testing.T) {
	set := load(t)
	for _, header := range []string{"", "de-CH,de;q=0.9", "xx", strings.Repeat("en,", 5000), "*", "\x00", "en-GB"} {
		if got := set.Match(header); got != "en" {
			t.Errorf("%.20q is answered in %q", header, got)
		}
	}
}

func TestDocumentedNamesExist(t *testing.T) {
	set := load(t)
	doc, err := os.ReadFile("../docs/operate/appearance.md")
	if err != nil {
		t.Fatal(err)
	}
	var all strings.Builder
	for _, s := range samples() {
		s.frame.Trouble = nil
		all.WriteString(draw(t, set, s.page, s.frame))
	}
	f := sample("sign_in")
	f.Trouble = &templates.Trouble{Problem: "x", Text: "x", Field: "password"}
	drawn := all.String() + draw(t, set, "sign_in", f)
	style, err := os.ReadFile("assets/style.css")
	if err != nil {
		t.Fatal(err)
	}
	_, names, found := strings.Cut(string(doc), "## Names that stay")
	names, _, _ = strings.Cut(names, "## Another language")
	if !found {
		t.Fatal("the page on appearance names nothing")
	}
	for _, m := range regexp.MustCompile("`([a-z-]+)`").FindAllStringSubmatch(names, -1) {
		name := m[1]
		if name == "data-error" {
			continue
		}
		if !strings.Contains(drawn, `id="`+name+`"`) && !regexp.MustCompile(`class="([^"]* )?`+name+`[ "]`).MatchString(drawn) {
			t.Errorf("no page has %s", name)
		}
	}
	for _, m := range regexp.MustCompile("`(--idp-[a-z-]+)`").FindAllStringSubmatch(string(doc), -1) {
		if !strings.Contains(string(style), m[1]+":") {
			t.Errorf("the style has no %s", m[1])
		}
	}
}
