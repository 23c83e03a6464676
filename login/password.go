package login

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/trustelem/zxcvbn"
	"golang.org/x/text/unicode/norm"

	"idp/event"
	"idp/identity"
	"idp/internal/problem"
	"idp/internal/secret"
)

// The problems of passwords. ErrPassword is one answer to three things: nobody has that
// address, the password is wrong, the address is locked.
var (
	ErrPassword      = problem.New(problem.Invalid, "password_wrong", "The email address and the password do not match.").On("password")
	ErrPasswordEmpty = problem.New(problem.Invalid, "password_missing", "Enter your password.").On("password")
)

// Prove shows what a method asks for. Right answers become proofs; wrong ones are
// counted and change nothing else.
func (e *Engine) Prove(ctx context.Context, at At, m identity.Method, answer secret.String) (View, error) {
	t, err := e.turn(ctx, at, prove)
	if err != nil {
		return e.view(t), err
	}
	if Next(t.a, t.f, t.p) == NeedsSecondFactor {
		t.a.Trust = at.Trust
	}
	switch {
	case !t.offers(m):
		return e.view(t), ErrMethod
	case m == identity.Password:
		return e.provePassword(ctx, t, answer)
	case m == identity.TOTP:
		return e.proveTOTP(ctx, t, answer)
	case m == identity.BackupCode:
		return e.proveBackup(ctx, t, answer)
	case m == identity.Passkey, m == identity.SecurityKey:
		return e.proveKey(ctx, t, m, answer)
	case m == identity.PhoneCode:
		return e.provePhone(ctx, t, answer)
	case slot(m) != "":
		return e.proveMailed(ctx, t, m, answer)
	}
	return e.view(t), ErrMethod
}

func (e *Engine) provePassword(ctx context.Context, t *turn, password secret.String) (View, error) {
	if password.Empty() {
		return e.view(t), ErrPasswordEmpty
	}
	if len(password.Reveal()) > secret.MaxPassword {
		return e.view(t), secret.ErrPasswordTooLong
	}
	g, err := e.guess(ctx, t)
	if errors.Is(err, errDoubtful) {
		return e.doubt(ctx, t)
	}
	if err != nil {
		return e.view(t), err
	}
	on, right, upgraded, err := e.verify(ctx, t, g, password)
	if err != nil {
		return e.view(t), e.unverified(ctx, t, g, err)
	}
	if !right {
		return e.wrongPassword(ctx, t, g)
	}
	t.a.Proofs = append(t.a.Proofs, identity.Proof{
		Method: identity.Password, Category: identity.Password.Category(), Credential: string(on.ID), At: t.now,
	})
	if e.exposed(ctx, password) {
		t.a.Breached = secret.DigestOf(cmp.Or(upgraded, on.Secret).Reveal())
	}
	if Next(t.a, t.f, t.p) == NeedsEmailVerification {
		// Without the page having to ask; if it may not be sent again yet, one is out.
		if err := e.send(ctx, t, identity.EmailCode); err != nil && !problem.Is(err, problem.TooMany) {
			return e.view(t), err
		}
	}
	return e.keep(ctx, t, func(ctx context.Context, t *turn) error {
		now, ok := t.f.factor(identity.Password)
		if !ok || now.Secret != on.Secret {
			return problem.New(problem.Conflict, "password_changed", "The password was changed a moment ago.")
		}
		now.LastUsedAt = t.now
		if !upgraded.Empty() {
			now.Secret = upgraded
			t.tell(event.PasswordUpgraded, nil)
		}
		if err := e.People.SaveFactor(ctx, now); err != nil {
			return err
		}
		if Next(t.a, t.f, t.p) != Ready {
			return e.giveBack(ctx, g, t.now)
		}
		return e.forgive(ctx, g, t.now)
	})
}

