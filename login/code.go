package login

import (
	"context"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"
	"unicode"

	"idp/event"
	"idp/identity"
	"idp/internal/problem"
	"idp/internal/secret"
	"idp/message"
)

// A message carries six digits, a link, or both. They are two spellings of one
// challenge: the digits follow from the link's token, so that a link opened in another
// browser can show what to type. Only the link's digest and a MAC of the digits, bound
// to attempt, purpose and address, are kept.
//
// An address nobody holds gets the same screen and a challenge nothing answers; at most
// once a day it is told that it has no account.

// The problems of mailed codes.
var (
	ErrCodeMissing = problem.New(problem.Invalid, "code_missing", "Enter the code.").On("answer")
	ErrCodeWrong   = problem.New(problem.Invalid, "code_wrong", "That code is not right.").On("answer")
	ErrCodeSpent   = problem.New(problem.Gone, "code_spent", "That code was used or is too old. Ask for a new one.").On("answer")
	ErrCodeUnsent  = problem.New(problem.Conflict, "code_not_sent", "Ask for a code first.")
	ErrMethod      = problem.New(problem.Invalid, "method_unavailable", "That way of signing in is not available here.").On("method")
	ErrTooSoon     = problem.New(problem.TooMany, "message_too_soon", "A message was just sent. Please wait a little before asking for another.")
)

// slot is where a method's challenge is kept: code and link of one message share it.
// "" for methods that send nothing.
func slot(m identity.Method) identity.Method {
	switch m {
	case identity.EmailCode, identity.EmailLink:
		return identity.EmailCode
	case identity.ResetCode:
		return identity.ResetCode
	case identity.PhoneCode:
		return identity.PhoneCode
	default:
		return ""
	}
}

// offers reports whether the method may be used now; where a mailed code is offered, the
// link in the same message is too.
func (t *turn) offers(m identity.Method) bool {
	for _, o := range Accepted(t.a, t.f, t.p) {
		if o == m || slot(o) != "" && slot(o) == slot(m) {
			return true
		}
	}
	return false
}

// Prepare sends a fresh code or link, or has View.Options ask for a passkey or security key;
// the challenge before it dies. ErrTooSoon says when the next message may be sent.
func (e *Engine) Prepare(ctx context.Context, at At, m identity.Method) (View, error) {
	t, err := e.turn(ctx, at, prepare)
	if err != nil {
		return e.view(t), err
	}
	if !t.offers(m) {
		return e.view(t), ErrMethod
	}
	if m == identity.Passkey || m == identity.SecurityKey {
		return e.prepareKey(ctx, t, m)
	}
	if slot(m) == "" {
		return e.view(t), ErrMethod
	}
	before := *t
	err = e.send(ctx, t, slot(m))
	if errors.Is(err, errDoubtful) {
		return e.doubt(ctx, t)
	}
	if err != nil {
		return e.view(&before), err
	}
	return e.keep(ctx, t)
}

// unchecked is how many messages a network gets in an hour in place of a bot check.
const unchecked = 5

// send adds a challenge and its message to the turn.
func (e *Engine) send(ctx context.Context, t *turn, box identity.Method) error {
	if box == identity.PhoneCode {
		return e.text(ctx, t)
	}
	x, err := e.aim(ctx, t)
	if err != nil {
		return err
	}
	budgets := e.mailBudgets(purpose(t.a, box), x)
	doubts := e.mailDoubts(t, box, budgets[2])
	if Next(t.a, t.f, t.p) == NeedsHuman {
		budgets = append(budgets, Budget{Key: e.key("mail-unchecked", x.network), Limit: unchecked, Window: time.Hour})
	}
	doubtful, wait, err := e.Throttle.ReserveUnless(ctx, doubts, budgets, t.now)
	if err != nil {
		return err
	}
	if doubtful {
		return errDoubtful
	}
	if wait > 0 {
		return ErrTooSoon.After(wait)
	}
	token := secret.Token("")
	c := Challenge{
		Link: secret.DigestOf(token.Reveal()), Target: t.target(box), Tries: codeTries,
		SentAt: t.now, ExpiresAt: t.now.Add(challengeLife),
	}
	m := message.Message{To: c.Target, Locale: t.at.Locale, Words: t.words(), ExpiresAt: c.ExpiresAt}
	answerable, err := e.address(ctx, t, box, &m)
	if err != nil {
		return err
	}
	if answerable {
		code := e.codeOf(token)
		c.Code = e.codeMAC(t.a, box, c.Target, code)
		if t.p.EmailCode || !t.p.EmailLink {
			m.Code = code
		}
		if t.p.EmailLink {
			m.Link = e.url("/sign-in/" + string(t.a.ID) + "/link?token=" + url.QueryEscape(token.Reveal()))
		}
	}
	if m.Kind != "" {
		t.mail = append(t.mail, m)
	}
	challenges := map[identity.Method]Challenge{box: c}
	for k, other := range t.a.Challenges {
		if k != box {
			challenges[k] = other
		}
	}
	t.a.Challenges = challenges
	return nil
}

