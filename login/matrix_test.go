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

// equipped is somebody who set up every second factor there is.
type equipped struct {
	mail     string
	user     identity.UserID
	seed     string
	codes    []secret.String // backup codes that are left
	key      *device         // their security key
	passkey  *device
	sessions int // of theirs that began
}

func (h *house) equip(mail string) *equipped {
	h.Helper()
	h.settings.SMS = true
	x := &equipped{mail: mail, key: newDevice(h.T), passkey: newDevice(h.T)}
	x.codes, x.seed = h.backedUp(mail)
	x.user = h.holderOf(mail)
	b := h.second(mail).prove(identity.TOTP, h.code(x.seed, 0)).want(login.Complete)
	b.adding().enroll(identity.PhoneCode, mobile).enrollConfirm(h.digits(mobile, message.PhoneProof)).want(login.Complete)
	for m, d := range map[identity.Method]*device{identity.SecurityKey: x.key, identity.Passkey: x.passkey} {
		b.adding().enroll(m, "")
		b.enrollConfirm(d.creates(b.made())).want(login.Complete)
	}
	x.sessions = len(h.recorded(event.SignInSucceeded))
	return x
}

// firstWays bring a browser that named somebody through each first factor.
var firstWays = map[identity.Method]func(b *browser, x *equipped){
	identity.Password: func(b *browser, _ *equipped) { b.prove(identity.Password, rightPassword) },
	identity.EmailCode: func(b *browser, x *equipped) {
		b.prepare(identity.EmailCode)
		b.prove(identity.EmailCode, b.letter(x.mail, message.SignIn).Code)
	},
	identity.EmailLink: func(b *browser, x *equipped) {
		b.prepare(identity.EmailLink)
		_, token, _ := strings.Cut(b.letter(x.mail, message.SignIn).Link, "token=")
		b.prove(identity.EmailLink, token)
	},
	identity.ResetCode: func(b *browser, x *equipped) {
		b.forgot()
		b.prove(identity.ResetCode, b.letter(x.mail, message.Reset).Code)
	},
	identity.Passkey: func(b *browser, x *equipped) {
		b.prepare(identity.Passkey)
		b.prove(identity.Passkey, x.passkey.signs(b.asked()))
	},
}

// secondWays show each second factor.
var secondWays = map[identity.Method]func(b *browser, x *equipped){
	identity.TOTP: func(b *browser, x *equipped) { b.prove(identity.TOTP, b.code(x.seed, 0)) },
	identity.PhoneCode: func(b *browser, _ *equipped) {
		b.prepare(identity.PhoneCode)
		b.prove(identity.PhoneCode, b.digits(mobile, message.PhoneCode))
	},
	identity.SecurityKey: func(b *browser, x *equipped) {
		b.prepare(identity.SecurityKey)
		b.prove(identity.SecurityKey, x.key.signs(b.asked()))
	},
	identity.Passkey: firstWays[identity.Passkey],
	identity.BackupCode: func(b *browser, x *equipped) {
		b.prove(identity.BackupCode, x.codes[0].Reveal())
		x.codes = x.codes[1:]
	},
}

// outside fails if another session of theirs began, or their password is another one.
func (b *browser) outside(x *equipped, after identity.Method) {
	b.Helper()
	if n := len(b.recorded(event.SignInSucceeded)); n != x.sessions || b.view.SessionID != "" {
		b.Fatalf("%s alone begins a session: %d began before, %d now", after, x.sessions, n)
	}
	if b.password(x.user) != rightPassword {
		b.Fatalf("%s alone changes the password", after)
	}
}

