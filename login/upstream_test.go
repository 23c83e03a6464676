package login_test

import (
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"idp/event"
	"idp/federation"
	"idp/federation/federationtest"
	"idp/identity"
	"idp/internal/problem"
	"idp/login"
	"idp/message"
	"idp/storage"
	"idp/storage/storagetest"
)

// abroad is a house with a provider, "acme", and people who have accounts there.
type abroad struct {
	*house
	op *federationtest.OP
}

func eachAbroad(t *testing.T, f func(h *abroad)) {
	each(t, func(h *house) {
		a := &abroad{house: h, op: federationtest.New(h.T, h.clock.Now)}
		a.establish()
		f(a)
	})
}

// establish connects the engine with the provider.
func (h *abroad) establish() {
	h.Helper()
	h.engine.Federation = &federation.Federation{
		Store: storage.NewConnections(h.db), Outbound: federationtest.Outbound(h.op), Box: storagetest.Box(), Issuer: origin, Now: h.clock.Now,
	}
	h.connect(h.op.Connection("acme"))
}

// connect puts a connection on file, or changes it.
func (h *abroad) connect(c federation.Connection) {
	h.Helper()
	for _, old := range h.engine.Federation.All() {
		if old.Name == c.Name {
			c.Version = old.Version
		}
	}
	h.must(h.engine.Federation.Store.SaveConnection(h.Context(), c))
	h.must(h.engine.Federation.Reload(h.Context()))
}

// change alters the connection acme.
func (h *abroad) change(alter func(c *federation.Connection)) {
	h.Helper()
	c := h.op.Connection("acme")
	alter(&c)
	h.connect(c)
}

// says is what the provider says of whoever signs in there.
func (h *abroad) says(subject, mail string, verified any) {
	h.op.Claims = map[string]any{"sub": subject, "name": "Ann Abroad"}
	if mail != "" {
		h.op.Claims["email"] = mail
	}
	if verified != nil {
		h.op.Claims["email_verified"] = verified
	}
}

// account is the account of that subject at a connection.
func (h *abroad) account(connection, subject string) identity.ExternalAccount {
	return identity.ExternalAccount{Method: identity.OAuthMethod(connection), Issuer: h.op.URL, Subject: subject}
}

// linked links a person's account.
func (h *abroad) linked(u identity.UserID, connection, subject string) {
	h.Helper()
	x := federation.Assertion{Account: h.account(connection, subject)}
	f, err := x.Factor()
	h.must(err)
	f.ID, f.UserID, f.CreatedAt = identity.FactorID("factor_"+connection+subject), u, h.clock.Now()
	h.must(h.people.SaveFactor(h.Context(), f))
}

// whose is the person whom an account is linked to, "" for nobody.
func (h *abroad) whose(connection, subject string) identity.UserID {
	h.Helper()
	p, err := h.people.ByCredential(h.Context(), h.account(connection, subject).Credential())
	if problem.Is(err, problem.NotFound) {
		return ""
	}
	h.must(err)
	return p.User.ID
}

// away sends the browser to the provider, which sends it back.
func (b *browser) away(op *federationtest.OP, connection string) federation.Answer {
	b.Helper()
	v, way, err := b.engine.Depart(b.Context(), b.at(), connection)
	if b.then(v, err); err != nil {
		b.Fatalf("the way to %s: %v", connection, err)
	}
	return op.Visit(way).Result()
}

// back brings what the provider gave the browser.
func (b *browser) back(connection string, a federation.Answer) *browser {
	return b.then(b.engine.Return(b.Context(), b.at(), connection, a))
}

// by signs in there and comes back.
func (b *browser) by(h *abroad, connection string) *browser {
	b.Helper()
	return b.back(connection, b.away(h.op, connection))
}

// nowhere fails unless the connection is refused before anybody goes there.
func (b *browser) nowhere(connection string, want *problem.Error) {
	b.Helper()
	if _, way, err := b.engine.Depart(b.Context(), b.at(), connection); !problem.HasCode(err, want.Code) || way.URL != "" {
		b.Errorf("the way to %s: %q, %v, want %s", connection, way.URL, err, want.Code)
	}
}

func (h *house) count() (people, sessions int) {
	h.Helper()
	return len(h.recorded(event.UserCreated)), len(h.recorded(event.SignInSucceeded))
}

