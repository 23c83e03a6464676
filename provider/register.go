package provider

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"slices"
	"strings"
	"time"

	"idp/internal/problem"
	"idp/internal/secret"
	"idp/login"
)

// Register creates a client at its own wish (RFC 7591 §3.1). Where registration is not
// open, an initial access token gives leave, one use of it per client; where it is closed,
// nothing does.
func (p *Provider) Register(w http.ResponseWriter, r *http.Request) error {
	if p.ClosedRegistration {
		return errNotOffered
	}
	if r.Method != http.MethodPost {
		return wrongMethod(w, "POST")
	}
	leave := bearerOf(r)
	if err := p.mayRegister(r.Context(), leave); err != nil {
		return challengeRegistration(w, err)
	}
	wish, err := readRegistration(w, r)
	if err != nil {
		return refuseRegistration(w, err)
	}
	draft, err := wish.ownWish(Client{})
	if err == nil {
		err = p.Clients.check(&draft)
	}
	if err != nil {
		return refuseRegistration(w, err)
	}
	if leave == "" {
		if err := p.takeTurn(r); err != nil {
			return err
		}
	}
	if err := p.Clients.settle(r.Context(), &draft, Client{}); err != nil {
		return refuseRegistration(w, err)
	}
	access := secret.Token("idp_rat_")
	draft.RegistrationToken = secret.DigestOf(access.Reveal())
	var made Client
	var key secret.String
	err = p.InTx(r.Context(), func(ctx context.Context) error {
		if leave != "" {
			if err := p.Clients.Store.UseRegistrationToken(ctx, secret.DigestOf(leave), p.Now()); err != nil {
				return err
			}
		}
		made, key, err = p.Clients.create(ctx, draft, "registration")
		return err
	})
	if err != nil {
		return challengeRegistration(w, err)
	}
	answer, err := p.registered(made, key, access)
	if err != nil {
		return err
	}
	return reply(w, http.StatusCreated, answer)
}

// mayRegister reports whether somebody may register with that leave: problem.NotFound if not.
func (p *Provider) mayRegister(ctx context.Context, leave string) error {
	if leave == "" && p.OpenRegistration {
		return nil
	}
	return p.Clients.Store.RegistrationLeave(ctx, secret.DigestOf(leave), p.Now())
}

var errTurns = problem.New(problem.TooMany, "registrations_spent", "Too many apps were registered from this network. Please wait.")

// takeTurn counts a registration that nobody gave leave for; problem.TooMany when the
// network has had its share of the hour.
func (p *Provider) takeTurn(r *http.Request) error {
	if p.Throttle == nil || p.Registrations <= 0 {
		return nil
	}
	budget := login.Budget{Key: "registrations " + p.Sessions.Network(r), Limit: p.Registrations, Window: time.Hour}
	wait, err := p.Throttle.Reserve(r.Context(), []login.Budget{budget}, p.Now())
	if err != nil {
		return fmt.Errorf("count registration: %w", err)
	}
	if wait > 0 {
		return errTurns.After(wait)
	}
	return nil
}

func challengeRegistration(w http.ResponseWriter, err error) error {
	if problem.Is(err, problem.NotFound) {
		return challengeBearer(w, http.StatusUnauthorized, "invalid_token", "Registering needs an initial access token that is still good.")
	}
	return err
}

// Registration reads, replaces and deletes a client that registered itself, for whoever
// holds its registration access token (RFC 7592).
func (p *Provider) Registration(w http.ResponseWriter, r *http.Request) error {
	if !slices.Contains([]string{http.MethodGet, http.MethodPut, http.MethodDelete}, r.Method) {
		return wrongMethod(w, "GET, PUT, DELETE")
	}
	client, err := p.Clients.Get(r.Context(), ClientID(r.PathValue("client")))
	if err != nil && !problem.Is(err, problem.NotFound) {
		return fmt.Errorf("find registration: %w", err)
	}
	given := string(secret.DigestOf(bearerOf(r)))
	if err != nil || client.RegistrationToken == "" || client.Disabled || !secret.Equal(given, string(client.RegistrationToken)) {
		return challengeBearer(w, http.StatusUnauthorized, "invalid_token", "The registration access token is not valid.")
	}
	switch r.Method {
	case http.MethodPut:
		return p.reregister(w, r, client)
	case http.MethodDelete:
		if err := p.Clients.Delete(r.Context(), client.ID, "client:"+string(client.ID)); err != nil {
			return err
		}
		w.Header().Set("Cache-Control", "no-store")
		w.WriteHeader(http.StatusNoContent)
		return nil
	}
	answer, err := p.registered(client, secret.String{}, secret.String{})
	if err != nil {
		return err
	}
	return reply(w, http.StatusOK, answer)
}

