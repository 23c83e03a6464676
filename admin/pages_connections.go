package admin

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"idp/federation"
	"idp/identity"
	"idp/internal/problem"
	"idp/internal/web"
)

// connectionRow is a connection in the list.
type connectionRow struct {
	Name, Title, Preset, Domains string
	Type                         federation.Type
	Disabled, Hidden, Enforce    bool
	Linked                       int
}

// ListConnections answers GET /operator/connections.
func (p *Pages) ListConnections() web.Handler {
	return p.operator(func(w http.ResponseWriter, r *http.Request, _ identity.User) error {
		all, err := p.Connections.List(r.Context())
		if err != nil {
			return err
		}
		var rows []connectionRow
		for _, x := range all {
			rows = append(rows, connectionRow{
				Name: x.Name, Title: x.Shown(), Preset: x.Preset, Type: x.Type, Domains: strings.Join(x.Domains, ", "),
				Disabled: x.Disabled, Hidden: x.Hidden, Enforce: x.Enforce, Linked: x.Linked,
			})
		}
		return p.Web.Show(w, r, http.StatusOK, "operator_connections", struct {
			Connections []connectionRow
			Deleted     bool
		}{rows, r.URL.Query().Has("deleted")})
	})
}

// presetRow is a provider to choose. Note tells it from another one of the same title.
type presetRow struct{ Name, Title, Note string }

func presetRows() (rows []presetRow) {
	for _, p := range federation.Presets() {
		row := presetRow{Name: p.Name, Title: p.Title}
		if words := strings.ReplaceAll(p.Name, "_", " "); words != p.Name {
			row.Note = words
		}
		rows = append(rows, row)
	}
	return rows
}

// NewConnection answers GET /operator/connections/new: without a preset or type the choice of
// one, then the question for a name, then the form with what has to be told to the provider.
func (p *Pages) NewConnection() web.Handler {
	return p.operator(func(w http.ResponseWriter, r *http.Request, _ identity.User) error {
		q := r.URL.Query()
		x := federation.Connection{Preset: q.Get("preset"), Type: federation.Type(q.Get("type")), Name: strings.TrimSpace(q.Get("name"))}.Tidy()
		if !federation.Known(x.Preset, x.Type) {
			return p.Web.Show(w, r, http.StatusOK, "operator_connection_choose", struct{ Presets []presetRow }{presetRows()})
		}
		if x.Name == "" && x.Preset != "" {
			free, err := p.freeName(r.Context(), strings.ReplaceAll(x.Preset, "_", "-"))
			if err != nil {
				return err
			}
			x.Name = free
		}
		if x.Name == "" && !q.Has("name") {
			return p.Web.Show(w, r, http.StatusOK, "operator_connection", p.draft(x))
		}
		if err := p.mayBeCalled(r.Context(), x.Name); err != nil {
			f := p.draft(federation.Connection{Preset: x.Preset, Type: x.Type})
			f.Asked = x.Name
			return p.Web.Again(w, r, err, "operator_connection", f)
		}
		return p.Web.Show(w, r, http.StatusOK, "operator_connection", p.draft(x))
	})
}

// freeName returns a name that nobody has: google, google-2.
func (p *Pages) freeName(ctx context.Context, name string) (string, error) {
	all, err := p.Connections.List(ctx)
	if err != nil {
		return "", err
	}
	free := name
	for n := 2; slices.ContainsFunc(all, func(x Listed) bool { return x.Name == free }); n++ {
		free = fmt.Sprintf("%s-%d", name, n)
	}
	return free, nil
}

// mayBeCalled reports what is wrong with a name for a new connection.
func (p *Pages) mayBeCalled(ctx context.Context, name string) error {
	if err := federation.CheckName(name); err != nil {
		return err
	}
	_, err := p.Connections.Get(ctx, name)
	switch {
	case err == nil:
		return errConnectionName
	case problem.Is(err, problem.NotFound):
		return nil
	}
	return err
}

// AddConnection answers POST /operator/connections.
func (p *Pages) AddConnection() web.Handler {
	return p.operator(func(w http.ResponseWriter, r *http.Request, by identity.User) error {
		x := federation.Connection{
			Name: r.PostFormValue("name"), Preset: r.PostFormValue("preset"), Type: federation.Type(r.PostFormValue("type")),
		}.Tidy()
		if !federation.Known(x.Preset, x.Type) {
			return web.Redirect(w, r, "/operator/connections/new")
		}
		x, err := readConnection(r, x)
		if err == nil {
			x, err = p.Connections.Create(r.Context(), x, string(by.ID))
		}
		if err != nil {
			f := p.draft(x)
			f.typed(r)
			return p.Web.Again(w, r, inForm(err), "operator_connection", f)
		}
		return web.Redirect(w, r, connectionPath(x.Name)+"?made=1")
	})
}