func (b *browser) offers(m identity.Method) bool {
	return slices.ContainsFunc(b.view.Methods, func(o login.Option) bool { return o.Method == m })
}

const acme = "oauth_acme"

func TestAnAccountElsewhereThatIsLinkedSignsItsPersonInWhateverItsAddress(t *testing.T) {
	for name, said := range map[string]struct {
		mail     string
		verified any
	}{
		"verified": {"ann@example.com", true}, "unverified": {"ann@example.com", false}, "absent": {"", nil},
		"somebody else's, verified": {"bob@example.com", true}, "new": {"new@example.com", true},
	} {
		t.Run(name, func(t *testing.T) {
			eachAbroad(t, func(h *abroad) {
				ann := h.person("ann@example.com", identity.Password)
				h.person("bob@example.com", identity.Password)
				h.linked(ann, "acme", "s1")
				h.says("s1", said.mail, said.verified)
				b := h.browser().signIn().by(h, "acme").want(login.Complete)
				if b.session().User != ann {
					t.Error("it is somebody else")
				}
				p, err := h.people.Person(t.Context(), ann)
				h.must(err)
				if len(p.Holdings) != 1 {
					t.Errorf("the addresses are %v", p.Holdings)
				}
				x, err := p.Factors[1].External()
				h.must(err)
				if x.Email != said.mail || p.Factors[1].LastUsedAt.IsZero() {
					t.Errorf("noted on the account: %q, used %v", x.Email, p.Factors[1].LastUsedAt)
				}
			})
		})
	}
}

func TestAnAddressThatAProviderIsBelievedAboutLeadsToWhoeverHoldsIt(t *testing.T) {
	eachAbroad(t, func(h *abroad) {
		ann := h.person("ann@example.com", identity.Password)
		h.says("s1", "ann@example.com", true)
		b := h.browser().signIn().by(h, "acme").want(login.Complete)
		if b.session().User != ann || h.whose("acme", "s1") != ann {
			t.Errorf("signed in %s, linked to %s, want %s", b.session().User, h.whose("acme", "s1"), ann)
		}
		if !h.told("ann@example.com", "account_linked") || len(h.recorded(event.AccountLinked)) != 1 {
			t.Errorf("told %v", h.kinds("ann@example.com"))
		}
		if people, _ := h.count(); people != 0 {
			t.Errorf("%d people came to be", people)
		}
	})
}

func TestAnAddressThatAProviderIsBelievedAboutMakesANewcomer(t *testing.T) {
	eachAbroad(t, func(h *abroad) {
		h.says("s1", "new@example.com", true)
		b := h.browser().signIn().by(h, "acme").want(login.Complete)
		p, err := h.people.Person(t.Context(), b.session().User)
		h.must(err)
		one := p.Holdings[0]
		if one.Identifier != address("new@example.com") || one.VerifiedBy != acme || one.Source != "acme" || !one.Primary || one.VerifiedAt.IsZero() {
			t.Errorf("on file is %+v", one)
		}
		if p.User.Profile.Name != "Ann Abroad" || h.whose("acme", "s1") != p.User.ID || len(p.Factors) != 1 {
			t.Errorf("profile %+v, %d factors", p.User.Profile, len(p.Factors))
		}
		if len(h.letters("new@example.com")) != 0 {
			t.Errorf("mailed %v", h.kinds("new@example.com"))
		}
		again := h.browser().signIn().by(h, "acme").want(login.Complete)
		if again.session().User != p.User.ID {
			t.Error("the second time it is somebody else")
		}
	})
}

