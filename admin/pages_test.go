package admin_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"idp/admin"
	"idp/event"
	"idp/identity"
	"idp/internal/secret"
	"idp/internal/web"
	"idp/internal/web/webtest"
	"idp/login"
	"idp/message"
	"idp/provider"
	"idp/session"
	"idp/session/sessiontest"
	"idp/storage"
	"idp/storage/storagetest"
	"idp/templates"
	"idp/token"
)

// office is the operator's pages on a real database.
type office struct {
	*testing.T
	*house
	keeper    *session.Keeper
	clients   *provider.Clients
	pages     *admin.Pages
	inbox     *storage.Inbox
	ways      *admin.Connections
	server    *sessiontest.Site
	templates *admin.Templates
}

func offices(t *testing.T, f func(o *office)) {
	each(t, func(t *testing.T, h *house) {
		o := &office{T: t, house: h, inbox: storage.NewInbox(h.db)}
		o.keeper = &session.Keeper{Store: storage.NewSessions(h.db), Events: h.events, Settings: h.settings.Sessions, InTx: h.db.InTx, Now: h.clock.Now}
		o.server = sessiontest.Serve(t, o.keeper, storagetest.Box())
		o.server.Pages.Development = true
		o.clients = &provider.Clients{Store: storage.NewClients(h.db), Events: h.events, InTx: h.db.InTx, Now: h.clock.Now}
		keys := &token.KeySet{Store: storage.NewKeys(h.db), Events: h.events, InTx: h.db.InTx, Now: h.clock.Now}
		o.must(keys.Ensure(t.Context()))
		o.ways, o.templates = h.connections(), h.templates(t, keys, o.clients)
		p := &admin.Pages{
			Connections: o.ways, Templates: o.templates,
			Web: o.server.Pages, Session: o.keeper, People: h.people, Users: h.users, Operators: h.operators, Invitations: h.invitations,
			Settings: h.settings, Clients: o.clients, Keys: keys, Inbox: o.inbox, Issuer: o.server.URL, Now: h.clock.Now,
		}
		o.pages = p
		form := func(w http.ResponseWriter, r *http.Request) error {
			return o.server.Pages.Show(w, r, http.StatusOK, "logout", templates.Logout{})
		}
		o.server.Mount([]web.Route{
			{Pattern: "GET /form", Do: form},
			{Pattern: "GET /operator", Do: p.Apps()}, {Pattern: "GET /operator/apps/new", Do: p.NewApp()}, {Pattern: "POST /operator/apps", Do: p.AddApp()},
			{Pattern: "GET /operator/apps/{client}", Do: p.App()}, {Pattern: "POST /operator/apps/{client}", Do: p.SaveApp()},
			{Pattern: "POST /operator/apps/{client}/metadata", Do: p.DescribeApp()},
			{Pattern: "POST /operator/apps/{client}/secret", Do: p.RotateApp()}, {Pattern: "POST /operator/apps/{client}/turn", Do: p.TurnApp()},
			{Pattern: "POST /operator/apps/{client}/delete", Do: p.DeleteApp()},
			{Pattern: "GET /operator/connections", Do: p.ListConnections()}, {Pattern: "GET /operator/connections/new", Do: p.NewConnection()},
			{Pattern: "POST /operator/connections", Do: p.AddConnection()}, {Pattern: "GET /operator/connections/{connection}", Do: p.ShowConnection()},
			{Pattern: "POST /operator/connections/{connection}", Do: p.SaveConnection()}, {Pattern: "POST /operator/connections/{connection}/json", Do: p.DescribeConnection()},
			{Pattern: "POST /operator/connections/{connection}/test", Do: p.TestConnection()},
			{Pattern: "POST /operator/connections/{connection}/turn", Do: p.TurnConnection()}, {Pattern: "POST /operator/connections/{connection}/delete", Do: p.DeleteConnection()},
			{Pattern: "GET /operator/templates", Do: p.ListTemplates()}, {Pattern: "GET /operator/templates/new", Do: p.NewTemplate()},
			{Pattern: "POST /operator/templates", Do: p.AddTemplate()}, {Pattern: "GET /operator/templates/{template}", Do: p.ShowTemplate()},
			{Pattern: "POST /operator/templates/{template}", Do: p.SaveTemplate()}, {Pattern: "POST /operator/templates/{template}/delete", Do: p.DeleteTemplate()},
			{Pattern: "GET /operator/users", Do: p.ListPeople()}, {Pattern: "POST /operator/users/ban", Do: p.BanPerson()},
			{Pattern: "POST /operator/users/invite", Do: p.Invite()},
			{Pattern: "GET /operator/users/{user}", Do: p.ShowPerson()}, {Pattern: "POST /operator/users/{user}/reset-factors", Do: p.ResetPerson()},
			{Pattern: "POST /operator/users/{user}/metadata", Do: p.SaveMetadata()},
			{Pattern: "POST /operator/users/{user}/unlock", Do: p.UnlockPerson()}, {Pattern: "POST /operator/users/{user}/unlink", Do: p.UnlinkPerson()},
			{Pattern: "GET /operator/settings", Do: p.ShowSettings()}, {Pattern: "POST /operator/settings", Do: p.SaveSettings()},
			{Pattern: "GET /operator/keys", Do: p.ListKeys()},
			{Pattern: "GET /operator/claim", Do: p.ClaimPage}, {Pattern: "POST /operator/claim", Do: p.Claim},
			{Pattern: "GET /dev/inbox", Do: p.ListLetters}, {Pattern: "GET /dev/inbox/{letter}", Do: p.Letter},
			{Pattern: "GET /dev/inbox.json", Do: p.LettersJSON}, {Pattern: "POST /dev/inbox/empty", Do: p.EmptyInbox},
		})
		f(o)
	})
}

