package login

import (
	"cmp"
	"context"
	"strings"
	"unicode"

	"idp/event"
	"idp/identity"
	"idp/internal/problem"
	"idp/internal/secret"
)

// A factor is set up in two moves: Enroll chooses the method and answers with what it takes,
// Confirm shows that it works. In between it is a draft of the attempt, on nobody's file; it
// comes there when the attempt settles.

// The problems of setting up a factor.
var (
	ErrNoDraft     = problem.New(problem.Conflict, "enrollment_unbegun", "Choose what to set up first.")
	ErrFactorThere = problem.New(problem.Conflict, "factor_there", "You have set that up already.")
)

// Enroll begins to set up a factor: detail is the phone number for phone_code, else a name
// for it or "". Choosing again drops what was chosen before. A method that is not offered is ErrMethod.
func (e *Engine) Enroll(ctx context.Context, at At, m identity.Method, detail string) (View, error) {
	t, err := e.turn(ctx, at, enroll)
	if err != nil {
		return e.view(t), err
	}
	if !t.offers(m) {
		return e.view(t), ErrMethod
	}
	switch m {
	case identity.TOTP:
		return e.enrollTOTP(ctx, t, detail)
	case identity.Passkey, identity.SecurityKey:
		return e.enrollKey(ctx, t, m, detail)
	case identity.PhoneCode:
		return e.enrollPhone(ctx, t, detail)
	default:
		return e.view(t), ErrMethod
	}
}

// Confirm shows that the factor being set up works. A right answer is a proof by it, too.
func (e *Engine) Confirm(ctx context.Context, at At, answer secret.String) (View, error) {
	t, err := e.turn(ctx, at, confirm)
	if err != nil {
		return e.view(t), err
	}
	if t.a.Draft.Factor == nil {
		return e.view(t), ErrNoDraft
	}
	switch t.a.Draft.Factor.Method {
	case identity.TOTP:
		return e.confirmTOTP(ctx, t, answer)
	case identity.Passkey, identity.SecurityKey:
		return e.confirmKey(ctx, t, answer)
	case identity.PhoneCode:
		return e.confirmPhone(ctx, t, answer)
	default:
		return e.view(t), ErrMethod
	}
}

// confirmed notes that the draft works and that the person just showed it. Its proof goes before the
// others: a session is as fresh as its last proof, and something new makes nobody fresh who was not.
func (t *turn) confirmed() {
	d := *t.a.Draft.Factor
	d.Confirmed = true
	t.a.Draft.Factor = &d
	own := identity.Proof{Method: d.Method, Category: d.Method.Category(), Credential: d.shown(), At: t.now}
	t.a.Proofs = append([]identity.Proof{own}, t.a.Proofs...)
}

// install puts the factor that was set up on file, in the transaction that settles.
func (e *Engine) install(ctx context.Context, t *turn, d *DraftFactor) error {
	if d == nil || !d.Confirmed {
		return nil
	}
	if err := e.makeRoom(ctx, t, d.Method); err != nil {
		return err
	}
	if d.Method == identity.PhoneCode {
		if err := e.installPhone(ctx, t, d.Target); err != nil {
			return err
		}
	}
	f := identity.Factor{
		ID: cmp.Or(d.ID, identity.FactorID(secret.NewID("factor"))), UserID: t.a.UserID, Method: d.Method, Name: d.Name,
		Secret: d.Secret, Credential: d.Credential, Counter: d.Counter, CreatedAt: t.now, LastUsedAt: t.now,
	}
	if d.Method == identity.PhoneCode {
		f.Credential = "" // it told this draft's proof from one by another number
	}
	if err := e.People.SaveFactor(ctx, f); err != nil {
		return err
	}
	if err := e.Distrust(ctx, t.a.UserID); err != nil {
		return err
	}
	t.tell(event.FactorAdded, map[string]string{"method": string(d.Method), "factor": string(f.ID)})
	if t.p.BackupCodes && !t.f.has(identity.BackupCode) {
		fresh, err := e.renewBackup(ctx, t)
		if err != nil {
			return err
		}
		t.backup = fresh
	}
	return e.notify(ctx, t, Change{Kind: FactorAdded, Factor: f})
}

// makeRoom lets a new authenticator app take the place of the one there is. Who signs in with
// something else, and was to set up the first one, does not do that in passing.
func (e *Engine) makeRoom(ctx context.Context, t *turn, m identity.Method) error {
	old, has := t.f.factor(m)
	if m != identity.TOTP || !has {
		return nil
	}
	if t.a.Goal != Enroll {
		return ErrFactorThere
	}
	t.tell(event.FactorRemoved, map[string]string{"method": string(m), "factor": string(old.ID)})
	return e.People.DropFactor(ctx, old.UserID, old.ID)
}

// enrollment is what it takes to set up the factor that was chosen. Once it works, nothing
// of that is shown again.
func (e *Engine) enrollment(t *turn, d *DraftFactor) *Enrollment {
	if d.Confirmed {
		return nil
	}
	switch d.Method {
	case identity.TOTP:
		return e.showTOTP(t, d)
	case identity.Passkey, identity.SecurityKey:
		return &Enrollment{Method: d.Method, Options: t.options}
	case identity.PhoneCode:
		return &Enrollment{Method: d.Method, Target: d.Target.Mask()}
	default:
		return nil
	}
}

const maxFactorName = 60 // characters

// factorName is a person's word for a factor, made fit for a list.
func factorName(typed string) string {
	words := []rune(strings.Join(strings.Fields(strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(typed, ""))), " "))
	return strings.TrimSpace(string(words[:min(len(words), maxFactorName)]))
}
