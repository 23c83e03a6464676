package login

import (
	"context"
	"slices"
	"strings"
	"unicode"

	"idp/event"
	"idp/identity"
	"idp/internal/problem"
	"idp/internal/secret"
)

// Backup codes stand in for a second factor that is lost: ten of them come with the first
// one, are shown once, and each works once. A code is a factor of its own, whose Secret is a
// MAC bound to the person, and whose Counter is 1 when it is spent. With eighty random bits
// nobody finds one by guessing; wrong ones count with passwords all the same.

const (
	backupCodes    = 10
	backupGroups   = 4
	backupGroup    = 4
	backupAlphabet = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789" // nothing that looks like something else
)

// ErrBackup is one answer to three things: no such code, a spent one, a locked account.
var ErrBackup = problem.New(problem.Invalid, "backup_code_wrong", "That backup code is not right, or it was used already.").On("answer")

// renewBackup puts fresh backup codes on file in place of those there are, in the caller's
// transaction, and returns them, this once.
func (e *Engine) renewBackup(ctx context.Context, t *turn) ([]secret.String, error) {
	for _, f := range t.f.Factors {
		if f.Method != identity.BackupCode {
			continue
		}
		if err := e.People.DropFactor(ctx, f.UserID, f.ID); err != nil {
			return nil, err
		}
	}
	fresh := make([]secret.String, backupCodes)
	for i := range fresh {
		fresh[i] = backupCode()
		err := e.People.SaveFactor(ctx, identity.Factor{
			ID: identity.FactorID(secret.NewID("factor")), UserID: t.a.UserID, Method: identity.BackupCode,
			Secret: e.backupMAC(t.a.UserID, fresh[i]), CreatedAt: t.now,
		})
		if err != nil {
			return nil, err
		}
	}
	t.tell(event.BackupCodesMade, nil)
	return fresh, nil
}

// backupCode draws a code: "ABCD-EFGH-JKLM-NPQR".
func backupCode() secret.String {
	random := secret.Bytes(backupGroups * backupGroup)
	var groups []string
	for part := range slices.Chunk(random, backupGroup) {
		for i, b := range part {
			part[i] = backupAlphabet[int(b)%len(backupAlphabet)] // 32 divides 256: each letter is as likely
		}
		groups = append(groups, string(part))
	}
	return secret.NewString(strings.Join(groups, "-"))
}

// backupMAC recognises a backup code of that person, however it is typed.
func (e *Engine) backupMAC(u identity.UserID, code secret.String) secret.String {
	plain := strings.Map(func(r rune) rune {
		if r == '-' || unicode.IsSpace(r) {
			return -1
		}
		return unicode.ToUpper(r)
	}, code.Reveal())
	return secret.NewString(string(e.Box.MAC("backup code", string(u)+"\x00"+plain)))
}

// proveBackup checks a backup code and spends it.
func (e *Engine) proveBackup(ctx context.Context, t *turn, answer secret.String) (View, error) {
	if typedCode(answer) == "" {
		return e.view(t), ErrCodeMissing
	}
	s, err := e.stake(ctx, t, identity.BackupCode)
	if err != nil {
		return e.view(t), err
	}
	g, err := e.guess(ctx, t)
	if err != nil {
		return e.view(t), err
	}
	on, right := e.backupOf(t, answer)
	if !right || g.locked {
		if g.last {
			if err := e.lock(ctx, t, g, identity.BackupCode); err != nil {
				return e.view(t), err
			}
		}
		return e.lost(ctx, t, s, ErrBackup, g.last)
	}
	t.shown(on)
	return e.keep(ctx, t, func(ctx context.Context, t *turn) error {
		if err := e.People.UseFactor(ctx, on.ID, on.Counter, 1, t.now); err != nil {
			return err
		}
		t.tell(event.BackupCodeUsed, nil)
		return e.forgive(ctx, g, t.now, s.key)
	})
}

// backupOf finds the unspent code that was typed.
func (e *Engine) backupOf(t *turn, answer secret.String) (on identity.Factor, right bool) {
	mac := e.backupMAC(t.a.UserID, answer).Reveal()
	for _, f := range t.f.Factors {
		if f.Method == identity.BackupCode && !f.Spent() && secret.Equal(f.Secret.Reveal(), mac) {
			on, right = f, true
		}
	}
	return on, right
}