// address decides what is written to whom, and whether an answer to it can be right.
func (e *Engine) address(ctx context.Context, t *turn, box identity.Method, m *message.Message) (answerable bool, err error) {
	switch {
	case t.extending():
		return e.addressNew(ctx, t, m)
	case t.a.Goal == SignUp && t.a.UserID == "" && t.a.Upstream != nil:
		m.Kind = message.VerifyAddress // whether somebody holds it is not told before it answers
		return true, nil
	case t.a.Goal == SignUp && t.a.UserID == "" && !t.f.Held:
		m.Kind = message.SignUp
		return true, nil
	case t.a.Goal == SignUp && t.a.UserID == "":
		m.Kind = message.AddressHeld
		m.Link = e.url("/sign-in")
		return t.p.byMail(), nil // an instance without codes at sign-in gives none this way either
	case t.f.Known && box == identity.ResetCode:
		m.Kind = message.Reset
		return true, nil
	case t.f.Known:
		m.Kind = message.SignIn
		return true, nil
	}
	wait, err := e.reserve(ctx, t.now, Budget{Key: e.key("no-account", m.To.Value), Limit: 1, Window: 24 * time.Hour})
	if err != nil || wait > 0 {
		return false, err
	}
	m.Kind = message.NoAccount
	if t.p.SignUp == Open && t.p.Addresses.Check(m.To) == nil {
		m.Link = e.url("/sign-up")
	}
	return false, nil
}

// mailBudgets are one message each half minute for a purpose, a few unanswered ones an
// hour for an address, and some more for a network.
func (e *Engine) mailBudgets(purpose string, x aim) []Budget {
	l := e.Limits.orDefault()
	return []Budget{
		{Key: e.addressKey("mail-"+purpose, x), Limit: 1, Window: resendAfter},
		{Key: e.addressKey("mail", x), Limit: l.Messages, Window: time.Hour},
		{Key: e.key("mail-network", x.network), Limit: l.NetworkMessages, Window: time.Hour},
	}
}

// answered frees what the message and the guess at it took, in the caller's transaction.
func (e *Engine) answered(ctx context.Context, purpose string, x aim, now time.Time) error {
	b := e.mailBudgets(purpose, x)
	return e.Throttle.Forgive(ctx,
		[]string{b[1].Key, b[2].Key, e.key("code-network", x.network)},
		[]string{b[0].Key, e.addressKey("code", x), e.personKey("code-person", x)}, now)
}

// guessCode reserves one try at a mailed code. Too many for an address or from a network are
// ErrSlow; too many for a person over all their addresses are only noted, because a wait
// would tell that two addresses are the same person's.
func (e *Engine) guessCode(ctx context.Context, t *turn, x aim) (locked bool, err error) {
	l := e.Limits.orDefault()
	shown := []Budget{
		{Key: e.addressKey("code", x), Limit: l.Codes, Window: time.Hour},
		{Key: e.key("code-network", x.network), Limit: l.NetworkFailures, Window: l.NetworkWindow},
	}
	wait, err := e.reserve(ctx, t.now, append(shown, Budget{Key: e.personKey("code-person", x), Limit: l.Codes, Window: time.Hour})...)
	if err != nil || wait == 0 {
		return false, err
	}
	if wait, err = e.reserve(ctx, t.now, shown...); err == nil && wait > 0 {
		return false, ErrSlow.After(wait)
	}
	return true, err
}

