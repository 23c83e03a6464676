package provider

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ory/fosite"

	"idp/internal/problem"
	"idp/login"
	"idp/session"
)

// Request is an authorization request that was found to be in order. It is what a parked
// login.Ask carries.
type Request struct {
	Form        url.Values `json:"form"` // with request objects and pushed requests read into it
	Origin      Origin     `json:"origin,omitzero"`
	RequestedAt time.Time  `json:"requested_at"` // when it first came
}

// asked is a Request with its parts read.
type asked struct {
	Request
	client   Client
	redirect string
	mode     string     // response mode
	types    []string   // of the response: "code", "id_token", "token"; sorted
	scopes   []string   // sorted
	subjects [][]string // whom it must be about, as this client knows people: somebody who is in each list
	wants    ClaimsRequest
	demanded []string     // that acr must be one of, none for any
	wished   []string     // that acr had better be, by the parameter claims
	acrs     []string     // the ones that count
	context  string       // the one of them to be reached
	takes    session.Need // for that
	prompts  []string
	maxAge   *time.Duration
	locales  []string

	resources []string // APIs that its access tokens are to be for; none: all that are registered
}

// These answer requests that must not be sent back to anybody, because who asked or
// where the answer should go is not known for certain.
var (
	errWhoAsks   = problem.New(problem.Malformed, "client_unknown", "The app that sent you here is not known to this service. Check the client_id.")
	errWhereTo   = problem.New(problem.Malformed, "redirect_uri_mismatch", "The address the app wants you sent back to is not one that it registered. Check the redirect_uri.")
	errOff       = problem.New(problem.Malformed, "client_disabled", "The app that sent you here is switched off.")
	errGarbled   = problem.New(problem.Malformed, "request_malformed", "The app that sent you here made a mistake: its request is not readable.")
	errTwice     = problem.New(problem.Gone, "request_answered", "This request was answered already. Go back to the app and start again.")
	errOver      = problem.New(problem.Gone, "request_expired", "This request has expired. Go back to the app and start again.")
	errElsewhere = problem.New(problem.NotFound, "request_unknown", "This request was not started in this browser. Go back to the app and start again.")
)

// addressee finds out who asks and where answers go. Its problems are for a page, never
// for a redirect.
func (p *Provider) addressee(ctx context.Context, form url.Values) (asked, error) {
	client, err := p.Clients.Get(ctx, ClientID(form.Get("client_id")))
	switch {
	case problem.Is(err, problem.NotFound):
		return asked{}, errWhoAsks
	case err != nil:
		return asked{}, fmt.Errorf("authorization request: %w", err)
	case client.Disabled:
		return asked{}, errOff
	}
	redirect := form.Get("redirect_uri")
	if !matchRedirect(client, redirect) {
		return asked{}, errWhereTo
	}
	a := asked{client: client, redirect: redirect}
	a.mode, _ = modeOf(client, redirect, form) // before anything can fail, so that each failure is answered in it
	return a, nil
}

// parse reads the rest of a request whose addressee is known. Its errors go back to the
// relying party.
func (p *Provider) parse(ctx context.Context, a asked) (asked, error) {
	hinted := func(a *asked) error { return p.hinted(ctx, a) }
	checks := []func(*asked) error{knownMode, knownType, shortEnough, bound, provable, p.prompted, aged, hinted, scoped, claimed, p.targeted, p.contextual}
	for _, check := range checks {
		if err := check(&a); err != nil {
			return a, err
		}
	}
	a.locales = take(strings.Fields(a.Form.Get("ui_locales")), 10)
	// fosite judges once more: scopes against the client's, response type and mode, the
	// redirect URI our matcher accepted.
	_, err := p.checked(ctx, a)
	return a, err
}

func shortEnough(a *asked) error {
	for name, most := range map[string]int{"state": maxState, "nonce": maxNonce, "login_hint": maxHint} {
		if len(a.Form.Get(name)) > most {
			return fosite.ErrInvalidRequest.WithHintf("The parameter %s has more than %d characters.", name, most)
		}
	}
	return nil
}

// An S256 challenge is a SHA-256 in base64url (RFC 7636 §4.2).
var challenge = regexp.MustCompile(`^[A-Za-z0-9_-]{43}$`)

