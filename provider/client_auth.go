package provider

import (
	"context"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/ory/fosite"

	"idp/internal/problem"
	"idp/provider/partykeys"
)

const maxSecret = 256 // bytes that are looked at before anything is computed

// errClient is all that a failed client authentication tells.
var errClient = fosite.ErrInvalidClient.WithHint("Client authentication failed.")

var errTwoMethods = fosite.ErrInvalidRequest.WithHint("Authenticate by one method, not two.")

// presented is what a client shows to authenticate.
type presented struct {
	id, secret string
	assertion  string // a signed JWT in place of a secret
	method     string // authBasic, authPost, authNone, or asserted
}

// asserted stands for the two methods that send a client_assertion; which of them it is
// says the client's registration.
const asserted = "client_assertion"

// authenticate finds out which client calls, by exactly one method, and the one it is
// registered for: a client with a secret never passes with its id alone.
func (p *Provider) authenticate(r *http.Request, form url.Values) (Client, error) {
	shown, err := show(r, form)
	if err != nil {
		return Client{}, err
	}
	client, err := p.Clients.Get(r.Context(), ClientID(shown.id))
	if problem.Is(err, problem.NotFound) {
		return Client{}, errClient
	}
	if err != nil {
		return Client{}, fmt.Errorf("authenticate client: %w", err)
	}
	if client.Disabled || !client.accepts(shown.method) {
		return Client{}, errClient
	}
	if shown.method == asserted {
		if err := p.asserts(r, client, shown.assertion); err != nil {
			return Client{}, err
		}
		return client, nil
	}
	if !client.Public() && !client.knows(shown.secret, p.Now()) {
		return Client{}, errClient
	}
	return client, nil
}

// accepts reports whether the client may authenticate that way. One made by an operator
// leaves basic or post to its library.
func (c Client) accepts(method string) bool {
	switch c.AuthMethod {
	case "":
		return method == authBasic || method == authPost
	case authSecretJWT, authPrivateJWT:
		return method == asserted
	}
	return method == c.AuthMethod
}

func show(r *http.Request, form url.Values) (presented, error) {
	header := r.Header.Values("Authorization")
	body := presented{id: form.Get("client_id"), secret: form.Get("client_secret"), method: authPost}
	if body.secret == "" {
		body.method = authNone
	}
	if form.Has("client_assertion") || form.Has("client_assertion_type") {
		return showAssertion(form, len(header) > 0)
	}
	switch {
	case len(body.secret) > maxSecret || len(body.id) > maxSecret:
		return presented{}, errClient
	case len(header) == 0:
		if body.id == "" {
			return presented{}, errClient
		}
		return body, nil
	case len(header) > 1 || form.Has("client_secret"):
		return presented{}, errTwoMethods
	}
	shown, ok := basic(header[0])
	if !ok || body.id != "" && body.id != shown.id {
		return presented{}, errClient
	}
	return shown, nil
}

// showAssertion reads the parameters of RFC 7521 §4.2. The client_id beside them may be
// left out, but not be another.
func showAssertion(form url.Values, header bool) (presented, error) {
	if header || form.Has("client_secret") {
		return presented{}, errTwoMethods
	}
	shown := presented{assertion: form.Get("client_assertion"), method: asserted}
	if form.Get("client_assertion_type") != assertionKind || len(shown.assertion) > partykeys.MaxToken {
		return presented{}, errClient
	}
	shown.id = claimedBy(shown.assertion)
	if id := form.Get("client_id"); shown.id == "" || id != "" && id != shown.id {
		return presented{}, errClient
	}
	return shown, nil
}

// basic reads an Authorization header. Id and secret are form-encoded inside it (RFC 6749 §2.3.1).
func basic(header string) (presented, bool) {
	scheme, rest, _ := strings.Cut(header, " ")
	if !strings.EqualFold(scheme, "Basic") || len(rest) > 4*maxSecret {
		return presented{}, false
	}
	raw, err := base64.StdEncoding.Strict().DecodeString(rest)
	if err != nil {
		return presented{}, false
	}
	id, key, ok := strings.Cut(string(raw), ":")
	if !ok {
		return presented{}, false
	}
	shown := presented{method: authBasic}
	if shown.id, err = url.QueryUnescape(id); err != nil {
		return presented{}, false
	}
	if shown.secret, err = url.QueryUnescape(key); err != nil {
		return presented{}, false
	}
	return shown, shown.id != "" && shown.secret != "" && len(shown.secret) <= maxSecret
}

// identified tells fosite which client our own authentication found.
func identified(ctx context.Context, _ *http.Request, _ url.Values) (fosite.Client, error) {
	u, err := unitOf(ctx)
	if err != nil {
		return nil, err
	}
	return party{Client: u.client, redirect: u.redirect}, nil
}