// proveMailed checks digits or a link's token.
func (e *Engine) proveMailed(ctx context.Context, t *turn, m identity.Method, answer secret.String) (View, error) {
	box := slot(m)
	c, sent := t.a.Challenges[box]
	switch {
	case !sent, c.Target != t.target(box):
		return e.view(t), ErrCodeUnsent
	case !c.UsedAt.IsZero(), c.Tries <= 0, !t.now.Before(c.ExpiresAt):
		return e.view(t), ErrCodeSpent
	}
	x, err := e.aim(ctx, t)
	if err != nil {
		return e.view(t), err
	}
	locked, err := e.guessCode(ctx, t, x)
	if err != nil {
		return e.view(t), err
	}
	byLink, right := e.matches(t.a, box, c, answer)
	if !right || locked {
		c.Tries--
		t.a.Challenges[box] = c
		t.tell(event.SignInFailed, map[string]string{"method": string(m)})
		v, err := e.keep(ctx, t)
		if err != nil {
			return v, err
		}
		return v, ErrCodeWrong
	}
	c.UsedAt, c.Tries = t.now, 0
	t.a.Challenges[box] = c
	m = box
	if byLink && box == identity.EmailCode {
		m = identity.EmailLink
	}
	asked := purpose(t.a, box)
	t.confirm(m, c.Target)
	return e.keep(ctx, t, func(ctx context.Context, t *turn) error { return e.answered(ctx, asked, x, t.now) })
}

// confirm adds the proof that the address answered. At sign-up it confirms the address;
// if somebody holds it already, this is them signing in, and the draft is dropped.
func (t *turn) confirm(m identity.Method, address identity.Identifier) {
	if Next(t.a, t.f, t.p) == NeedsHuman {
		t.a.Human = true
		if m != identity.ResetCode && t.a.Goal == SignIn && !t.p.byMail() {
			return // mailed codes sign nobody in here; this one stood in for a bot check
		}
	}
	if t.extending() {
		t.a.Confirmed = true // it says whose the address is, not who sits here
		return
	}
	if t.a.Goal == SignUp && t.a.UserID == "" {
		before := t.a.Confirmed
		t.a.Confirmed = true
		t.meet()
		if x := t.a.Upstream; x != nil && !before { // it proved nothing before
			t.a.Proofs = append(t.a.Proofs, x.Proof(x.AuthTime))
		}
	}
	t.a.Proofs = append(t.a.Proofs, identity.Proof{Method: m, Category: m.Category(), Credential: address.Value, At: t.now})
}

// matches reports whether the answer is right, and whether it was the link's token.
// People type digits in groups; a token may hold a dash of its own.
func (e *Engine) matches(a Attempt, box identity.Method, c Challenge, answer secret.String) (byLink, right bool) {
	typed := strings.Map(func(r rune) rune {
		if r == '-' || unicode.IsSpace(r) {
			return -1
		}
		return r
	}, answer.Reveal())
	if len(typed) == 6 {
		mac := e.codeMAC(a, box, c.Target, secret.NewString(typed))
		return false, c.Code != "" && secret.Equal(string(mac), string(c.Code))
	}
	digest := secret.DigestOf(strings.TrimSpace(answer.Reveal()))
	return true, c.Code != "" && secret.Equal(string(digest), string(c.Link))
}

// purpose is what a mailed code is for.
func purpose(a Attempt, box identity.Method) string {
	if a.Goal == SignUp || a.Goal == Extend {
		return string(a.Goal)
	}
	return string(box)
}

// codeMAC recognises digits for one attempt, one purpose and one address only.
func (e *Engine) codeMAC(a Attempt, box identity.Method, to identity.Identifier, code secret.String) secret.Digest {
	return e.Box.MAC("login code", strings.Join([]string{string(a.ID), purpose(a, box), string(to.Kind), to.Value, code.Reveal()}, "\x00"))
}

// codeOf are the six digits that belong to a link's token.
func (e *Engine) codeOf(token secret.String) secret.String {
	sum, err := hex.DecodeString(string(e.Box.MAC("login code of link", token.Reveal())))
	if err != nil {
		panic("login: a digest is not hex: " + err.Error())
	}
	return secret.NewString(fmt.Sprintf("%06d", binary.BigEndian.Uint64(sum)%1_000_000))
}

// words are what a message may say beside its code.
func (t *turn) words() map[string]string {
	if t.ask.Party.Name == "" {
		return nil
	}
	return map[string]string{"party": t.ask.Party.Name}
}

func (e *Engine) url(path string) secret.String { return secret.NewString(e.Origin + path) }
