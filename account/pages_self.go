package account

import (
	"errors"
	"net/http"

	"idp/identity"
	"idp/internal/problem"
	"idp/internal/web"
)

// SaveProfile answers POST /account/profile.
func (p *Pages) SaveProfile(w http.ResponseWriter, r *http.Request) error {
	by, ok, err := p.acting(w, r)
	if !ok {
		return err
	}
	field := func(name string) *string { v := r.PostFormValue(name); return &v }
	_, err = p.Self.SaveProfile(r.Context(), by, ProfileChange{
		Name: field("name"), GivenName: field("given_name"), FamilyName: field("family_name"), Locale: field("locale"), Zoneinfo: field("zoneinfo"),
	})
	if err != nil {
		return p.again(w, r, by, err, func(d *page) {
			d.Profile = profileForm{*field("name"), *field("given_name"), *field("family_name"), *field("locale"), *field("zoneinfo")}
		})
	}
	return done(w, r, "profile")
}

// AddIdentifier answers POST /account/identifiers: a code goes to the address or phone number
// in the field address, and it comes on file when the code comes back. The field kind says
// which form it was. Who has not proven lately who they are does that first.
func (p *Pages) AddIdentifier(w http.ResponseWriter, r *http.Request) error {
	by, ok, err := p.acting(w, r)
	if !ok {
		return err
	}
	value, field := r.PostFormValue("address"), "email"
	if identity.Kind(r.PostFormValue("kind")) == identity.Phone {
		field = "phone"
	}
	b, err := p.extension(by, value, identity.Kind(field))
	if err == nil {
		err = p.begin(w, r, b, home+"?done=added")
	}
	if err == nil {
		return nil
	}
	return p.again(w, r, by, on(field, err), func(d *page) {
		if field == "phone" {
			d.Typed.Phone = value
			return
		}
		d.Typed.Email = value
	})
}

// on says of a problem with something typed which field it was typed in.
func on(field string, err error) error {
	var e *problem.Error
	if errors.As(err, &e) && (e.Kind == problem.Invalid || e.Kind == problem.Conflict) {
		return e.On(field)
	}
	return err
}

// Primary answers POST /account/identifiers/primary: the one named id is the main one of its kind.
func (p *Pages) Primary(w http.ResponseWriter, r *http.Request) error {
	return p.sensitive(w, r, "primary", func(by By) error {
		return p.MakePrimary(r.Context(), by, identity.HoldingID(r.PostFormValue("id")))
	})
}

// Remove answers POST /account/identifiers/remove: the one named id leaves the account.
func (p *Pages) Remove(w http.ResponseWriter, r *http.Request) error {
	return p.sensitive(w, r, "removed", func(by By) error {
		return p.RemoveIdentifier(r.Context(), by, identity.HoldingID(r.PostFormValue("id")))
	})
}

// sensitive lets somebody do something on the account page who proved lately who they are.
func (p *Pages) sensitive(w http.ResponseWriter, r *http.Request, what string, do func(By) error) error {
	s, who, ok, err := p.recently(w, r, confirmed)
	if !ok {
		return err
	}
	by := p.by(r, s, who)
	if err := do(by); err != nil {
		return p.again(w, r, by, err, nil)
	}
	return done(w, r, what)
}

// TakeOut answers POST /account/export with all that is on file, as a file.
func (p *Pages) TakeOut(w http.ResponseWriter, r *http.Request) error {
	s, who, ok, err := p.recently(w, r, confirmed)
	if !ok {
		return err
	}
	x, err := p.Export(r.Context(), p.by(r, s, who))
	if err != nil {
		return err
	}
	return handOut(w, x)
}

// handOut writes an export as a file.
func handOut(w http.ResponseWriter, x Export) error {
	w.Header().Set("Content-Disposition", `attachment; filename="account.json"`)
	return web.WriteJSON(w, http.StatusOK, x)
}