func (p *Provider) reregister(w http.ResponseWriter, r *http.Request, client Client) error {
	wish, err := readRegistration(w, r)
	if err != nil {
		return refuseRegistration(w, err)
	}
	if wish.ID != string(client.ID) || wish.Secret != "" && !client.knows(wish.Secret, p.Now()) {
		return refuseRegistration(w, invalid("client_id", "client_id_mismatch", "Repeat your client_id, and your client_secret if you send one."))
	}
	changed, key, err := p.Clients.Revise(r.Context(), client.ID, "client:"+string(client.ID), func(next *Client) error {
		was := *next
		if *next, err = wish.ownWish(was); err != nil || !sendsElsewhere(*next, was) {
			return err
		}
		return p.takeTurn(r)
	})
	if err != nil {
		return refuseRegistration(w, err)
	}
	answer, err := p.registered(changed, key, secret.String{})
	if err != nil {
		return err
	}
	return reply(w, http.StatusOK, answer)
}

// sendsElsewhere reports whether a change gives us new addresses to call: that counts like a
// registration, since otherwise one client could name them without end.
func sendsElsewhere(next, was Client) bool {
	return sectorMoved(next, was) ||
		next.LogoURI != "" && next.LogoURI != was.LogoURI ||
		next.JWKSURI != "" && next.JWKSURI != was.JWKSURI ||
		slices.ContainsFunc(next.RequestURIs, func(uri string) bool { return !slices.Contains(was.RequestURIs, uri) })
}

// registered shows a client its registration (RFC 7591 §3.2.1, RFC 7592 §3). The secret and
// the registration access token are there only in the answer that they are new in.
func (p *Provider) registered(c Client, key, access secret.String) (json.RawMessage, error) {
	more := map[string]any{
		"client_id": c.ID, "client_id_issued_at": c.CreatedAt.Unix(), "registration_client_uri": p.url("/oauth2/register/" + string(c.ID)),
	}
	if c.HasSecret() {
		more["client_secret_expires_at"] = 0 // never
	}
	if !key.Empty() {
		more["client_secret"] = key.Reveal()
	}
	if !access.Empty() {
		more["registration_access_token"] = access.Reveal()
	}
	g := c.wire()
	g.ofOperators = ofOperators{}
	return withMembers(g, more)
}

// errNotOffered is the answer where nobody may register.
var errNotOffered = problem.New(problem.NotFound, "registration_closed", "Apps cannot register themselves here.")

func readRegistration(w http.ResponseWriter, r *http.Request) (registration, error) {
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || kind != "application/json" {
		return registration{}, errMetadata
	}
	text, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxMetadata))
	if err != nil {
		return registration{}, errMetadata
	}
	return readMetadata(text)
}

// refuseRegistration tells a client what its metadata lacks (RFC 7591 §3.2.2).
func refuseRegistration(w http.ResponseWriter, err error) error {
	var e *problem.Error
	if !errors.As(err, &e) || e.Kind != problem.Invalid {
		return err
	}
	code, words := "invalid_client_metadata", e.Detail
	switch {
	case e.Field == "redirect_uris":
		code = "invalid_redirect_uri"
	case e.Code == errStatement.Code:
		code = "unapproved_software_statement"
	case e.Code == errStatementBad.Code:
		code = "invalid_software_statement"
	}
	if e.Field != "" {
		words = e.Field + ": " + words
	}
	return reply(w, http.StatusBadRequest, failure{Code: code, Description: clean(words)})
}

func bearerOf(r *http.Request) string {
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return ""
	}
	return strings.TrimSpace(token)
}