func (o *office) must(err error) {
	o.Helper()
	if err != nil {
		o.Fatal(err)
	}
}

// signedIn is a browser of somebody new.
func (o *office) signedIn(email string, operator bool) (*webtest.Browser, identity.User) {
	o.Helper()
	u := o.create(o.T, email)
	if operator {
		u = o.appoint(u)
	}
	b := webtest.New(o, o.server.URL)
	_, cookie := sessiontest.SignIn(o, o.keeper, u.ID)
	b.Plant(cookie)
	return b, u
}

func (o *office) appoint(u identity.User) identity.User {
	o.Helper()
	p, err := o.people.Person(o.Context(), u.ID)
	o.must(err)
	p.User.Operator = true
	o.must(o.people.SaveUser(o.Context(), p.User))
	return p.User
}

func TestOperatorPagesAreThereForOperatorsOnly(t *testing.T) {
	offices(t, func(o *office) {
		op, _ := o.signedIn("op@example.com", true)
		ann, _ := o.signedIn("ann@example.com", false)
		nobody := webtest.New(o, o.server.URL)
		for _, path := range []string{"/operator", "/operator/apps/new", "/operator/users", "/operator/settings", "/operator/keys"} {
			op.Get(path).Want(200)
			ann.Get(path).Want(404, `data-error="not_found"`)
			nobody.Get(path).Want(303, "/sign-in")
		}
		for _, path := range []string{"/operator/apps", "/operator/apps/client_1/delete", "/operator/users/ban", "/operator/users/invite", "/operator/users/user_1/reset-factors", "/operator/users/user_1/unlock", "/operator/users/user_1/unlink", "/operator/settings"} {
			ann.Get("/form").Post(path, "user", "x", "turn", "off", "name", "Evil", "redirect_uris", "https://evil.example/cb").Want(404)
			nobody.Get("/form").Post(path).Want(303, "/sign-in")
		}
		if apps, err := o.clients.List(o.Context(), "", 10); err != nil || len(apps) != 0 {
			t.Errorf("apps %v %v", apps, err)
		}
	})
}

