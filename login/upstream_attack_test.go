package login_test

import (
	"slices"
	"sync"
	"testing"
	"time"

	"idp/event"
	"idp/federation"
	"idp/federation/federationtest"
	"idp/identity"
	"idp/internal/problem"
	"idp/internal/secret"
	"idp/login"
	"idp/message"
	"idp/storage"
)

func TestAStateIsGoodOnceInItsBrowserForItsConnectionAndForTenMinutes(t *testing.T) {
	eachAbroad(t, func(h *abroad) {
		h.says("s1", "new@example.com", true)
		h.connect(h.op.Connection("other"))
		b := h.browser().signIn()
		answer := b.away(h.op, "acme")

		thief := h.browser()
		thief.view = b.view
		thief.back("acme", answer)
		if !problem.HasCode(thief.err, login.ErrNoAttempt.Code) {
			t.Errorf("another browser: %v", thief.err)
		}
		b.back("other", answer).refused(login.ErrState.Code, login.NeedsIdentifier)
		own := b.away(h.op, "other")
		b.back("other", answer).refused(login.ErrState.Code, login.NeedsIdentifier)
		b.back("acme", own).refused(login.ErrState.Code, login.NeedsIdentifier)
		made := answer
		made.State = federation.NewState(string(b.view.ID))
		b.back("acme", made).refused(login.ErrState.Code, login.NeedsIdentifier)
		h.clock.Add(10 * time.Minute)
		b.back("acme", answer).refused(login.ErrState.Code, login.NeedsIdentifier)
		if n := h.op.Calls("/token"); n != 0 {
			t.Errorf("the provider was asked %d times", n)
		}
		h.nobody()
	})
}

func TestAStateIsUsedUpWhateverTheAnswerIsWorth(t *testing.T) {
	eachAbroad(t, func(h *abroad) {
		h.says("s1", "new@example.com", true)
		b := h.browser().signIn()
		h.op.Sign = federationtest.Stranger
		answer := b.away(h.op, "acme")
		b.back("acme", answer).refused(federation.ErrRefused.Code, login.NeedsIdentifier)
		h.op.Sign = federationtest.Right
		b.back("acme", answer).refused(login.ErrState.Code, login.NeedsIdentifier)
		if n := len(h.recorded(event.SignInFailed)); n != 1 {
			t.Errorf("%d failures recorded", n)
		}
		h.nobody()
		b.by(h, "acme").want(login.Complete)
	})
}

// nobody fails if anybody came to be or came in.
func (h *house) nobody() {
	h.Helper()
	if people, sessions := h.count(); people != 0 || sessions != 0 {
		h.Errorf("%d people, %d sessions", people, sessions)
	}
}

func TestOneAddressUnderAnotherSubjectConnectionOrIssuerIsSomebodyElse(t *testing.T) {
	eachAbroad(t, func(h *abroad) {
		ann := h.person("ann@example.com", identity.Password)
		h.linked(ann, "acme", "s1")
		h.connect(h.op.Connection("other"))
		elsewhere := federationtest.New(t, h.clock.Now)
		f := h.engine.Federation
		f.Outbound = federationtest.Outbound(h.op, elsewhere)
		for name, away := range map[string]func(b *browser) *browser{
			"another subject":    func(b *browser) *browser { h.says("s2", "ann@example.com", false); return b.by(h, "acme") },
			"another connection": func(b *browser) *browser { h.says("s1", "ann@example.com", false); return b.by(h, "other") },
		} {
			b := away(h.browser().signIn())
			if b.want(login.NeedsEmailVerification); b.view.SessionID != "" {
				t.Errorf("%s: somebody is in", name)
			}
		}
		if _, sessions := h.count(); sessions != 0 || h.whose("acme", "s2") != "" || h.whose("other", "s1") != "" {
			t.Error("somebody else's account signs Ann in")
		}
	})
}