// verify compares the password, or spends as long where there is nothing to compare:
// one hash either way.
func (e *Engine) verify(ctx context.Context, t *turn, g tries, password secret.String) (on identity.Factor, right bool, upgraded secret.String, err error) {
	on, has := t.f.factor(identity.Password)
	if g.locked || !has || breaksGlass(t.a, t.f, t.p) && !t.f.exempt(t.p) {
		return on, false, upgraded, e.Hasher.Waste(ctx)
	}
	right, old, err := e.Hasher.Verify(ctx, password, on.Secret)
	if err == nil && right && old {
		upgraded, err = e.Hasher.Hash(ctx, password)
	}
	return on, right, upgraded, err
}

// unverified gives back a try that nothing was learned from.
func (e *Engine) unverified(ctx context.Context, t *turn, g tries, cause error) error {
	if err := e.giveBack(ctx, g, t.now); err != nil {
		return fmt.Errorf("%w, and giving back the try: %w", cause, err)
	}
	return cause
}

// wrongPassword notes the failure. The attempt itself stays as it was.
func (e *Engine) wrongPassword(ctx context.Context, t *turn, g tries) (View, error) {
	v := e.view(t)
	detail := map[string]string{"method": string(identity.Password)}
	if g.locked {
		detail["reason"] = "locked"
	}
	t.tell(event.SignInFailed, detail)
	if g.last {
		if err := e.lock(ctx, t, g, identity.Password); err != nil {
			return v, err
		}
	}
	if err := e.InTx(ctx, func(ctx context.Context) error { return e.announce(ctx, t) }); err != nil {
		return v, err
	}
	return v, ErrPassword
}

const scored = 100 // characters; the estimate of longer ones takes too long and adds nothing

// Check reports what is wrong with a password that address would have: a problem on the
// field "password" that says what to do, or nil. Length counts characters after NFC.
func (r PasswordRules) Check(password secret.String, address identity.Identifier) error {
	if err := r.shape(password); err != nil {
		return err
	}
	return r.strong(Score(password, address))
}

// strong judges the score of a password.
func (r PasswordRules) strong(score int) error {
	if score < r.MinScore {
		return refuse("password_too_weak", "That password is easy to guess. Add another word or two, and avoid names, dates and your address.")
	}
	return nil
}

// shape judges what a password is made of.
func (r PasswordRules) shape(password secret.String) error {
	raw := password.Reveal()
	if len(raw) > secret.MaxPassword {
		return secret.ErrPasswordTooLong
	}
	if !utf8.ValidString(raw) {
		return refuse("password_unreadable", "That password contains bytes that are no characters. Please type another one.")
	}
	typed := norm.NFC.String(raw)
	least := max(r.MinLength, leastLength)
	if utf8.RuneCountInString(typed) < least {
		return refuse("password_too_short", fmt.Sprintf("Use at least %d characters. A few words in a row work well.", least))
	}
	var digit, upper, lower, special bool
	for _, c := range typed {
		digit = digit || unicode.IsDigit(c)
		upper = upper || unicode.IsUpper(c)
		lower = lower || unicode.IsLower(c)
		special = special || !unicode.IsLetter(c) && !unicode.IsDigit(c)
	}
	switch {
	case r.Digit && !digit:
		return refuse("password_needs_digit", "Add a digit to the password.")
	case r.MixedCase && (!upper || !lower):
		return refuse("password_needs_mixed_case", "Use both capital and small letters in the password.")
	case r.Special && !special:
		return refuse("password_needs_special", "Add a character that is neither letter nor digit to the password.")
	}
	return nil
}

const leastLength = 8 // whatever the rules say (NIST SP 800-63B-4 §3.1.1.2)

func refuse(code, detail string) error {
	return problem.New(problem.Invalid, code, detail).On("password")
}

// Score estimates how hard a password of that address is to guess: 0, at once, to 4, very
// (zxcvbn). It looks at the first hundred characters.
func Score(password secret.String, address identity.Identifier) int {
	typed := []rune(norm.NFC.String(password.Reveal()))
	return zxcvbn.PasswordStrength(string(typed[:min(len(typed), scored)]), inputs(address)).Score
}

// inputs are the words an attacker who knows the address tries first.
func inputs(address identity.Identifier) []string {
	if address.None() {
		return nil
	}
	local, domain, _ := strings.Cut(address.Value, "@")
	parts := strings.FieldsFunc(address.Value, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
	return append(parts, address.Value, local, domain)
}