func connectionPath(name string) string { return "/operator/connections/" + url.PathEscape(name) }

// ShowConnection answers GET /operator/connections/{connection}.
func (p *Pages) ShowConnection() web.Handler {
	return p.operator(func(w http.ResponseWriter, r *http.Request, _ identity.User) error {
		f, _, err := p.presentConnection(r)
		if err != nil {
			return err
		}
		f.Saved, f.Made = r.URL.Query().Has("saved"), r.URL.Query().Has("made")
		return p.Web.Show(w, r, http.StatusOK, "operator_connection", f)
	})
}

// SaveConnection answers POST /operator/connections/{connection}. A secret that is left empty
// stays, and so does what the form does not ask for.
func (p *Pages) SaveConnection() web.Handler {
	return p.operator(func(w http.ResponseWriter, r *http.Request, by identity.User) error {
		f, old, err := p.presentConnection(r)
		if err != nil {
			return err
		}
		x, err := readConnection(r, old)
		if err == nil {
			_, err = p.Connections.Replace(r.Context(), old.Name, x, string(by.ID))
		}
		if err != nil {
			f.show(x)
			f.typed(r)
			return p.Web.Again(w, r, inForm(err), "operator_connection", f)
		}
		return web.Redirect(w, r, connectionPath(old.Name)+"?saved=1")
	})
}

// DescribeConnection answers POST /operator/connections/{connection}/json: all of it, as in a file.
func (p *Pages) DescribeConnection() web.Handler {
	return p.operator(func(w http.ResponseWriter, r *http.Request, by identity.User) error {
		f, old, err := p.presentConnection(r)
		if err != nil {
			return err
		}
		text := r.PostFormValue("json")
		x, err := federation.ReadConnection([]byte(text))
		if err == nil {
			_, err = p.Connections.Replace(r.Context(), old.Name, x, string(by.ID))
		}
		if err == nil {
			return web.Redirect(w, r, connectionPath(old.Name)+"?saved=1")
		}
		f.JSON = text
		var e *problem.Error
		if errors.As(err, &e) && e.Kind == problem.Invalid {
			detail := e.Detail
			if e.Field != "" {
				detail = e.Field + ": " + detail
			}
			err = problem.New(e.Kind, e.Code, detail).On("json").Because(err)
		}
		return p.Web.Again(w, r, err, "operator_connection", f)
	})
}

// TestConnection answers POST /operator/connections/{connection}/test with what was found.
func (p *Pages) TestConnection() web.Handler {
	return p.operator(func(w http.ResponseWriter, r *http.Request, _ identity.User) error {
		f, x, err := p.presentConnection(r)
		if err != nil {
			return err
		}
		found := p.Connections.Federation.Test(r.Context(), x)
		f.Report = &found
		return p.Web.Show(w, r, http.StatusOK, "operator_connection", f)
	})
}

// TurnConnection answers POST /operator/connections/{connection}/turn: off, or on again.
func (p *Pages) TurnConnection() web.Handler {
	return p.operator(func(w http.ResponseWriter, r *http.Request, by identity.User) error {
		name, turn := r.PathValue("connection"), p.Connections.Enable
		if r.PostFormValue("turn") == "off" {
			turn = p.Connections.Disable
		}
		if err := turn(r.Context(), name, string(by.ID)); err != nil {
			return err
		}
		return web.Redirect(w, r, connectionPath(name)+"?saved=1")
	})
}

// DeleteConnection answers POST /operator/connections/{connection}/delete. Who would be left
// without a way in is said, and the operator has to insist.
func (p *Pages) DeleteConnection() web.Handler {
	return p.operator(func(w http.ResponseWriter, r *http.Request, by identity.User) error {
		f, old, err := p.presentConnection(r)
		if err != nil {
			return err
		}
		if _, err := p.Connections.Delete(r.Context(), old.Name, ticked(r, "force"), string(by.ID)); err != nil {
			return p.Web.Again(w, r, err, "operator_connection", f)
		}
		return web.Redirect(w, r, "/operator/connections?deleted=1")
	})
}
