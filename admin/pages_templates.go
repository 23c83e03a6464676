package admin

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"idp/identity"
	"idp/internal/web"
	"idp/token"
)

// templateRow is a template in the list.
type templateRow struct {
	Name, Preset, Algorithm string
	Lifetime                int // seconds
	Audience                string
	Own                     bool // it signs with a key of its own
	Session                 bool // it is the session token itself
}

// ListTemplates answers GET /operator/templates.
func (p *Pages) ListTemplates() web.Handler {
	return p.operator(func(w http.ResponseWriter, r *http.Request, _ identity.User) error {
		all, err := p.Templates.List(r.Context())
		if err != nil {
			return err
		}
		rows := []templateRow{}
		for _, t := range all {
			rows = append(rows, templateRow{
				t.Name, presetOf(t.Preset).Title, t.Algorithm, int(t.Lifetime), strings.Join(t.Audience, ", "), !t.Key.None(), t.Name == token.SessionTemplate,
			})
		}
		return p.Web.Show(w, r, http.StatusOK, "operator_templates", struct {
			Templates []templateRow
			Issuer    string
			Deleted   bool
		}{rows, p.Issuer, r.URL.Query().Has("deleted")})
	})
}

// templateChoice is what a new template may begin with, or what a preset still needs.
type templateChoice struct {
	Presets []presetChoice
	Session bool // that one is there already
	Of      token.Preset
	Needs   []needed // of Of
}

type needed struct {
	token.Need

	Value string
}

func (c *templateChoice) ask(q url.Values) {
	c.Of = presetOf(q.Get("from"))
	for _, n := range c.Of.Needs {
		value := q.Get(n.Name)
		if value == "" {
			value = n.Otherwise
		}
		c.Needs = append(c.Needs, needed{n, value})
	}
}

// NewTemplate answers GET /operator/templates/new: the choice of what to begin with, and then the
// form, filled in from a preset, with what the session token adds, or with next to nothing.
func (p *Pages) NewTemplate() web.Handler {
	return p.operator(func(w http.ResponseWriter, r *http.Request, by identity.User) error {
		q := r.URL.Query()
		all, err := p.Templates.List(r.Context())
		if err != nil {
			return err
		}
		taken := func(name string) bool {
			return slices.ContainsFunc(all, func(t token.Template) bool { return t.Name == name })
		}
		t, ok, err := beginning(q)
		choice := templateChoice{Presets: presetChoices(), Session: taken(token.SessionTemplate)}
		switch {
		case !ok:
			return p.Web.Show(w, r, http.StatusOK, "operator_template_choose", choice)
		case err != nil:
			choice.ask(q)
			if len(q) == 1 { // nothing was asked yet
				return p.Web.Show(w, r, http.StatusOK, "operator_template_choose", choice)
			}
			return p.Web.Again(w, r, err, "operator_template_choose", choice)
		}
		for base, n := t.Name, 2; t.Name != "" && t.Name != token.SessionTemplate && taken(t.Name); n++ {
			t.Name = fmt.Sprintf("%s-%d", base, n)
		}
		f := p.templateForm(t, token.Template{})
		if f.Who, err = p.addressOf(r, by); err != nil {
			return err
		}
		return p.Web.Show(w, r, http.StatusOK, "operator_template", f)
	})
}

// AddTemplate answers POST /operator/templates: "do" is preview, or the template is made.
func (p *Pages) AddTemplate() web.Handler {
	return p.operator(func(w http.ResponseWriter, r *http.Request, by identity.User) error {
		typed := readTemplate(r, token.Template{Name: strings.TrimSpace(r.PostFormValue("name")), Preset: r.PostFormValue("preset")})
		f := p.templateForm(typed.Template, token.Template{})
		f.typed(r)
		if wantsPreview(r) {
			return p.preview(w, r, f, typed, token.Template{}, string(by.ID))
		}
		t, err := typed.keyed()
		if err == nil {
			t, err = p.Templates.Create(r.Context(), t, string(by.ID))
		}
		if err != nil {
			f.mistaken(err)
			return p.Web.Again(w, r, inTemplate(err), "operator_template", f)
		}
		return web.Redirect(w, r, templatePath(t.Name)+"?made=1")
	})
}