func TestEveryFirstFactorNeedsASecondAndEverySecondDoesAfterEveryFirst(t *testing.T) {
	each(t, func(h *house) {
		x := h.equip("ann@example.com")
		for first, begin := range firstWays {
			if first == identity.Passkey {
				continue // both at once: see below
			}
			for second, finish := range secondWays {
				h.clock.Add(6 * time.Hour) // what is mailed and texted in a day is counted
				b := h.browser().signIn().identify(x.mail).want(login.NeedsFirstFactor)
				begin(b, x)
				b.want(login.NeedsSecondFactor).outside(x, first)
				b.option(second)
				// Whatever stands for the password is no second step, nor is the new password.
				for again := range firstWays {
					if again == identity.Passkey {
						continue
					}
					b.prepare(again).refused("method_unavailable", login.NeedsSecondFactor)
					b.prove(again, rightPassword).refused("method_unavailable", login.NeedsSecondFactor)
				}
				b.setPassword("another quiet lantern").refused("not_now", login.NeedsSecondFactor)
				b.enroll(identity.TOTP, "").refused("not_now", login.NeedsSecondFactor)
				b.outside(x, first)
				finish(b, x)
				if first == identity.ResetCode {
					b.want(login.NeedsNewPassword).outside(x, second)
					b.setPassword(rightPassword)
				}
				s := b.want(login.Complete).session()
				x.sessions++
				acr := identity.AAL2
				if second == identity.Passkey {
					acr = identity.PHR
				}
				if s.User != x.user || identity.ACR(s.Proofs) != acr || len(s.Proofs) != 2 || s.Proofs[0].Method != first || s.Proofs[1].Method != second {
					t.Errorf("%s and %s end with %v", first, second, s.Proofs)
				}
			}
		}
	})
}

func TestAPasskeyAloneSufficesWhateverElseIsOnFile(t *testing.T) {
	each(t, func(h *house) {
		x := h.equip("ann@example.com")
		for _, typed := range []string{"", x.mail} {
			b := h.browser().signIn()
			if typed != "" {
				b.identify(typed)
			}
			firstWays[identity.Passkey](b, x)
			if s := b.want(login.Complete).session(); s.User != x.user || identity.ACR(s.Proofs) != identity.PHR || len(s.Proofs) != 1 {
				t.Errorf("a session of %s by %v", s.User, s.Proofs)
			}
		}
	})
}

// What a person has never stands for what they know, however much of it they show.
func TestNoSecondFactorIsAFirstOneNorAreTwoOfThem(t *testing.T) {
	each(t, func(h *house) {
		x := h.equip("ann@example.com")
		for _, reset := range []bool{false, true} {
			h.clock.Add(time.Hour)
			b := h.browser().signIn().identify(x.mail).want(login.NeedsFirstFactor)
			if reset {
				b.forgot().want(login.NeedsFirstFactor)
			}
			texts := len(h.letters(mobile))
			answers := map[identity.Method]string{
				identity.TOTP: h.code(x.seed, 0), identity.BackupCode: x.codes[0].Reveal(), identity.PhoneCode: "123456", identity.SecurityKey: "{}",
			}
			for second, answer := range answers {
				b.prepare(second).refused("method_unavailable", login.NeedsFirstFactor)
				b.prove(second, answer).refused("method_unavailable", login.NeedsFirstFactor)
			}
			b.outside(x, "possession")
			if len(h.letters(mobile)) != texts || len(h.factors(x.user, identity.BackupCode)) != len(x.codes) {
				t.Error("asking for a second factor first sent an SMS or spent a backup code")
			}
		}
		// Nor would it be enough if something let them through.
		p, err := h.people.Person(h.Context(), x.user)
		h.must(err)
		facts := login.Facts{Known: true, User: p.User, Holdings: p.Holdings, Factors: p.Factors}
		for one := range secondWays {
			for other := range secondWays {
				if one == identity.Passkey || other == identity.Passkey {
					continue
				}
				a := login.Attempt{Goal: login.SignIn, Identifier: address(x.mail), UserID: x.user}
				for _, m := range []identity.Method{one, other} {
					a.Proofs = append(a.Proofs, identity.Proof{Method: m, Category: m.Category(), At: h.clock.Now()})
				}
				if step := login.Next(a, facts, login.Policy{Settings: h.settings}); step == login.Ready || step == login.Complete {
					t.Errorf("%s and %s lead to %s", one, other, step)
				}
			}
		}
	})
}