func TestAnAddressThatAProviderIsNotBelievedAboutLooksTheSameWhoeverHoldsIt(t *testing.T) {
	for name, verified := range map[string]any{"false": false, "absent": nil, "a text": "true"} {
		t.Run(name, func(t *testing.T) {
			eachAbroad(t, func(h *abroad) {
				h.person("held@example.com", identity.Password, identity.TOTP)
				h.hold(h.person("other@example.com", identity.Password), "claimed@example.com", time.Time{})
				banned := h.person("banned@example.com")
				h.ban(banned)
				var seen []login.View
				for i, mail := range []string{"free@example.com", "held@example.com", "claimed@example.com", "banned@example.com"} {
					h.says("s"+string(rune('0'+i)), mail, verified)
					b := h.browser().signIn().by(h, "acme").want(login.NeedsEmailVerification)
					l := h.letters(mail)
					if len(l) != 1 || l[0].Kind != message.VerifyAddress {
						t.Errorf("%s was mailed %v", mail, h.kinds(mail))
					}
					if h.whose("acme", "s"+string(rune('0'+i))) != "" {
						t.Errorf("%s is linked already", mail)
					}
					v := b.view
					v.ID, v.Identifier, v.Masked = "", "", ""
					for j := range v.Methods {
						v.Methods[j].Target = ""
					}
					seen = append(seen, v)
				}
				for _, v := range seen[1:] {
					if diff := cmp.Diff(v, seen[0], cmpopts.IgnoreUnexported(login.View{})); diff != "" {
						t.Errorf("one sees another page than the other:\n%s", diff)
					}
				}
				if _, sessions := h.count(); sessions != 0 || len(h.recorded(event.SignInFailed)) != 0 {
					t.Errorf("%d sessions", sessions)
				}
			})
		})
	}
}

func TestOurOwnCodeStandsForAnAddressThatAProviderIsNotBelievedAbout(t *testing.T) {
	eachAbroad(t, func(h *abroad) {
		ann := h.person("held@example.com", identity.Password, identity.TOTP)
		h.says("s1", "held@example.com", false)
		b := h.browser().signIn().by(h, "acme").want(login.NeedsEmailVerification)
		b.prove(identity.EmailCode, "000000").refused("code_wrong", login.NeedsEmailVerification)
		b.prove(identity.EmailCode, h.letter("held@example.com", message.VerifyAddress).Code).want(login.NeedsSecondFactor)
		if h.whose("acme", "s1") != "" {
			t.Error("linked before the second factor")
		}
		b.evidence(identity.TOTP).want(login.Complete)
		if b.session().User != ann || h.whose("acme", "s1") != ann || !h.told("held@example.com", "account_linked") {
			t.Errorf("signed in %s, linked to %s", b.session().User, h.whose("acme", "s1"))
		}

		h.says("s2", "free@example.com", nil)
		b = h.browser().signIn().by(h, "acme").want(login.NeedsEmailVerification)
		b.prove(identity.EmailCode, h.letter("free@example.com", message.VerifyAddress).Code).want(login.Complete)
		p, err := h.people.Person(t.Context(), b.session().User)
		h.must(err)
		if p.Holdings[0].VerifiedBy != identity.EmailCode || p.Holdings[0].Source != identity.SourceSelf || h.whose("acme", "s2") != p.User.ID {
			t.Errorf("on file is %+v", p.Holdings)
		}
	})
}

func TestWhoseProviderGivesNoAddressTypesOneAndMayCorrectIt(t *testing.T) {
	eachAbroad(t, func(h *abroad) {
		h.says("s1", "", nil)
		b := h.browser().signIn().by(h, "acme").want(login.MissingRequirements)
		if !slices.Equal(b.view.Missing, []string{"email"}) || b.view.Rules != nil {
			t.Errorf("missing are %v, rules %v", b.view.Missing, b.view.Rules)
		}
		b.submit("tpyo@example.com", "").want(login.NeedsEmailVerification)
		old := h.letter("tpyo@example.com", message.VerifyAddress).Code
		h.clock.Add(time.Minute)
		b.submit("typo@example.com", "").want(login.NeedsEmailVerification)
		b.prove(identity.EmailCode, old).refused("code_wrong", login.NeedsEmailVerification)
		b.prove(identity.EmailCode, h.letter("typo@example.com", message.VerifyAddress).Code).want(login.Complete)
		if h.holderOf("typo@example.com") != h.whose("acme", "s1") || h.whose("acme", "s1") == "" {
			t.Error("the account is not linked")
		}
	})
}

