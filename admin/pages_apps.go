package admin

import (
	"net/http"
	"net/url"
	"time"

	"idp/identity"
	"idp/internal/secret"
	"idp/internal/web"
	"idp/provider"
)

const (
	appsPage     = 50 // apps on one page
	rotationLife = 24 * time.Hour
)

// appRow is an app in the list.
type appRow struct {
	ID                   provider.ClientID
	Name                 string
	Kind                 provider.ClientType
	Disabled, FirstParty bool
}

// Apps answers GET /operator with the apps.
func (p *Pages) Apps() web.Handler {
	return p.operator(func(w http.ResponseWriter, r *http.Request, _ identity.User) error {
		clients, err := p.Clients.List(r.Context(), provider.ClientID(r.URL.Query().Get("after")), appsPage)
		if err != nil {
			return err
		}
		data := struct {
			Apps []appRow
			More string
		}{}
		for _, c := range clients {
			data.Apps = append(data.Apps, appRow{c.ID, shownName(c), c.Type, c.Disabled, c.FirstParty})
		}
		if len(clients) == appsPage {
			data.More = "/operator?after=" + url.QueryEscape(string(clients[len(clients)-1].ID))
		}
		return p.Web.Show(w, r, http.StatusOK, "operator_apps", data)
	})
}

func shownName(c provider.Client) string {
	if c.Name == "" {
		return string(c.ID)
	}
	return c.Name
}

var kinds = []provider.ClientType{provider.Web, provider.SPA, provider.Native, provider.Machine}

// NewApp answers GET /operator/apps/new with an empty form.
func (p *Pages) NewApp() web.Handler {
	return p.operator(func(w http.ResponseWriter, r *http.Request, _ identity.User) error {
		return p.Web.Show(w, r, http.StatusOK, "operator_app_new", appForm{Kind: provider.Web, Kinds: kinds})
	})
}

// AddApp answers POST /operator/apps. The answer shows the secret, this once, so it is no redirect.
func (p *Pages) AddApp() web.Handler {
	return p.operator(func(w http.ResponseWriter, r *http.Request, by identity.User) error {
		f := readApp(r)
		c, key, err := p.Clients.Create(r.Context(), provider.Client{
			Type: f.Kind, Name: f.Name, RedirectURIs: lines(f.Redirects), PostLogoutRedirectURIs: lines(f.Logouts),
			FirstParty: f.FirstParty, MayIntrospect: f.Introspect,
		}, string(by.ID))
		if err != nil {
			return p.Web.Again(w, r, err, "operator_app_new", f)
		}
		return p.made(w, r, c, key, "app.made")
	})
}

// made shows an app's secret and configuration.
func (p *Pages) made(w http.ResponseWriter, r *http.Request, c provider.Client, key secret.String, words string) error {
	return p.Web.Show(w, r, http.StatusCreated, "operator_app_made", struct {
		Words   string
		ID      provider.ClientID
		Name    string
		Key     string
		Issuer  string
		Recipes []Recipe
	}{words, c.ID, shownName(c), key.Reveal(), p.Issuer, Recipes(p.Issuer, c, key)})
}

// App answers GET /operator/apps/{client}.
func (p *Pages) App() web.Handler {
	return p.operator(func(w http.ResponseWriter, r *http.Request, _ identity.User) error {
		f, err := p.presentApp(r, provider.ClientID(r.PathValue("client")))
		if err != nil {
			return err
		}
		f.Saved = r.URL.Query().Has("saved")
		return p.Web.Show(w, r, http.StatusOK, "operator_app", f)
	})
}

func appPath(id provider.ClientID) string { return "/operator/apps/" + url.PathEscape(string(id)) }

// RotateApp answers POST /operator/apps/{client}/secret: a new secret, shown this once.
func (p *Pages) RotateApp() web.Handler {
	return p.operator(func(w http.ResponseWriter, r *http.Request, by identity.User) error {
		id := provider.ClientID(r.PathValue("client"))
		key, err := p.Clients.RotateSecret(r.Context(), id, rotationLife, string(by.ID))
		if err != nil {
			return err
		}
		c, err := p.Clients.Get(r.Context(), id)
		if err != nil {
			return err
		}
		return p.made(w, r, c, key, "app.rotated")
	})
}

// TurnApp answers POST /operator/apps/{client}/turn: off, or on again.
func (p *Pages) TurnApp() web.Handler {
	return p.operator(func(w http.ResponseWriter, r *http.Request, by identity.User) error {
		id, turn := provider.ClientID(r.PathValue("client")), p.Clients.Enable
		if r.PostFormValue("turn") == "off" {
			turn = p.Clients.Disable
		}
		if err := turn(r.Context(), id, string(by.ID)); err != nil {
			return err
		}
		return web.Redirect(w, r, appPath(id)+"?saved=1")
	})
}

// DeleteApp answers POST /operator/apps/{client}/delete.
func (p *Pages) DeleteApp() web.Handler {
	return p.operator(func(w http.ResponseWriter, r *http.Request, by identity.User) error {
		if err := p.Clients.Delete(r.Context(), provider.ClientID(r.PathValue("client")), string(by.ID)); err != nil {
			return err
		}
		return web.Redirect(w, r, "/operator")
	})
}
