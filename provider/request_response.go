package provider

import (
	"net/url"
	"slices"
	"strings"

	"github.com/ory/fosite"
)

// What a response type is made of (OAuth 2.0 Multiple Response Type Encoding Practices).
const (
	partCode    = "code"
	partIDToken = "id_token"
	partToken   = "token"
)

// The response modes that exist.
const (
	modeQuery    = "query"
	modeFragment = "fragment"
	modeFormPost = "form_post"
)

// modeOf returns how a request is answered: as it asks, where that is safe for what it asks
// and for who asks, and otherwise (not ok) by default. What must not end up in logs and
// histories of servers never goes into a query. A code goes into a fragment only for
// clients that read it there, which are pages; a form can be posted to the web alone.
func modeOf(c Client, redirect string, form url.Values) (mode string, ok bool) {
	usual := modeQuery
	if p := strings.Fields(form.Get("response_type")); slices.Contains(p, partIDToken) || slices.Contains(p, partToken) {
		usual = modeFragment
	}
	switch asked := form.Get("response_mode"); {
	case asked == "" || asked == usual:
		return usual, true
	case asked == modeFragment && c.Public():
		return modeFragment, true
	case asked == modeFormPost && originOf(redirect) != "":
		return modeFormPost, true
	}
	return usual, false
}

func knownMode(a *asked) error {
	if _, ok := modeOf(a.client, a.redirect, a.Form); !ok {
		return fosite.ErrInvalidRequest.WithHint("This response_mode does not exist, or does not fit the response_type and the client: leave it out for the default.")
	}
	return nil
}

func knownType(a *asked) error {
	given := inOrder(a.Form.Get("response_type"))
	switch {
	case given == "":
		return fosite.ErrInvalidRequest.WithHint("The response_type is missing.")
	case !slices.Contains(answerTypes, given): // "token" says nothing about who signed in, "none" nothing at all
		return fosite.ErrUnsupportedResponseType.WithHint("The response_type is code, id_token, 'id_token token', or a combination with code.")
	case !slices.Contains(a.client.ResponseTypes, given):
		return fosite.ErrUnauthorizedClient.WithHint("This client is not registered for that response_type.")
	}
	a.types = strings.Fields(given)
	if a.gives(partCode) && !slices.Contains(a.client.GrantTypes, grantCode) || a.front() && !a.client.inFront() {
		return fosite.ErrUnauthorizedClient.WithHint("This client is not registered for the grant type of that response_type.")
	}
	return nil
}

// gives reports whether that part is in the answer.
func (a *asked) gives(part string) bool { return slices.Contains(a.types, part) }

// front reports whether a token of some kind travels through the browser.
func (a *asked) front() bool { return a.gives(partIDToken) || a.gives(partToken) }

// bound checks what ties an ID token to the request that it answers (OIDC Core §3.2.2.1).
func bound(a *asked) error {
	switch {
	case !a.gives(partIDToken):
		return nil
	case a.Form.Get("nonce") == "":
		return fosite.ErrInvalidRequest.WithHint("This response_type needs a nonce.")
	case !slices.Contains(strings.Fields(a.Form.Get("scope")), "openid"):
		return fosite.ErrInvalidRequest.WithHint("This response_type needs the scope openid.")
	}
	return nil
}