func TestASquattersAccountIsNeverJoinedByWhoComesFromAProvider(t *testing.T) {
	for name, verified := range map[string]bool{"believed": true, "by our own code": false} {
		t.Run(name, func(t *testing.T) {
			eachAbroad(t, func(h *abroad) {
				q := h.squat()
				h.says("the victim", victim, verified)
				b := h.browser().signIn().by(h, "acme")
				if !verified {
					b.want(login.NeedsEmailVerification).prove(identity.EmailCode, h.letter(victim, message.VerifyAddress).Code)
				}
				b.want(login.Complete)
				if b.session().User == q.id || h.whose("acme", "the victim") == q.id {
					t.Fatal("the squatter's account was joined")
				}
				// What the attacks are called: the classic merge (the old password), the unexpired
				// session, the trojan connection and identifier, the unexpired change of address.
				q.gone()
				h.browser().signIn().identify(victim).prove(identity.Password, rightPassword).refused(login.ErrPassword.Code, login.NeedsFirstFactor)
				if h.whose("acme", "eve") != "" {
					t.Error("the squatter's account elsewhere signs in")
				}
			})
		})
	}
}

func TestASignUpThatAStrangerBeganIsWorthNothingOnceTheOwnerCameFromAProvider(t *testing.T) {
	eachAbroad(t, func(h *abroad) {
		eve := h.browser().signUpStart(victim)
		h.says("s1", victim, true)
		b := h.browser().signIn().by(h, "acme").want(login.Complete)
		eve.prove(identity.EmailCode, "000000").refused("code_wrong", login.NeedsEmailVerification)
		h.browser().signIn().identify(victim).prove(identity.Password, rightPassword).refused(login.ErrPassword.Code, login.NeedsFirstFactor)
		if h.holderOf(victim) != b.session().User {
			t.Error("the address is somebody else's")
		}
	})
}

func TestOfTwoWhoConnectTheSameAccountOneWins(t *testing.T) {
	eachAbroad(t, func(h *abroad) {
		h.says("s1", "shared@example.com", true)
		var all []*browser
		var answers []federation.Answer
		for _, mail := range []string{"ann@example.com", "bob@example.com"} {
			h.person(mail, identity.Password)
			b, s := h.inside(mail)
			b = b.tab().begin(login.Beginning{Goal: login.Connect, Session: s, Connection: "acme"}).want(login.NeedsConnection)
			all, answers = append(all, b), append(answers, b.away(h.op, "acme"))
		}
		var wait sync.WaitGroup
		for i, b := range all {
			wait.Go(func() { b.back("acme", answers[i]) })
		}
		wait.Wait()
		won := 0
		for _, b := range all {
			switch {
			case b.err == nil:
				won++
			case !problem.HasCode(b.err, login.ErrTaken.Code) && !problem.HasCode(b.err, login.ErrMoved.Code):
				t.Error(b.err)
			default:
				b.look()
				if b.err == nil && b.view.Step == login.Complete {
					t.Error("the slower one is connected, too")
				}
			}
		}
		if won != 1 || len(h.recorded(event.AccountLinked)) != 1 || h.whose("acme", "s1") == "" {
			t.Errorf("%d won, %d linked", won, len(h.recorded(event.AccountLinked)))
		}
	})
}

func TestConnectingLinksTheAccountToWhoIsSignedInAfterTheyProvedThemselves(t *testing.T) {
	eachAbroad(t, func(h *abroad) {
		ann := h.person("ann@example.com", identity.Password)
		h.says("s1", "quite-different@example.com", false)
		b, s := h.inside("ann@example.com")
		h.clock.Add(time.Hour)
		b = b.tab().begin(login.Beginning{Goal: login.Connect, Session: s, Connection: "acme"}).want(login.NeedsFirstFactor)
		b.nowhere("acme", login.ErrMethod) // not linked: it proves nobody
		b.prove(identity.Password, rightPassword).want(login.NeedsConnection)
		b.by(h, "acme").want(login.Complete)
		if h.whose("acme", "s1") != ann || !h.told("ann@example.com", "account_linked") {
			t.Error("the account is not linked, or nobody was told")
		}
		b = b.tab().begin(login.Beginning{Goal: login.Connect, Session: s, Connection: "acme"}).want(login.NeedsConnection)
		b.by(h, "acme").refused(login.ErrLinked.Code, login.NeedsConnection)
		h.clock.Add(time.Hour)
		b = b.tab().begin(login.Beginning{Goal: login.Connect, Session: s, Connection: "acme"}).want(login.NeedsFirstFactor)
		b.by(h, "acme").want(login.NeedsConnection) // linked by now, so that it is a proof

		h.person("bob@example.com", identity.Password)
		c, s := h.inside("bob@example.com")
		c = c.tab().begin(login.Beginning{Goal: login.Connect, Session: s, Connection: "acme"}).want(login.NeedsConnection)
		c.by(h, "acme").refused(login.ErrTaken.Code, login.NeedsConnection)
		if h.whose("acme", "s1") != ann {
			t.Error("the account moved")
		}
	})
}