func TestAnAppIsAddedChangedAndDeletedAndItsSecretIsShownOnce(t *testing.T) {
	offices(t, func(o *office) {
		b, op := o.signedIn("op@example.com", true)
		b.Get("/operator").Want(200, "No apps yet")
		b.Get("/operator/apps/new").Post("/operator/apps", "name", "Acme <b>", "type", "web", "redirect_uris", "not a uri").Want(422, `aria-invalid`, "Acme &lt;b&gt;")
		b.Post("/operator/apps", "name", "Acme", "type", "web", "redirect_uris", "https://app.acme.org/cb\r\n\r\n https://app.acme.org/other \r\n").
			Want(201, "Acme is ready", "client-secret", "OIDC_CLIENT_SECRET=idp_cs_", "Next.js with Auth.js", "issuer-uri: "+o.server.URL)
		key := regexp.MustCompile(`id="client-secret">(idp_cs_[\w-]+)<`).FindStringSubmatch(b.Page)[1]
		id := regexp.MustCompile(`id="client-id">(client_\w+)<`).FindStringSubmatch(b.Page)[1]
		c, err := o.clients.Get(o.Context(), provider.ClientID(id))
		o.must(err)
		if len(c.RedirectURIs) != 2 || c.RedirectURIs[1] != "https://app.acme.org/other" || c.Secrets[0].Digest != secret.DigestOf(key) {
			t.Errorf("the app is %+v", c)
		}
		path := "/operator/apps/" + id
		b.Get("/operator").Want(200, "Acme", id)
		b.Get(path).Want(200, "YOUR_CLIENT_SECRET").WantNot(key)
		b.Post(path, "name", "Acme 2", "redirect_uris", "https://app.acme.org/cb", "first_party", "yes").Follow().Want(200, "Saved.", "Acme 2")
		b.Post(path, "name", "Acme 3", "redirect_uris", "javascript:alert(1)").Want(422, "aria-invalid").WantNot(`href="javascript`)
		b.Get(path).Post(path+"/secret").Want(201, "New secret for Acme 2").WantNot(key)
		b.Get(path).Post(path+"/turn", "turn", "off").Follow().Want(200, "Disabled")
		b.Post(path+"/turn", "turn", "on").Follow().WantNot("idp-tag-error")
		b.Post(path+"/delete").Want(303, "/operator")
		b.Get(path).Want(404)
		for _, kind := range []event.Kind{event.ClientCreated, event.ClientUpdated, event.ClientSecretRotated, event.ClientDisabled, event.ClientEnabled, event.ClientDeleted} {
			if got := o.happened(t, kind); len(got) != 1 || got[0].Actor != string(op.ID) {
				t.Errorf("%s: %+v", kind, got)
			}
		}
	})
}

func TestTheNodeRecipeAllowsPlainHTTPOnlyOnOnesOwnMachine(t *testing.T) {
	c := provider.Client{ID: "client_1", Type: provider.Web, RedirectURIs: []string{"https://web.example/cb"}}
	for issuer, insecure := range map[string]bool{"http://localhost:8080": true, "https://id.example": false} {
		found := false
		for _, r := range admin.Recipes(issuer, c, secret.NewString("idp_cs_x")) {
			if r.ID == "node" {
				found = true
				if strings.Contains(r.Text, "allowInsecureRequests") != insecure || strings.Contains(r.Text, "{insecure}") {
					t.Errorf("%s: %s", issuer, r.Text)
				}
			}
		}
		if !found {
			t.Error("there is no recipe for Node")
		}
	}
}

func TestRecipesOfAPublicAppNameNoSecret(t *testing.T) {
	for _, c := range []provider.Client{
		{ID: "client_1", Type: provider.SPA, AuthMethod: "none", RedirectURIs: []string{"https://spa.example/cb"}, Scopes: []string{"openid"}},
		{ID: "client_2", Type: provider.Native, AuthMethod: "none", RedirectURIs: []string{"com.example.app:/cb"}},
		{ID: "client_3", Type: provider.Web, RedirectURIs: []string{"https://web.example/cb"}},
		{ID: "client_4", Type: provider.Machine},
	} {
		all := admin.Recipes("https://id.example", c, secret.NewString("idp_cs_x"))
		if len(all) == 0 {
			t.Errorf("%s gets nothing to paste", c.Type)
		}
		for _, r := range all {
			if strings.Contains(r.Text, "idp_cs_x") && c.Public() || strings.Contains(r.Text, "{secret}") || strings.Contains(r.Text, "{issuer}") {
				t.Errorf("%s, %s: %s", c.Type, r.Stack, r.Text)
			}
			if !strings.Contains(r.Text, "https://id.example") {
				t.Errorf("%s, %s does not name the issuer", c.Type, r.Stack)
			}
		}
	}
}

