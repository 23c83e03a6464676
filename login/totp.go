package login

import (
	"cmp"
	"context"
	"encoding/base32"
	"net/url"
	"strings"
	"time"
	"unicode"

	"github.com/pquerna/otp"
	"github.com/pquerna/otp/hotp"

	"idp/identity"
	"idp/internal/problem"
	"idp/internal/secret"
)

// Codes of an authenticator app (TOTP, RFC 6238): six digits of HMAC-SHA-1 over the number of
// the half minute, because that is what every app can do. The factor's Secret is the seed in
// base32, its Counter the last time step that was used.

const (
	totpSeed = 20 // bytes (RFC 4226 §4 R6)
	totpStep = 30 * time.Second
	totpSkew = 1 // steps a clock may be off, either way (RFC 6238 §5.2)
)

// ErrTOTP is one answer to three things: the code is wrong, too old, or used already.
var ErrTOTP = problem.New(problem.Invalid, "totp_wrong", "That code is not right. Each one works once: if you just used it, wait for the next.").On("answer")

// enrollTOTP drafts a seed. Choosing again makes another one.
func (e *Engine) enrollTOTP(ctx context.Context, t *turn, name string) (View, error) {
	t.a.Draft.Factor = &DraftFactor{
		ID: identity.FactorID(secret.NewID("factor")), Method: identity.TOTP, Name: factorName(name),
		Secret: secret.NewString(base32.StdEncoding.EncodeToString(secret.Bytes(totpSeed))),
	}
	return e.keep(ctx, t)
}

// showTOTP is what an app needs to know: the seed, and the same as an address for the QR code
// (the key URI that all apps read).
func (e *Engine) showTOTP(t *turn, d *DraftFactor) *Enrollment {
	issuer := strings.ReplaceAll(cmp.Or(e.Name, strings.TrimPrefix(e.Origin, "https://")), ":", " ")
	account := cmp.Or(t.f.mailbox().Value, t.a.Identifier.Value, string(t.a.UserID))
	escape := func(s string) string { return strings.ReplaceAll(url.QueryEscape(s), "+", "%20") } // apps show a plus as it is
	key := d.Secret.Reveal()
	return &Enrollment{
		Method: identity.TOTP, Key: key,
		URI: "otpauth://totp/" + escape(issuer) + ":" + escape(account) +
			"?secret=" + key + "&issuer=" + escape(issuer) + "&algorithm=SHA1&digits=6&period=30",
	}
}

// confirmTOTP takes the first code of the app. It is used up by that.
func (e *Engine) confirmTOTP(ctx context.Context, t *turn, answer secret.String) (View, error) {
	d := *t.a.Draft.Factor
	at, right := totpAt(d.Secret, answer, t.now)
	if !right {
		return e.view(t), ErrTOTP
	}
	d.Counter = at
	t.a.Draft.Factor = &d
	t.confirmed()
	return e.keep(ctx, t)
}

// proveTOTP checks a code of the person's app and uses up its time step, on whichever replica
// it comes first.
func (e *Engine) proveTOTP(ctx context.Context, t *turn, answer secret.String) (View, error) {
	if typedCode(answer) == "" {
		return e.view(t), ErrCodeMissing
	}
	s, err := e.stake(ctx, t, identity.TOTP)
	if err != nil {
		return e.view(t), err
	}
	on, has := t.f.factor(identity.TOTP)
	at, right := totpAt(on.Secret, answer, t.now)
	if !has || !right || at <= on.Counter {
		return e.lost(ctx, t, s, ErrTOTP, false)
	}
	t.shown(on)
	return e.keep(ctx, t, func(ctx context.Context, t *turn) error {
		if err := e.People.UseFactor(ctx, on.ID, on.Counter, at, t.now); err != nil {
			return err
		}
		return e.won(ctx, s)
	})
}

// totpAt returns the time step whose code the answer is: the one now, or a neighbour.
func totpAt(seed, answer secret.String, now time.Time) (step int64, right bool) {
	typed := typedCode(answer)
	here := now.Unix() / int64(totpStep/time.Second)
	for at := here - totpSkew; at <= here+totpSkew; at++ {
		ok, err := hotp.ValidateCustom(typed, uint64(at), seed.Reveal(), hotp.ValidateOpts{Digits: otp.DigitsSix, Algorithm: otp.AlgorithmSHA1}) //nolint:gosec // no clock is before 1970
		if err == nil && ok {
			step, right = at, true // and go on: the time it takes tells nothing
		}
	}
	return step, right
}

// typedCode is a code as it was meant: people type groups.
func typedCode(answer secret.String) string {
	return strings.Map(func(r rune) rune {
		if r == '-' || unicode.IsSpace(r) {
			return -1
		}
		return r
	}, answer.Reveal())
}

// shown adds the proof that the person showed a factor on file.
func (t *turn) shown(on identity.Factor) {
	t.a.Proofs = append(t.a.Proofs, identity.Proof{
		Method: on.Method, Category: on.Method.Category(), Credential: string(on.ID), At: t.now,
	})
}
