package admin

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"idp/identity"
	"idp/internal/problem"
	"idp/internal/secret"
	"idp/internal/web"
	"idp/provider"
	"idp/token"
)

// appForm is what an operator fills in about an app.
type appForm struct {
	ID                         provider.ClientID // "" for a new one
	Name                       string
	Kind                       provider.ClientType
	Redirects, Logouts         string // one per line
	Backchannel, Frontchannel  string
	Answers                    []answer // for apps that people sign in to
	FirstParty, Introspect     bool
	AllClaims                  bool
	RequirePKCE, RequirePAR    bool
	Format                     provider.AccessTokenFormat
	Algorithm                  string   // of JWT access tokens
	Algorithms                 []string // there are
	IDTemplate, AccessTemplate string
	Templates                  []string // that tokens may have the claims of
	Metadata                   string   // all of it, as JSON
	Kinds                      []provider.ClientType
	Disabled, Public, Secret   bool
	CreatedAt                  time.Time
	Recipes                    []Recipe
	Issuer                     string
	Saved                      bool
}

// answer is a response type to tick.
type answer struct {
	Type string
	On   bool
	Old  bool // returns tokens through the browser
}

func readApp(r *http.Request) appForm {
	return appForm{
		Name: strings.TrimSpace(r.PostFormValue("name")), Kind: provider.ClientType(r.PostFormValue("type")), Kinds: kinds,
		Redirects: r.PostFormValue("redirect_uris"), Logouts: r.PostFormValue("post_logout_redirect_uris"),
		FirstParty: ticked(r, "first_party"), Introspect: ticked(r, "may_introspect"),
	}
}

// readWholeApp reads what the page of an app asks for beyond readApp.
func readWholeApp(r *http.Request) appForm {
	f := readApp(r)
	f.Backchannel = strings.TrimSpace(r.PostFormValue("backchannel_logout_uri"))
	f.Frontchannel = strings.TrimSpace(r.PostFormValue("frontchannel_logout_uri"))
	f.AllClaims, f.RequirePKCE, f.RequirePAR = ticked(r, "id_token_claims"), ticked(r, "require_pkce"), ticked(r, "require_par")
	f.Answers = answers(r.PostForm["response_types"])
	f.Format = provider.AccessTokenFormat(r.PostFormValue("access_token_format"))
	f.Algorithm = r.PostFormValue("access_token_signed_response_alg")
	f.IDTemplate, f.AccessTemplate = r.PostFormValue("id_token_template"), r.PostFormValue("access_token_template")
	return f
}

func answers(on []string) []answer {
	var all []answer
	for _, t := range provider.ResponseTypes() {
		ticked := false
		for _, one := range on {
			ticked = ticked || one == t
		}
		all = append(all, answer{Type: t, On: ticked, Old: t != "code"})
	}
	return all
}

// put writes the settings into a client.
func (f appForm) put(c *provider.Client) {
	c.Name, c.RedirectURIs, c.PostLogoutRedirectURIs = f.Name, lines(f.Redirects), lines(f.Logouts)
	c.FirstParty, c.MayIntrospect = f.FirstParty, f.Introspect
	c.AccessTokenFormat, c.IDTokenTemplate, c.AccessTokenTemplate = f.Format, f.IDTemplate, f.AccessTemplate
	c.AccessTokenAlgorithm = ""
	if f.Format == provider.JWT { // the choice is on the page all the same
		c.AccessTokenAlgorithm = f.Algorithm
	}
	if c.Type == provider.Machine {
		return
	}
	c.BackchannelLogoutURI, c.FrontchannelLogoutURI = f.Backchannel, f.Frontchannel
	c.IDTokenClaims, c.RequirePKCE, c.RequirePAR = f.AllClaims, f.RequirePKCE, f.RequirePAR
	var on []string
	for _, a := range f.Answers {
		if a.On {
			on = append(on, a.Type)
		}
	}
	c.AnswerWith(on)
}

