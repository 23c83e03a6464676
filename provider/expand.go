package provider

import (
	"context"
	"net/url"

	"github.com/ory/fosite"

	"idp/internal/secret"
)

// Origin says how a request came, beside plain parameters.
type Origin struct {
	Pushed secret.Digest `json:"pushed,omitempty"` // of the request_uri of a pushed request: spent when it is answered
}

// expand returns the request that the parameters stand for: their own, or what a request
// object or a pushed request says. Its errors go back to the relying party where the
// parameters alone say where that is.
func (p *Provider) expand(_ context.Context, form url.Values) (url.Values, Origin, error) {
	switch {
	case form.Get("request") != "":
		return nil, Origin{}, fosite.ErrRequestNotSupported
	case form.Get("request_uri") != "":
		return nil, Origin{}, fosite.ErrRequestURINotSupported
	case form.Get("registration") != "":
		return nil, Origin{}, fosite.ErrRegistrationNotSupported
	}
	return form, Origin{}, nil
}
