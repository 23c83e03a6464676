package provider

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/ory/fosite"

	"idp/internal/problem"
	"idp/internal/secret"
)

// Origin says how a request came, beside plain parameters.
type Origin struct {
	Pushed secret.Digest `json:"pushed,omitempty"` // of the request_uri of a pushed request: spent when it is answered
	Signed bool          `json:"signed,omitempty"` // in a request object with a signature
}

// expand returns the request that the parameters stand for: their own, or what a request
// object or a pushed request says. Its errors go back to the relying party where the
// parameters alone say where that is, but for problems: they are for a page.
func (p *Provider) expand(ctx context.Context, form url.Values) (url.Values, Origin, error) {
	byValue, byReference := form.Get("request"), form.Get("request_uri")
	switch {
	case form.Has("registration"):
		return nil, Origin{}, fosite.ErrRegistrationNotSupported.WithHint("Clients are registered beforehand here, not within a request: leave the parameter out.")
	case byValue != "" && byReference != "":
		return nil, Origin{}, fosite.ErrInvalidRequest.WithHint("Send request or request_uri, not both.")
	case strings.HasPrefix(byReference, pushedPrefix):
		return p.pushed(ctx, form)
	case byValue == "" && byReference == "":
		return form, Origin{}, nil
	}
	client, err := p.Clients.Get(ctx, ClientID(form.Get("client_id")))
	if problem.Is(err, problem.NotFound) || err == nil && client.Disabled {
		return nil, Origin{}, fosite.ErrInvalidRequest.WithHint("The client_id is not known.") // addressee says so on a page
	}
	if err != nil {
		return nil, Origin{}, fmt.Errorf("request object: %w", err)
	}
	if byReference != "" {
		if byValue, err = p.fetchObject(ctx, client, byReference); err != nil {
			return nil, Origin{}, err
		}
	}
	object, err := p.openObject(ctx, client, byValue)
	if err != nil {
		return nil, Origin{}, err
	}
	inside, err := p.readObject(client, object)
	if err != nil {
		return nil, Origin{}, err
	}
	whole, err := merge(client, form, inside, object.typ)
	return whole, Origin{Signed: object.signed}, err
}

// fetchObject gets a request object from where the client said at registration that they
// are. A fragment is the client's own business: it says that the content changed (OIDC Core
// §6.2), and nothing is remembered here that could go stale.
func (p *Provider) fetchObject(ctx context.Context, c Client, uri string) (string, error) {
	place := func(uri string) string { before, _, _ := strings.Cut(uri, "#"); return before }
	if !slices.ContainsFunc(c.RequestURIs, func(one string) bool { return place(one) == place(uri) }) {
		return "", fosite.ErrInvalidRequestURI.WithHint("The request_uri is not one that this client registered.")
	}
	if !p.fetching.begin(c.ID) {
		return "", errBusy
	}
	defer p.fetching.end(c.ID)
	text, err := p.Outbound.Get(ctx, place(uri), maxObject)
	if err != nil {
		return "", fosite.ErrInvalidRequestURI.WithHint("The request_uri cannot be used.").WithWrap(err)
	}
	return strings.TrimSpace(string(text)), nil
}

// objectOnly is the typ of request objects that stand for the whole request (RFC 9101 §10.8).
const objectOnly = "oauth-authz-req+jwt"

// merge makes one request of the parameters and what the object says. In OpenID Connect,
// where the parameters are a request by themselves already, the object overrides them
// (OIDC Core §6.1); otherwise it stands for the whole (RFC 9101 §5).
func merge(c Client, form, inside url.Values, typ string) (url.Values, error) {
	for _, name := range []string{"client_id", "response_type"} {
		if inside.Has(name) && form.Get(name) != "" && !sameWords(form.Get(name), inside.Get(name)) {
			return nil, errObject("The %s beside the request object is another than in it.", name)
		}
	}
	whole := url.Values{"client_id": {string(c.ID)}}
	complete := form.Get("response_type") != "" && slices.Contains(strings.Fields(form.Get("scope")), "openid")
	if complete && !c.RequireSignedRequest && typ != objectOnly {
		for name, values := range form {
			if name != "request" && name != "request_uri" {
				whole[name] = values
			}
		}
	}
	for name, values := range inside {
		whole[name] = values
	}
	return whole, strict(whole)
}

func sameWords(a, b string) bool {
	x, y := strings.Fields(a), strings.Fields(b)
	slices.Sort(x)
	slices.Sort(y)
	return slices.Equal(x, y)
}

// arrived checks that a request came the way its client promised to send them.
func (a *asked) arrived() error {
	switch {
	case a.client.RequirePAR && a.Origin.Pushed == "":
		return fosite.ErrInvalidRequest.WithHint("This client must push its requests (RFC 9126).")
	case a.client.RequireSignedRequest && !a.Origin.Signed:
		return errUnsigned
	}
	return nil
}

var errUnsigned = fosite.ErrInvalidRequest.WithHint("This client must send its requests in a signed request object (RFC 9101).")

var errUnusable = problem.New(problem.Malformed, "request_object_unusable", "The app that sent you here made a mistake: its request object cannot be used.")

// pageOf says which problem a person is shown when nobody can be answered: where the
// parameters do not say where to, that is what is wrong with the request object.
func pageOf(err, unreadable error, form url.Values) error {
	var told *fosite.RFC6749Error
	switch {
	case unreadable != nil && !errors.As(unreadable, &told):
		return unreadable
	case unreadable != nil && problem.HasCode(err, errWhereTo.Code) && !form.Has("redirect_uri"):
		return errUnusable.Because(unreadable)
	}
	return err
}