func TestWithinASessionOnlyTheSamePersonsAccountProves(t *testing.T) {
	eachAbroad(t, func(h *abroad) {
		ann, bob := h.person("ann@example.com", identity.Password), h.person("bob@example.com", identity.Password)
		h.linked(ann, "acme", "s1")
		h.linked(bob, "acme", "s2")
		b, s := h.inside("ann@example.com")
		h.clock.Add(time.Hour)
		for _, subject := range []string{"s2", "nobody's"} {
			h.says(subject, "ann@example.com", true)
			b.tab().begin(login.Beginning{Goal: login.StepUp, Session: s}).by(h, "acme").refused(login.ErrElsewhere.Code, login.NeedsFirstFactor)
		}
		h.says("s1", "", nil)
		done := b.tab().begin(login.Beginning{Goal: login.StepUp, Session: s}).by(h, "acme").want(login.Complete)
		if at := done.session(); at.ID != s || at.User != ann || !at.AuthTime.Equal(h.clock.Now()) {
			t.Errorf("the session is %+v", at)
		}
		last := h.op.Visits()[len(h.op.Visits())-1]
		if last.Get("prompt") != "login" {
			t.Errorf("the provider was asked %v", last)
		}
	})
}

func TestAConnectionThatIsSwitchedOffMeanwhileProvesNothing(t *testing.T) {
	eachAbroad(t, func(h *abroad) {
		off := func(c *federation.Connection) { c.Disabled = true }
		on := func(*federation.Connection) {}
		ann := h.person("ann@example.com", identity.Password, identity.TOTP)
		h.linked(ann, "acme", "s1")
		h.says("s1", "ann@example.com", true)

		b := h.browser().signIn()
		h.change(off)
		b.nowhere("acme", federation.ErrDisabled)
		h.change(on)
		answer := b.away(h.op, "acme")
		h.change(off)
		b.back("acme", answer).refused(federation.ErrDisabled.Code, login.NeedsIdentifier)
		h.change(on)
		b = h.browser().signIn().by(h, "acme").want(login.NeedsSecondFactor)
		h.change(off)
		b.evidence(identity.TOTP).refused(login.ErrOver.Code, login.Abandoned)
		h.nobodyIn(ann)

		h.change(on)
		b = h.browser().signIn().by(h, "acme").want(login.NeedsSecondFactor).evidence(identity.TOTP).want(login.Complete)
		h.change(off)
		b.tab().begin(login.Beginning{Goal: login.Enroll, Session: b.view.SessionID}).want(login.NeedsFirstFactor)

		h.change(on)
		h.settings.TwoStep = login.Required
		h.says("s2", "new@example.com", true)
		b = h.browser().signIn().by(h, "acme").want(login.NeedsEnrollment).enroll(identity.TOTP, "").want(login.NeedsEnrollment)
		_, err := h.engine.Federation.Store.DropConnection(t.Context(), "acme")
		h.must(err)
		h.must(h.engine.Federation.Reload(t.Context()))
		b.enrollConfirm(h.code(b.view.Enrollment.Key, 0)).refused(login.ErrOver.Code, login.Abandoned)
		if people, _ := h.count(); people != 0 || h.whose("acme", "s1") != "" {
			t.Error("a deleted connection made somebody, or its links stay")
		}
	})
}

