package login_test

import (
	"strings"
	"testing"
	"time"

	"idp/event"
	"idp/identity"
	"idp/internal/secret"
	"idp/login"
	"idp/message"
)

// firstWays bring a browser that named ann through each first factor.
var firstWays = map[identity.Method]func(b *browser, mail string){
	identity.Password: func(b *browser, _ string) { b.prove(identity.Password, rightPassword) },
	identity.EmailCode: func(b *browser, mail string) {
		b.prepare(identity.EmailCode)
		b.prove(identity.EmailCode, b.letter(mail, message.SignIn).Code)
	},
	identity.EmailLink: func(b *browser, mail string) {
		b.prepare(identity.EmailLink)
		_, token, _ := strings.Cut(b.letter(mail, message.SignIn).Link, "token=")
		b.prove(identity.EmailLink, token)
	},
	identity.ResetCode: func(b *browser, mail string) {
		b.forgot()
		b.prove(identity.ResetCode, b.letter(mail, message.Reset).Code)
	},
}

// secondWays show each second factor that ann set up, n times at most ten.
var secondWays = map[identity.Method]func(b *browser, key string, codes []secret.String, n int){
	identity.TOTP: func(b *browser, key string, _ []secret.String, _ int) { b.prove(identity.TOTP, b.code(key, 0)) },
	identity.BackupCode: func(b *browser, _ string, codes []secret.String, n int) {
		b.prove(identity.BackupCode, codes[n].Reveal())
	},
}

func TestEveryFirstFactorNeedsASecondAndEverySecondDoesAfterEveryFirst(t *testing.T) {
	each(t, func(h *house) {
		const mail = "ann@example.com"
		codes, key := h.backedUp(mail)
		n := 0
		for first, begin := range firstWays {
			for second, finish := range secondWays {
				h.clock.Add(time.Hour)
				b := h.browser().signIn().identify(mail)
				began := len(h.recorded(event.SignInSucceeded))
				begin(b, mail)
				if b.want(login.NeedsSecondFactor); len(h.recorded(event.SignInSucceeded)) != began || b.view.SessionID != "" {
					t.Fatalf("%s alone begins a session", first)
				}
				// A second proof of the same sort is no second step.
				b.prove(identity.Password, rightPassword).refused("method_unavailable", login.NeedsSecondFactor)
				b.prove(identity.EmailCode, "123456").refused("method_unavailable", login.NeedsSecondFactor)
				b.setPassword("another quiet lantern").refused("not_now", login.NeedsSecondFactor)
				finish(b, key, codes, n)
				n++
				if first == identity.ResetCode {
					b.want(login.NeedsNewPassword).setPassword(rightPassword)
				}
				s := b.want(login.Complete).session()
				if identity.ACR(s.Proofs) != identity.AAL2 || len(s.Proofs) != 2 || s.Proofs[0].Method != first || s.Proofs[1].Method != second {
					t.Errorf("%s and %s end with %v", first, second, s.Proofs)
				}
			}
		}
	})
}