// provable checks PKCE: S256 only, and demanded of those who cannot keep a secret.
func provable(a *asked) error {
	given, method := a.Form.Get("code_challenge"), a.Form.Get("code_challenge_method")
	switch {
	case !a.gives(partCode):
		return nil // there is nothing to be proven later
	case given == "" && method == "" && !a.client.RequirePKCE && !a.client.Public():
		return nil
	case given == "":
		return fosite.ErrInvalidRequest.WithHint("This client must send a code_challenge (RFC 7636).")
	case method != "S256":
		return fosite.ErrInvalidRequest.WithHint("The code_challenge_method must be S256.")
	case !challenge.MatchString(given):
		return fosite.ErrInvalidRequest.WithHint("The code_challenge must be a SHA-256 in base64url, 43 characters.")
	}
	return nil
}

// The prompts that exist; "create" is of Initiating User Registration via OpenID Connect.
const (
	promptNone    = "none"
	promptLogin   = "login"
	promptConsent = "consent"
	promptSelect  = "select_account"
	promptCreate  = "create"
)

var prompts = []string{promptNone, promptLogin, promptConsent, promptSelect, promptCreate}

// displays are the values of "display". The pages suit all of them, so that it changes nothing.
var displays = []string{"page", "popup", "touch", "wap"}

func (p *Provider) prompted(a *asked) error {
	a.prompts = strings.Fields(a.Form.Get("prompt"))
	for _, one := range a.prompts {
		if !slices.Contains(prompts, one) {
			return fosite.ErrInvalidRequest.WithHint("The prompt is none, or any of login, consent, select_account and create.")
		}
	}
	if len(a.prompts) > 1 && a.prompt(promptNone) {
		return fosite.ErrInvalidRequest.WithHint("The prompt none stands alone: it cannot be asked for together with another.")
	}
	return nil
}

func (a *asked) prompt(one string) bool { return slices.Contains(a.prompts, one) }

// aged reads max_age; without one, what the client registered counts.
func aged(a *asked) error {
	given := a.Form.Get("max_age")
	if given == "" {
		if a.client.DefaultMaxAge != nil {
			age := time.Duration(*a.client.DefaultMaxAge) * time.Second
			a.maxAge = &age
		}
		return nil
	}
	seconds, err := strconv.ParseInt(given, 10, 32)
	if err != nil || seconds < 0 {
		return fosite.ErrInvalidRequest.WithHint("The max_age is a whole number of seconds, 0 or more.")
	}
	age := time.Duration(seconds) * time.Second
	a.maxAge = &age
	return nil
}

func (p *Provider) hinted(ctx context.Context, a *asked) error {
	raw := a.Form.Get("id_token_hint")
	if raw == "" {
		return nil
	}
	hint, err := p.readHint(ctx, raw)
	if err != nil || hint.Audience != string(a.client.ID) {
		return fosite.ErrInvalidRequest.WithHint("The id_token_hint is not an ID token that this client got from here.")
	}
	a.subjects = append(a.subjects, []string{hint.Subject})
	return nil
}

// scoped reads the scopes. Where no code comes, no refresh token ever will, so that
// offline_access is left out (OIDC Core §11).
func scoped(a *asked) error {
	scopes := strings.Fields(a.Form.Get("scope"))
	if len(scopes) > maxScopes {
		return fosite.ErrInvalidScope.WithHintf("At most %d scopes.", maxScopes)
	}
	slices.Sort(scopes)
	a.scopes = slices.Compact(scopes)
	if !a.gives(partCode) {
		a.scopes = slices.DeleteFunc(a.scopes, func(s string) bool { return s == "offline_access" })
	}
	return nil
}

// need is what the request demands of a session.
func (a *asked) need() session.Need {
	n := a.takes
	n.MaxAge, n.Anew, n.RequestedAt = a.maxAge, a.prompt(promptLogin), a.RequestedAt
	return n
}

// pack parks the request as what a person must answer.
func (a *asked) pack(browser session.BrowserID, id login.AskID, now time.Time) (login.Ask, error) {
	kept := a.Request
	kept.Form = worthKeeping(a.Form)
	text, err := json.Marshal(kept)
	if err != nil {
		return login.Ask{}, fmt.Errorf("park request: %w", err)
	}
	return login.Ask{
		ID: id, Browser: browser, Party: a.client.Party(a.redirect, a.locales...), Need: a.need(), Scopes: a.consents(),
		Hint: a.Form.Get("login_hint"), Upstream: upstreamOf(a.Form), Locales: a.locales,
		SignUp: a.prompt(promptCreate), Choose: a.prompt(promptSelect),
		Request: text, CreatedAt: now, ExpiresAt: now.Add(askLife),
	}, nil
}

func take(list []string, most int) []string { return list[:min(len(list), most)] }

func hostOf(uri string) string {
	u, err := url.Parse(uri)
	if err != nil {
		return ""
	}
	if u.Host == "" {
		return u.Scheme + ":"
	}
	return u.Host
}