func TestTheSecondFactorIsAskedAfterAnAccountElsewhereUnlessItsProviderIsTrustedAboutThat(t *testing.T) {
	eachAbroad(t, func(h *abroad) {
		ann := h.person("ann@example.com", identity.Password, identity.TOTP)
		h.linked(ann, "acme", "s1")
		h.says("s1", "ann@example.com", true)
		h.op.AMR = []string{"pwd", "otp", "mfa"}
		b := h.browser().signIn().by(h, "acme").want(login.NeedsSecondFactor)
		h.nobodyIn(ann)
		s := b.evidence(identity.TOTP).want(login.Complete).session()
		if got := identity.AMR(s.Proofs); !slices.Equal(got, []string{"mfa", "otp"}) {
			t.Errorf("apps are told %v", got)
		}
		h.change(func(c *federation.Connection) { c.Trust.MFA = true })
		s = h.browser().signIn().by(h, "acme").want(login.Complete).session()
		if got := identity.AMR(s.Proofs); !slices.Equal(got, []string{"mfa", "otp", "pwd"}) || identity.ACR(s.Proofs) != identity.AAL2 {
			t.Errorf("apps are told %v and %s", got, identity.ACR(s.Proofs))
		}
		h.op.AMR = []string{"pwd"}
		h.browser().signIn().by(h, "acme").want(login.NeedsSecondFactor)
		h.op.AMR = []string{"smile", "mfaa"}
		h.browser().signIn().by(h, "acme").want(login.NeedsSecondFactor)
	})
}

func TestAClosedSignUpRefusesANewcomerOnlyOnceTheAddressIsProven(t *testing.T) {
	for mode, want := range map[login.Mode]*problem.Error{login.Closed: login.ErrClosed, login.Invited: login.ErrUninvited} {
		t.Run(string(mode), func(t *testing.T) {
			eachAbroad(t, func(h *abroad) {
				h.settings.SignUp = mode
				ann := h.person("ann@example.com", identity.Password)
				h.says("s1", "ann@example.com", true)
				if b := h.browser().signIn().by(h, "acme").want(login.Complete); b.session().User != ann {
					t.Error("the holder is somebody else")
				}
				h.says("s2", "new@example.com", true)
				b := h.browser().signIn().by(h, "acme").refused(want.Code, login.Abandoned)
				b.look().want(login.Abandoned)
				h.says("s3", "free@example.com", false)
				b = h.browser().signIn().by(h, "acme").want(login.NeedsEmailVerification)
				b.prove(identity.EmailCode, h.letter("free@example.com", message.VerifyAddress).Code).refused(want.Code, login.Abandoned)
				if people, sessions := h.count(); people != 0 || sessions != 1 || h.whose("acme", "s2") != "" || h.whose("acme", "s3") != "" {
					t.Errorf("%d people, %d sessions", people, sessions)
				}
			})
		})
	}
}

func TestTwoWhoBringTheSameStateAreOneSignIn(t *testing.T) {
	eachAbroad(t, func(h *abroad) {
		h.says("s1", "new@example.com", true)
		b := h.browser().signIn()
		answer := b.away(h.op, "acme")
		var wait sync.WaitGroup
		errs := make([]error, 4)
		for i := range errs {
			wait.Go(func() { _, errs[i] = h.engine.Return(t.Context(), b.at(), "acme", answer) })
		}
		wait.Wait()
		won := 0
		for _, err := range errs {
			switch {
			case err == nil:
				won++
			case !problem.HasCode(err, login.ErrMoved.Code) && !problem.HasCode(err, login.ErrState.Code) && !problem.HasCode(err, login.ErrNotNow.Code):
				t.Error(err)
			}
		}
		if people, sessions := h.count(); won != 1 || people != 1 || sessions != 1 {
			t.Errorf("%d won, %d people, %d sessions", won, people, sessions)
		}
		if n := h.op.Calls("/token"); n != 1 {
			t.Errorf("the provider was asked %d times", n)
		}
		b.back("acme", answer).refused(login.ErrNotNow.Code, login.Complete)
	})
}

func TestAProviderThatIsTrustedAboutTwoStepsIsAskedForThemWhereTheyAreOwed(t *testing.T) {
	const twoSteps = "https://refeds.org/profile/mfa"
	eachAbroad(t, func(h *abroad) {
		h.op.Document = func(d map[string]any) { d["acr_values_supported"] = []string{"1", twoSteps} }
		asked := func() string {
			h.browser().signIn().away(h.op, "acme")
			visits := h.op.Visits()
			return visits[len(visits)-1].Get("acr_values")
		}
		h.settings.TwoStep = login.Required
		if got := asked(); got != "" {
			t.Errorf("a provider whose word does not count is asked for %q", got)
		}
		h.change(func(c *federation.Connection) { c.Trust.MFA = true })
		if got := asked(); got != twoSteps {
			t.Errorf("asked for is %q", got)
		}
		h.settings.TwoStep = login.Optional
		if got := asked(); got != "" {
			t.Errorf("without need, %q is asked for", got)
		}
	})
}
