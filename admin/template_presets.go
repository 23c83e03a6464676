package admin

import (
	"net/url"

	"idp/token"
)

// presetChoice is a target to choose a template for.
type presetChoice struct {
	Name, Title string
	Secret      bool // it signs with a key that the target shares
}

func presetChoices() (all []presetChoice) {
	for _, p := range token.Presets() {
		all = append(all, presetChoice{p.Name, p.Title, p.Key != ""})
	}
	return all
}

// presetOf returns the preset that a template was made of; an unknown one says nothing.
func presetOf(name string) token.Preset {
	p, err := token.PresetNamed(name)
	if err != nil {
		return token.Preset{}
	}
	return p
}

// The words that new templates begin with beside the names of presets.
const (
	fromBlank   = "blank"
	fromSession = token.SessionTemplate
)

// beginning is what a new template is made of: a preset with what q says of its needs, the claims
// of the session token, or next to nothing. What a preset still needs is problem.Invalid on
// its name.
func beginning(q url.Values) (t token.Template, known bool, err error) {
	t = token.Template{Lifetime: token.DefaultLifetime, Skew: token.DefaultSkew, Algorithm: token.ES256}
	switch from := q.Get("from"); from {
	case fromBlank:
		t.Claims = []byte("{\n  \"email\": \"{{user.primary_email_address}}\"\n}")
	case fromSession:
		t.Name, t.Claims = token.SessionTemplate, []byte("{\n  \"roles\": \"{{user.roles}}\"\n}")
	default:
		p := presetOf(from)
		if p.Name == "" {
			return t, false, nil
		}
		values := map[string]string{}
		for _, n := range p.Needs {
			values[n.Name] = q.Get(n.Name)
		}
		t, err = p.Make(values)
	}
	return t, true, err
}