func TestSomebodyBannedDeletedOrUnlinkedMeanwhileDoesNotComeIn(t *testing.T) {
	eachAbroad(t, func(h *abroad) {
		ann := h.person("ann@example.com", identity.Password, identity.TOTP)
		h.linked(ann, "acme", "s1")
		h.says("s1", "ann@example.com", true)
		b := h.browser().signIn().by(h, "acme").want(login.NeedsSecondFactor)
		h.drop(ann, identity.OAuthMethod("acme"))
		b.evidence(identity.TOTP).refused(login.ErrOver.Code, login.Abandoned)
		h.linked(ann, "acme", "s1")
		h.drop(ann, identity.TOTP)
		b = h.browser().signIn()
		answer := b.away(h.op, "acme")
		h.ban(ann)
		b.back("acme", answer).refused(login.ErrSuspended.Code, login.Abandoned)
		h.nobodyIn(ann)
	})
}

func TestAnAddressThatSomebodyTookMeanwhileIsTheirs(t *testing.T) {
	eachAbroad(t, func(h *abroad) {
		h.settings.TwoStep = login.Required
		h.says("s1", "new@example.com", true)
		b := h.browser().signIn().by(h, "acme").want(login.NeedsEnrollment)
		h.settings.TwoStep = login.Optional
		_, key := h.backedUp("new@example.com")
		ann := h.holderOf("new@example.com")
		b.look().want(login.NeedsSecondFactor).prove(identity.TOTP, h.code(key, 0)).want(login.Complete)
		if b.session().User != ann || h.whose("acme", "s1") != ann {
			t.Errorf("signed in %s, linked to %s", b.session().User, h.whose("acme", "s1"))
		}
	})
}

func TestAnInvitationIsForItsAddressWhateverTheProviderSays(t *testing.T) {
	eachAbroad(t, func(h *abroad) {
		h.settings.SignUp = login.Invited
		invite := func(mail string) secret.String {
			token := secret.Token("")
			h.must(h.store.SaveInvitation(t.Context(), login.Invitation{
				ID: secret.NewID("invitation"), Address: address(mail), Token: secret.DigestOf(token.Reveal()), By: "operator:cli",
				CreatedAt: h.clock.Now(), ExpiresAt: h.clock.Now().Add(time.Hour),
			}))
			return token
		}
		h.says("s1", "ann@example.com", true)
		h.browser().begin(login.Beginning{Goal: login.SignUp, Invitation: invite("ann@example.com")}).by(h, "acme").want(login.Complete)
		h.says("s2", "bob@elsewhere.example", true)
		b := h.browser().begin(login.Beginning{Goal: login.SignUp, Invitation: invite("bob@example.com")}).by(h, "acme").want(login.NeedsEmailVerification)
		b.submit("bob@elsewhere.example", "").refused(login.ErrNotNow.Code, login.NeedsEmailVerification)
		b.prove(identity.EmailCode, h.letter("bob@example.com", message.VerifyAddress).Code).want(login.Complete)
		_, err := h.people.Find(t.Context(), address("bob@elsewhere.example"))
		if h.holderOf("bob@example.com") != h.whose("acme", "s2") || !problem.Is(err, problem.NotFound) {
			t.Error("the invitation went to another address")
		}
	})
}

func TestABotCheckComesBeforeTheCodeAndNotBeforeTheProvider(t *testing.T) {
	eachAbroad(t, func(h *abroad) {
		h.engine.Checker = &login.Checker{Used: storage.NewChecks(h.db)}
		h.settings.BotCheck = login.CheckAlways
		h.says("s1", "ann@example.com", true)
		h.browser().begin(login.Beginning{Goal: login.SignUp}).want(login.NeedsHuman).by(h, "acme").want(login.Complete)
		h.says("s2", "bob@example.com", false)
		b := h.browser().signIn().by(h, "acme").want(login.NeedsHuman)
		if len(h.letters("bob@example.com")) != 0 {
			t.Error("mailed before the check")
		}
		b.prepare(identity.EmailCode).prove(identity.EmailCode, h.letter("bob@example.com", message.VerifyAddress).Code).want(login.Complete)
	})
}