func TestOperatorsBanAndInvite(t *testing.T) {
	offices(t, func(o *office) {
		b, op := o.signedIn("op@example.com", true)
		ann, u := o.signedIn("ann@example.com", false)
		b.Get("/operator/users?search=ann").Want(200, "ann@example.com").WantNot(">op@example.com<")
		b.Post("/operator/users/ban", "user", string(u.ID), "turn", "off").Follow().Want(200, "Banned. All sessions and tokens ended.")
		ann.Get("/operator/claim?token=x").Want(404)
		if p, err := o.people.Person(o.Context(), u.ID); err != nil || p.User.MayEnter() {
			t.Errorf("%+v %v", p.User, err)
		}
		b.Get("/operator/users").Post("/operator/users/ban", "user", string(op.ID), "turn", "off").Want(422)
		b.Get("/operator/users").Post("/operator/users/ban", "user", string(u.ID), "turn", "on").Follow().Want(200, "They can sign in again.")
		b.Post("/operator/users/invite", "email", "nonsense").Want(422, `id="invite-email-error"`)
		b.Post("/operator/users/invite", "email", "new@example.com").Follow().Want(200, "The invitation is on its way.")
	})
}

func TestSettingsAreSavedWholeOrNotAtAll(t *testing.T) {
	offices(t, func(o *office) {
		b, _ := o.signedIn("op@example.com", true)
		b.Get("/operator/settings").Want(200, `value="720"`, `value="168"`)
		version := regexp.MustCompile(`name="version" value="(\d+)"`).FindStringSubmatch(b.Page)[1]
		good := []string{
			"version", version, "sign_in.sign_up", "invited", "sign_in.password", "yes", "sign_in.two_pages", "yes",
			"sign_in.rules.min_length", "15", "sign_in.rules.min_score", "3", "sessions.maximum", "24", "sessions.idle", "0.5",
			"sign_in.addresses.subaddresses", "yes", "sign_in.addresses.allowed", " Acme.org\r\n\r\n*.B\u00fccher.example\r\nacme.org",
			"sign_in.addresses.blocked", "Eve@acme.org", "sign_in.two_step", "required", "sign_in.totp", "yes", "sign_in.passkeys", "yes", "sign_in.trust_days", "30", "sign_in.bot_check", "always",
			"sign_in.connections.layout", "icon",
		}
		b.Post("/operator/settings", append(good, "sign_in.rules.min_length", "7")...).Want(422, `id="min-length-error"`, `value="7"`, `value="24"`)
		b.Post("/operator/settings", append(good, "sign_in.addresses.blocked", "acme.org\r\n<acme>")...).
			Want(422, `id="blocked-error"`, "Line 2 is none of these", "&lt;acme&gt;", "acme.org")
		b.Post("/operator/settings", append(good, "sessions.idle", "soon")...).Want(422, `id="idle-error"`)
		b.Post("/operator/settings", append(good, "sign_in.trust_days", "366")...).Want(422, `id="trust-days-error"`)
		b.Post("/operator/settings", append(good, "sign_in.two_step", "")...).Want(422, `id="two-step-error"`)
		b.Post("/operator/settings", append(good, "sign_in.bot_check", "sometimes")...).Want(422, `id="bot-check-error"`)
		b.Post("/operator/settings", append(good, "sign_in.connections.place", "left")...).Want(422, `id="button-place-error"`)
		if !reflect.DeepEqual(o.settings.Now(), admin.DefaultSettings()) {
			t.Error("refused settings are in force")
		}
		b.Post("/operator/settings", good...).Follow().Want(200, "Saved.", ">acme.org\n*.xn--bcher-kva.example</textarea>", ">eve@acme.org</textarea>")
		want := admin.DefaultSettings()
		want.SignIn = login.Settings{SignUp: login.Invited, Password: true, TwoPages: true, Rules: login.PasswordRules{MinLength: 15, MinScore: 3},
			TwoStep: login.Required, TOTP: true, Passkeys: true, TrustDays: 30, BotCheck: login.CheckAlways, Buttons: login.Buttons{Layout: login.Icons, Place: login.Top}}
		want.SignIn.Addresses = identity.AddressRules{
			Disposable: identity.Allow, Subaddresses: identity.Refuse,
			Allowed: []string{"acme.org", "*.xn--bcher-kva.example"}, Blocked: []string{"eve@acme.org"},
		}
		want.Sessions = session.Settings{Maximum: 24 * time.Hour, Idle: 30 * time.Minute}
		if got := o.settings.Now(); !reflect.DeepEqual(got, want) {
			t.Errorf("in force: %+v", got)
		}
		b.Post("/operator/settings", append(good, "sign_in.sign_up", "closed")...).Want(409) // made from a version that is past
		if !reflect.DeepEqual(o.settings.Now(), want) {
			t.Error("an old form overwrote newer settings")
		}
	})
}

