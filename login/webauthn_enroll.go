package login

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"maps"

	"idp/identity"
	"idp/internal/problem"
	"idp/internal/secret"
)

const handleSize = 64 // bytes (WebAuthn §5.4.3: no personal information, at most 64)

// enrollKey asks for a new passkey or security key. Of what the person has already, none is
// made twice on the same device.
func (e *Engine) enrollKey(ctx context.Context, t *turn, m identity.Method, name string) (View, error) {
	who, err := holderOf(t.person(), isKey)
	if err != nil {
		return e.view(t), err
	}
	if len(who.keys) >= keyLimit {
		return e.view(t), ErrKeyLimit
	}
	if len(who.handle) == 0 {
		who.handle = secret.Bytes(handleSize)
	}
	if who.name == "" {
		who.name = t.a.Identifier.Value
	}
	if who.call == "" {
		who.call = who.name
	}
	options, session, err := e.WebAuthn.creation(m, who)
	if err != nil {
		return e.view(t), err
	}
	sealed, err := key{Handle: who.handle}.seal()
	if err != nil {
		return e.view(t), err
	}
	t.a.Draft.Factor = &DraftFactor{Method: m, Name: factorName(name), Secret: sealed}
	t.challenge(m, session)
	t.options = options
	return e.keep(ctx, t)
}

// confirmKey takes the credential that the browser made. It is proof at once: whoever made it
// was there, and for a passkey the device checked that it was them.
func (e *Engine) confirmKey(ctx context.Context, t *turn, answer secret.String) (View, error) {
	draft := *t.a.Draft.Factor
	c, err := t.consume(draft.Method)
	if err != nil {
		return e.wasted(ctx, t, err)
	}
	var k key
	if err := json.Unmarshal([]byte(draft.Secret.Reveal()), &k); err != nil {
		return e.view(t), err
	}
	made, err := e.WebAuthn.registered(c, holder{handle: c.Session.UserID}, []byte(answer.Reveal()))
	if err != nil {
		return e.wasted(ctx, t, err)
	}
	if !bytes.Equal(k.Handle, c.Session.UserID) {
		return e.wasted(ctx, t, ErrKeySpent)
	}
	draft.Credential, draft.Counter = encoding.EncodeToString(made.ID), int64(made.Authenticator.SignCount)
	if _, err := e.People.ByCredential(ctx, draft.Credential); !problem.Is(err, problem.NotFound) {
		if err == nil {
			err = ErrKeyTaken
		}
		return e.wasted(ctx, t, err)
	}
	if draft.Secret, err = k.keep(made).seal(); err != nil {
		return e.view(t), err
	}
	if draft.Name == "" {
		draft.Name = makeOf(made.Authenticator.AAGUID, draft.Method)
	}
	t.a.Draft.Factor = &draft
	t.confirmed()
	return e.keep(ctx, t)
}

// wasted saves that the challenge is used up, and answers with what went wrong. What is our
// own fault uses nothing up.
func (e *Engine) wasted(ctx context.Context, t *turn, why error, also ...func(context.Context, *turn) error) (View, error) {
	var known *problem.Error
	if !errors.As(why, &known) {
		return e.view(t), why
	}
	v, err := e.keep(ctx, t, also...)
	if err != nil {
		return v, err
	}
	return v, why
}

// challenge keeps what the next answer by that method is checked against.
func (t *turn) challenge(m identity.Method, session json.RawMessage) {
	challenges := maps.Clone(t.a.Challenges)
	if challenges == nil {
		challenges = map[identity.Method]Challenge{}
	}
	challenges[m] = Challenge{SentAt: t.now, ExpiresAt: t.now.Add(keyLife), Ceremony: session}
	t.a.Challenges = challenges
}

// consume takes the challenge away, whatever the answer is worth: a wrong one asks for a new challenge.
func (t *turn) consume(m identity.Method) (ceremony, error) {
	var c ceremony
	asked, ok := t.a.Challenges[m]
	if !ok || len(asked.Ceremony) == 0 {
		return c, ErrKeySpent
	}
	t.a.Challenges = maps.Clone(t.a.Challenges)
	delete(t.a.Challenges, m)
	if !t.now.Before(asked.ExpiresAt) {
		return c, ErrKeySpent
	}
	if err := json.Unmarshal(asked.Ceremony, &c); err != nil {
		return c, err
	}
	return c, nil
}