func templatePath(name string) string { return "/operator/templates/" + url.PathEscape(name) }

func wantsPreview(r *http.Request) bool { return r.PostFormValue("do") == "preview" }

// ShowTemplate answers GET /operator/templates/{template}.
func (p *Pages) ShowTemplate() web.Handler {
	return p.operator(func(w http.ResponseWriter, r *http.Request, by identity.User) error {
		f, _, err := p.keptTemplate(r)
		if err != nil {
			return err
		}
		if f.Who, err = p.addressOf(r, by); err != nil {
			return err
		}
		f.Saved, f.Made = r.URL.Query().Has("saved"), r.URL.Query().Has("made")
		return p.Web.Show(w, r, http.StatusOK, "operator_template", f)
	})
}

// addressOf is whom a preview begins with: the operator, who is a person like others.
func (p *Pages) addressOf(r *http.Request, by identity.User) (string, error) {
	person, err := p.Users.Find(r.Context(), string(by.ID))
	if err != nil {
		return "", err
	}
	_, address := person.Shown()
	return address, nil
}

// keptTemplate is the form of a template that is there.
func (p *Pages) keptTemplate(r *http.Request) (templateForm, token.Template, error) {
	t, err := p.Templates.Get(r.Context(), r.PathValue("template"))
	if err != nil {
		return templateForm{}, t, err
	}
	f := p.templateForm(t, t)
	using, err := p.Templates.Using(r.Context(), t.Name)
	for _, c := range using {
		f.Using = append(f.Using, appRow{c.ID, shownName(c), c.Type, c.Disabled, c.FirstParty})
	}
	return f, t, err
}

// SaveTemplate answers POST /operator/templates/{template}: "do" is preview, or the template is
// changed. What the form does not ask for stays.
func (p *Pages) SaveTemplate() web.Handler {
	return p.operator(func(w http.ResponseWriter, r *http.Request, by identity.User) error {
		f, old, err := p.keptTemplate(r)
		if err != nil {
			return err
		}
		typed := readTemplate(r, old)
		f.fill(typed.Template)
		f.typed(r)
		if wantsPreview(r) {
			return p.preview(w, r, f, typed, old, string(by.ID))
		}
		t, err := typed.keyed()
		if err == nil {
			_, err = p.Templates.Replace(r.Context(), old.Name, t, string(by.ID))
		}
		if err != nil {
			f.mistaken(err)
			return p.Web.Again(w, r, inTemplate(err), "operator_template", f)
		}
		return web.Redirect(w, r, templatePath(old.Name)+"?saved=1")
	})
}

// preview shows what the template in the form says of the person who is named in it. Nothing is
// saved, and the token is not shown.
func (p *Pages) preview(w http.ResponseWriter, r *http.Request, f templateForm, typed typedTemplate, old token.Template, actor string) error {
	f.Previewing = true
	t, err := typed.keyed()
	if err == nil {
		if t.Name == "" {
			t.Name = "preview" // a name is asked for when it is saved
		}
		err = f.look(r, p, t, old, actor)
	}
	if err != nil {
		f.mistaken(err)
		return p.Web.Again(w, r, inTemplate(err), "operator_template", f)
	}
	return p.Web.Show(w, r, http.StatusOK, "operator_template", f)
}

// DeleteTemplate answers POST /operator/templates/{template}/delete.
func (p *Pages) DeleteTemplate() web.Handler {
	return p.operator(func(w http.ResponseWriter, r *http.Request, by identity.User) error {
		f, old, err := p.keptTemplate(r)
		if err != nil {
			return err
		}
		if err := p.Templates.Delete(r.Context(), old.Name, string(by.ID)); err != nil {
			return p.Web.Again(w, r, err, "operator_template", f)
		}
		return web.Redirect(w, r, "/operator/templates?deleted=1")
	})
}