func (p *Pages) appForm(c provider.Client) (appForm, error) {
	text, err := c.Describe(nil)
	if err != nil {
		return appForm{}, err
	}
	var spaced bytes.Buffer
	if err := json.Indent(&spaced, text, "", "  "); err != nil {
		return appForm{}, err
	}
	f := appForm{
		ID: c.ID, Name: c.Name, Kind: c.Type, Redirects: strings.Join(c.RedirectURIs, "\n"), Logouts: strings.Join(c.PostLogoutRedirectURIs, "\n"),
		Backchannel: c.BackchannelLogoutURI, Frontchannel: c.FrontchannelLogoutURI, Answers: answers(c.ResponseTypes),
		FirstParty: c.FirstParty, Introspect: c.MayIntrospect, AllClaims: c.IDTokenClaims,
		RequirePKCE: c.RequirePKCE, RequirePAR: c.RequirePAR, Metadata: spaced.String(),
		Disabled: c.Disabled, Public: c.Public(), Secret: c.HasSecret(), CreatedAt: c.CreatedAt,
		Recipes: Recipes(p.Issuer, c, secret.String{}), Issuer: p.Issuer,
		Algorithm: cmp.Or(c.AccessTokenAlgorithm, token.ES256), Algorithms: token.SigningAlgorithms,
		Format: c.AccessTokenFormat, IDTemplate: c.IDTokenTemplate, AccessTemplate: c.AccessTokenTemplate,
	}
	if p.ForApps != nil {
		f.Templates = p.ForApps()
	}
	for _, name := range []string{f.IDTemplate, f.AccessTemplate} { // also one that is gone, so that saving keeps it
		if name != "" && !slices.Contains(f.Templates, name) {
			f.Templates = append(f.Templates, name)
		}
	}
	return f, nil
}

// SaveApp answers POST /operator/apps/{client}.
func (p *Pages) SaveApp() web.Handler {
	return p.operator(func(w http.ResponseWriter, r *http.Request, by identity.User) error {
		id, f := provider.ClientID(r.PathValue("client")), readWholeApp(r)
		_, err := p.Clients.Update(r.Context(), id, string(by.ID), func(c *provider.Client) error {
			f.put(c)
			return nil
		})
		if err == nil {
			return web.Redirect(w, r, appPath(id)+"?saved=1")
		}
		shown, lookErr := p.presentApp(r, id)
		if lookErr != nil {
			return lookErr
		}
		shown.Name, shown.Redirects, shown.Logouts, shown.FirstParty, shown.Introspect = f.Name, f.Redirects, f.Logouts, f.FirstParty, f.Introspect
		shown.Backchannel, shown.Frontchannel, shown.Answers = f.Backchannel, f.Frontchannel, f.Answers
		shown.Algorithm = f.Algorithm
		shown.Format, shown.IDTemplate, shown.AccessTemplate = f.Format, f.IDTemplate, f.AccessTemplate
		shown.AllClaims, shown.RequirePKCE, shown.RequirePAR = f.AllClaims, f.RequirePKCE, f.RequirePAR
		return p.Web.Again(w, r, err, "operator_app", shown)
	})
}

// DescribeApp answers POST /operator/apps/{client}/metadata: all settings, as JSON. Where they
// need a new secret the answer shows it, this once.
func (p *Pages) DescribeApp() web.Handler {
	return p.operator(func(w http.ResponseWriter, r *http.Request, by identity.User) error {
		id, text := provider.ClientID(r.PathValue("client")), r.PostFormValue("metadata")
		c, key, err := p.Clients.Revise(r.Context(), id, string(by.ID), func(c *provider.Client) (err error) {
			*c, err = provider.Described([]byte(text), *c)
			return err
		})
		if err != nil {
			shown, lookErr := p.presentApp(r, id)
			if lookErr != nil {
				return lookErr
			}
			shown.Metadata = text
			return p.Web.Again(w, r, inMetadata(err), "operator_app", shown)
		}
		if !key.Empty() {
			return p.made(w, r, c, key, "app.renewed")
		}
		return web.Redirect(w, r, appPath(id)+"?saved=1")
	})
}

func (p *Pages) presentApp(r *http.Request, id provider.ClientID) (appForm, error) {
	c, err := p.Clients.Get(r.Context(), id)
	if err != nil {
		return appForm{}, err
	}
	return p.appForm(c)
}

// inMetadata says of a member what is wrong with the JSON that it stands in.
func inMetadata(err error) error {
	var e *problem.Error
	if !errors.As(err, &e) || e.Field == "" {
		return err
	}
	return problem.New(e.Kind, "metadata_refused", e.Field+": "+e.Detail).On("metadata").Because(err)
}
