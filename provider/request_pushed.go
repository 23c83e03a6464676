package provider

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/ory/fosite"

	"idp/internal/problem"
	"idp/internal/secret"
)

// Pushed is a request that a client pushed before it sent anybody here (RFC 9126).
type Pushed struct {
	Digest    secret.Digest // of the request_uri
	Client    ClientID
	Request   []byte // as JSON, request objects read into it, without what the client proved itself with
	CreatedAt time.Time
	ExpiresAt time.Time
	SeenAt    time.Time // when it was first used, zero before
	UsedAt    time.Time // when it was answered, zero before
}

// PushedStore is where pushed requests wait. storage.Pushed is one.
type PushedStore interface {
	SavePushed(ctx context.Context, r Pushed) error                            // creates
	Pushed(ctx context.Context, d secret.Digest) (Pushed, error)               // problem.NotFound
	SeePushed(ctx context.Context, d secret.Digest, at, until time.Time) error // notes the first use; later ones change nothing
	UsePushed(ctx context.Context, d secret.Digest, at time.Time) error        // once: the second is problem.Conflict
}

const (
	pushedPrefix = "urn:ietf:params:oauth:request_uri:"
	pushedLife   = 60 * time.Second // to the first use
	maxPushed    = 32 << 10         // bytes that are kept of one
)

// errPushed answers every request_uri that cannot be used, and says no more to whoever guesses.
var errPushed = problem.New(problem.Gone, "request_expired", "This request has expired or was answered already. Go back to the app and start again.")

// pushedRequest is what is kept of a pushed request.
type pushedRequest struct {
	Form   url.Values `json:"form"`
	Origin Origin     `json:"origin,omitzero"`
}

// Push is the pushed authorization request endpoint (RFC 9126 §2): the client proves who
// it is as at the token endpoint, and the request is judged at once.
func (p *Provider) Push(w http.ResponseWriter, r *http.Request) error {
	if r.Method == http.MethodOptions {
		return preflight(w, r)
	}
	form, client, err := p.direct(w, r)
	if err != nil {
		return p.refuse(w, err)
	}
	allowOrigin(w, r, client)
	kept, err := p.push(r.Context(), client, form)
	if err != nil {
		return p.refuse(w, err)
	}
	now, uri := p.Now(), secret.Token(pushedPrefix).Reveal()
	err = p.Pushes.SavePushed(r.Context(), Pushed{
		Digest: secret.DigestOf(uri), Client: client.ID, Request: kept, CreatedAt: now, ExpiresAt: now.Add(pushedLife),
	})
	if err != nil {
		return p.refuse(w, fmt.Errorf("keep pushed request: %w", err))
	}
	return reply(w, http.StatusCreated, map[string]any{"request_uri": uri, "expires_in": int(pushedLife.Seconds())})
}

// push reads a request as the authorization endpoint would, and returns what is to be kept.
func (p *Provider) push(ctx context.Context, client Client, form url.Values) ([]byte, error) {
	if form.Has("request_uri") {
		return nil, fosite.ErrInvalidRequest.WithHint("A pushed request does not name another.")
	}
	whole := url.Values{}
	for name, values := range form {
		// With a request object nothing else counts (RFC 9126 §3).
		if name != "client_secret" && name != "client_assertion" && name != "client_assertion_type" && (!form.Has("request") || name == "request") {
			whole[name] = values
		}
	}
	whole.Set("client_id", string(client.ID))
	whole, origin, err := p.expand(ctx, whole)
	if err != nil {
		return nil, forClient(err)
	}
	a, err := p.addressee(ctx, whole)
	if err != nil {
		return nil, forClient(err)
	}
	a.Request = Request{Form: whole, Origin: origin, RequestedAt: p.Now()}
	if a.client.RequireSignedRequest && !origin.Signed {
		return nil, errUnsigned
	}
	if _, err = p.parse(ctx, a); err != nil {
		return nil, err
	}
	kept, err := json.Marshal(pushedRequest{worthKeeping(whole), origin})
	if err != nil {
		return nil, fmt.Errorf("pushed request: %w", err)
	}
	if len(kept) > maxPushed {
		return nil, fosite.ErrInvalidRequest.WithHint("The request is too long.")
	}
	return kept, nil
}

// forClient tells a client in its own language what would be a page for a person.
func forClient(err error) error {
	var said *problem.Error
	if errors.As(err, &said) && said.Kind == problem.Malformed {
		return fosite.ErrInvalidRequest.WithHint(said.Detail)
	}
	return err
}

// pushed returns the request behind a request_uri that we gave. It is the client's alone;
// it may be looked at again until it is answered, and nothing beside it counts.
func (p *Provider) pushed(ctx context.Context, form url.Values) (url.Values, Origin, error) {
	digest, now := secret.DigestOf(form.Get("request_uri")), p.Now()
	found, err := p.Pushes.Pushed(ctx, digest)
	switch {
	case problem.Is(err, problem.NotFound):
		return nil, Origin{}, errPushed
	case err != nil:
		return nil, Origin{}, fmt.Errorf("pushed request: %w", err)
	case string(found.Client) != form.Get("client_id"), !found.UsedAt.IsZero(), !now.Before(found.ExpiresAt):
		return nil, Origin{}, errPushed
	}
	if found.SeenAt.IsZero() {
		if err := p.Pushes.SeePushed(ctx, digest, now, now.Add(askLife)); err != nil {
			return nil, Origin{}, fmt.Errorf("pushed request: %w", err)
		}
	}
	var kept pushedRequest
	if err := json.Unmarshal(found.Request, &kept); err != nil {
		return nil, Origin{}, fmt.Errorf("pushed request: %w", err)
	}
	kept.Origin.Pushed = digest
	return kept.Form, kept.Origin, nil
}

// spend uses a pushed request up, in the transaction that answers it if there is one. The
// second answer is errTwice.
func (p *Provider) spend(ctx context.Context, o Origin) error {
	if o.Pushed == "" {
		return nil
	}
	err := p.Pushes.UsePushed(ctx, o.Pushed, p.Now())
	if problem.Is(err, problem.Conflict) {
		return errTwice
	}
	return err
}

// turnDown answers a request with an error, and uses it up if it was pushed.
func (p *Provider) turnDown(w http.ResponseWriter, r *http.Request, a asked, err error) error {
	if spent := p.spend(r.Context(), a.Origin); spent != nil {
		p.Pages.Problem(w, r, spent)
		return nil
	}
	return p.answerError(w, r, a, err)
}
