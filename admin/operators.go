package admin

import (
	"context"
	"fmt"
	"net/url"
	"time"

	"idp/event"
	"idp/identity"
	"idp/internal/problem"
	"idp/internal/secret"
	"idp/login"
)

// ClaimPath is the page that an operator link opens; the token is its query "token".
const ClaimPath = "/operator/claim"

const operatorLinkLife = time.Hour

// Operators appoints those who run this instance. The first one, who finds nobody to ask,
// comes by a link that only somebody with the machine can see.
type Operators struct {
	Store  Store
	People login.People
	Events event.Recorder
	Issuer string
	InTx   func(ctx context.Context, do func(ctx context.Context) error) error
	Now    func() time.Time
}

// Link makes one person operator, once.
type Link struct {
	URL       secret.String
	ExpiresAt time.Time
}

var errLinkSpent = problem.New(problem.NotFound, "operator_link_spent",
	"This operator link was used, has expired, or gave way to a newer one. Make another with: idp operator link")

// Exists reports whether anybody is an operator.
func (o *Operators) Exists(ctx context.Context) (bool, error) { return o.Store.OperatorExists(ctx) }

// MakeLink makes a link that lasts an hour and works once. Earlier links die.
func (o *Operators) MakeLink(ctx context.Context, actor string) (Link, error) {
	token, now := secret.Token("op_"), o.Now()
	link := Link{
		URL:       secret.NewString(o.Issuer + ClaimPath + "?token=" + url.QueryEscape(token.Reveal())),
		ExpiresAt: now.Add(operatorLinkLife),
	}
	err := o.InTx(ctx, func(ctx context.Context) error {
		if err := o.Store.SaveOperatorLink(ctx, secret.DigestOf(token.Reveal()), now, link.ExpiresAt); err != nil {
			return err
		}
		return o.Events.Record(ctx, event.Event{Kind: event.OperatorLinkMade, Actor: actor})
	})
	if err != nil {
		return Link{}, fmt.Errorf("make operator link: %w", err)
	}
	return link, nil
}

// Check reports whether a link's token would work, without using it: a page may be fetched
// by a scanner before a person sees it.
func (o *Operators) Check(ctx context.Context, token secret.String) error {
	return spent(o.Store.OperatorLink(ctx, secret.DigestOf(token.Reveal()), o.Now()))
}

// Claim makes the person an operator and uses the link up. A spent link is problem.NotFound.
func (o *Operators) Claim(ctx context.Context, token secret.String, id identity.UserID) error {
	now := o.Now()
	return o.InTx(ctx, func(ctx context.Context) error {
		if err := o.Store.UseOperatorLink(ctx, secret.DigestOf(token.Reveal()), now); err != nil {
			return spent(err)
		}
		person, err := o.People.Person(ctx, id)
		if err != nil {
			return fmt.Errorf("claim operator link: %w", err)
		}
		u := person.User
		if !u.MayEnter() {
			return problem.New(problem.Forbidden, "user_banned", "This account is banned.")
		}
		u.Operator, u.UpdatedAt = true, now
		if err := o.People.SaveUser(ctx, u); err != nil {
			return fmt.Errorf("claim operator link: %w", err)
		}
		return o.Events.Record(ctx, event.Event{Kind: event.OperatorAppointed, Actor: string(id), User: string(id)})
	})
}

func spent(err error) error {
	if problem.Is(err, problem.NotFound) {
		return errLinkSpent
	}
	return err
}
