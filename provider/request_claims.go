package provider

import (
	"bytes"
	"encoding/json"
	"errors"
	"slices"

	"github.com/ory/fosite"
)

// ClaimsRequest is what the parameter "claims" asks for beyond the scopes (OIDC Core §5.5):
// names of claims, by where they shall be. Values it demands of sub and acr are part of the
// request, not of this. It names only what the client could ask for by scope.
type ClaimsRequest struct {
	IDToken  []string `json:"id_token,omitempty"`
	Userinfo []string `json:"userinfo,omitempty"`
}

// wishes are the parameter as it comes: for each place the claims, null or with demands.
type wishes struct {
	IDToken  map[string]*wish `json:"id_token"`
	Userinfo map[string]*wish `json:"userinfo"`
}

type wish struct {
	Essential bool  `json:"essential"`
	Value     any   `json:"value"`
	Values    []any `json:"values"`
}

const maxDepth = 8 // of JSON within JSON; the specification needs four

var errClaims = fosite.ErrInvalidRequest.WithHint("The claims parameter is not the JSON object that OpenID Connect Core 5.5 describes, or it is too long or too deep.")

// claimed reads the claims parameter. A wrong value of sub would be somebody else, so it is
// an error rather than ignored, as is one of acr that is essential.
func claimed(a *asked) error {
	text := a.Form.Get("claims")
	if text == "" || !slices.Contains(a.scopes, "openid") {
		return nil
	}
	var w wishes
	if len(text) > maxValue || !shallow(text) || json.Unmarshal([]byte(text), &w) != nil {
		return errClaims
	}
	for _, place := range []map[string]*wish{w.IDToken, w.Userinfo} {
		demanded, err := place["sub"].texts()
		if err != nil {
			return errClaims
		}
		if len(demanded) > 0 {
			a.subjects = append(a.subjects, demanded)
		}
	}
	if acr := w.IDToken["acr"]; acr != nil {
		values, err := acr.texts()
		if err != nil {
			return errClaims
		}
		a.wished = values
		if acr.Essential && len(values) > 0 {
			a.demanded = values
		}
	}
	a.wants = ClaimsRequest{IDToken: a.available(w.IDToken), Userinfo: a.available(w.Userinfo)}
	return nil
}

// texts returns the values that a claim must have one of; none: any will do.
func (w *wish) texts() ([]string, error) {
	if w == nil {
		return nil, nil
	}
	var found []string
	for _, v := range append([]any{w.Value}, w.Values...) {
		switch v := v.(type) {
		case nil:
		case string:
			found = append(found, v)
		default:
			return nil, errors.New("a value that is no text")
		}
	}
	return found, nil
}

// available returns the claims about the person that the client may know, sorted. What
// every ID token says, and what nobody knows, need not be asked for.
func (a *asked) available(wanted map[string]*wish) []string {
	var names []string
	for name := range wanted {
		if scope := scopeOf(name); scope != "" && slices.Contains(a.client.Scopes, scope) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// consents are the scopes that the person must have agreed to: those asked for, and those
// that claims asked for one by one belong to.
func (a *asked) consents() []string {
	all := slices.Clone(a.scopes)
	for _, name := range slices.Concat(a.wants.IDToken, a.wants.Userinfo) {
		all = append(all, scopeOf(name))
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// shallow reports whether text is one JSON object of bearable depth.
func shallow(text string) bool {
	d := json.NewDecoder(bytes.NewReader([]byte(text)))
	depth := 0
	for first := true; first || depth > 0; first = false {
		t, err := d.Token()
		if err != nil || first && t != json.Delim('{') {
			return false
		}
		switch t {
		case json.Delim('{'), json.Delim('['):
			depth++
		case json.Delim('}'), json.Delim(']'):
			depth--
		}
		if depth > maxDepth {
			return false
		}
	}
	return true
}