func TestNobodyIsSaidToHaveProvenThemselvesLaterThanTheirProviderSays(t *testing.T) {
	eachAbroad(t, func(h *abroad) {
		ann := h.person("ann@example.com", identity.Password)
		h.linked(ann, "acme", "s1")
		h.says("s1", "ann@example.com", true)
		long := h.clock.Now().Add(-3 * time.Hour)
		h.op.AuthTime = long
		b := h.browser().signIn().by(h, "acme").want(login.Complete)
		if at := b.session().AuthTime; !at.Equal(long) {
			t.Errorf("auth_time is %s, want %s", at, long)
		}
		b = b.tab().begin(login.Beginning{Goal: login.Enroll, Session: b.view.SessionID}).want(login.NeedsFirstFactor)
		b.by(h, "acme").refused(federation.ErrRefused.Code, login.NeedsFirstFactor) // asked anew, and did not
		h.op.AuthTime = h.clock.Now().Add(-10 * time.Second)                        // its clock is a little slow
		b.by(h, "acme").want(login.NeedsEnrollment)
		h.op.AuthTime = h.clock.Now().Add(20 * time.Second) // or fast
		b = h.browser().signIn().by(h, "acme").want(login.Complete)
		if at := b.session().AuthTime; at.After(h.clock.Now()) {
			t.Errorf("auth_time is %s, which is to come", at)
		}
	})
}

func TestAProviderFillsInWhatIsEmptyAndNeverWhatItsPersonTookOut(t *testing.T) {
	eachAbroad(t, func(h *abroad) {
		ann := h.person("ann@example.com", identity.Password)
		edit := func(do func(p *identity.Profile)) {
			p, err := h.people.Person(t.Context(), ann)
			h.must(err)
			do(&p.User.Profile)
			h.must(h.people.SaveUser(t.Context(), p.User))
		}
		profile := func() identity.Profile {
			p, err := h.people.Person(t.Context(), ann)
			h.must(err)
			return p.User.Profile
		}
		edit(func(p *identity.Profile) { p.Name = "Ann Herself" })
		h.says("s1", "ann@example.com", true)
		h.op.Claims["family_name"] = "Abroad"
		h.browser().signIn().by(h, "acme").want(login.Complete)
		if p := profile(); p.Name != "Ann Herself" || p.FamilyName != "Abroad" {
			t.Errorf("linked: %+v", p)
		}
		edit(func(p *identity.Profile) { p.Name, p.FamilyName = "", "" })
		h.op.Claims["given_name"] = "Ann"
		h.browser().signIn().by(h, "acme").want(login.Complete)
		if p := profile(); p.Name != "" || p.FamilyName != "" || p.GivenName != "Ann" {
			t.Errorf("signed in again: %+v", p)
		}
	})
}

func TestATrustedBrowserDoesNotLetAnAccountBeLinkedWithoutTheSecondFactor(t *testing.T) {
	eachAbroad(t, func(h *abroad) {
		h.settings.TrustDays = 30
		ann := h.person("ann@example.com", identity.Password, identity.TOTP)
		b := h.browser().trust()
		h.says("s1", "ann@example.com", true)
		b = b.tab().signIn().by(h, "acme").want(login.NeedsSecondFactor).evidence(identity.TOTP).want(login.Complete)
		if h.trusted(ann) != 0 {
			t.Error("a browser is trusted still")
		}
		b = b.tab().signIn().by(h, "acme").want(login.NeedsSecondFactor).second(true).want(login.Complete)
		b.tab().signIn().by(h, "acme").want(login.Complete) // linked, and trusted
	})
}

func TestAnAssignedAddressIsProvenByAProviderThatIsBelieved(t *testing.T) {
	eachAbroad(t, func(h *abroad) {
		u := identity.User{ID: "user_assigned", Status: identity.Active, CreatedAt: h.clock.Now(), UpdatedAt: h.clock.Now()}
		h.must(h.people.SaveUser(t.Context(), u))
		h.must(h.people.SaveHolding(t.Context(), identity.Holding{
			ID: "given", UserID: u.ID, Identifier: address("ann@example.com"), Primary: true, Source: identity.SourceOperator, CreatedAt: h.clock.Now(),
		}))
		h.says("s1", "ann@example.com", true)
		if b := h.browser().signIn().by(h, "acme").want(login.Complete); b.session().User != u.ID {
			t.Error("it is somebody else")
		}
		p, err := h.people.Person(t.Context(), u.ID)
		h.must(err)
		if len(p.Holdings) != 1 || p.Holdings[0].VerifiedBy != acme || !slices.ContainsFunc(p.Factors, func(f identity.Factor) bool { return f.Method == acme }) {
			t.Errorf("on file are %+v", p.Holdings)
		}
	})
}