func TestTheFirstOperatorComesByALinkThatWorksOnce(t *testing.T) {
	offices(t, func(o *office) {
		link, err := o.operators.MakeLink(o.Context(), admin.CLI)
		o.must(err)
		at, err := url.Parse(link.URL.Reveal())
		o.must(err)
		path, bearer := at.RequestURI(), at.Query().Get("token")
		nobody := webtest.New(o, o.server.URL)
		nobody.Get(path).Want(200, "/sign-up", "/sign-in").WantNot("operator-claim")
		kept := ""
		for _, c := range nobody.Cookies() {
			if c.Name == "idp_return" {
				kept = c.Value
			}
		}
		if kept != path {
			t.Errorf("the way back is %q", kept)
		}
		nobody.Get("/form").Post("/operator/claim", "token", bearer).Want(401)
		ann, u := o.signedIn("ann@example.com", false)
		ann.Get(path).Want(200, "operator-claim", "ann@example.com")
		ann.Get(path).Want(200) // looking uses nothing up
		ann.Post("/operator/claim", "token", bearer).Follow().Want(200, "No apps yet")
		if p, err := o.people.Person(o.Context(), u.ID); err != nil || !p.User.Operator {
			t.Errorf("%+v %v", p.User, err)
		}
		eve, _ := o.signedIn("eve@example.com", false)
		eve.Get(path).Want(404, `data-error="operator_link_spent"`)
		eve.Get("/form").Post("/operator/claim", "token", bearer).Want(404)
	})
}

func TestTheInboxShowsLettersAsTextAndAsJSON(t *testing.T) {
	offices(t, func(o *office) {
		b := webtest.New(o, o.server.URL)
		b.Get("/dev/inbox").Want(200, "Nothing here yet")
		b.Get("/dev/inbox.json").Want(200, "[]")
		for _, to := range []string{"ann@example.com", "bob@example.com"} {
			o.must(o.inbox.Keep(o.Context(), message.Letter{
				ID: "msg_" + to[:3], To: to, Kind: message.SignUp, Subject: "493027 is your code", Text: "Hello <script>alert(1)</script>",
				HTML: "<b>rich</b>", Code: "493027", Link: o.server.URL + "/sign-in/a/link?token=x", SentAt: o.clock.Now(),
			}))
		}
		b.Get("/dev/inbox").Want(200, "ann@example.com", "bob@example.com", ">493027<")
		b.Get("/dev/inbox?to=ann@example.com").Want(200, "ann@example.com").WantNot("bob@")
		b.Get("/dev/inbox/msg_ann").Want(200, `id="letter-code">493027<`, `href="`+o.server.URL+`/sign-in/a/link?token=x"`, "&lt;script&gt;")
		b.Get("/dev/inbox/msg_none").Want(404)
		var letters []message.Letter
		b.Get("/dev/inbox.json?to=Ann@example.com").Want(200)
		if err := json.Unmarshal([]byte(b.Page), &letters); err != nil || len(letters) != 1 || letters[0].Code != "493027" {
			t.Errorf("%v %v", letters, err)
		}
		b.Get("/dev/inbox").Post("/dev/inbox/empty").Follow().Want(200, "Nothing here yet")
	})
}
