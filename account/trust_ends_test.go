package account_test

import (
	"strings"
	"testing"
	"time"

	"idp/account"
	"idp/admin"
	"idp/identity"
	"idp/internal/secret"
	"idp/login"
	"idp/session"
	"idp/storage"
)

// spared reports whether that browser skips the second factor at its next sign-in.
func (d *desk) spared(b session.BrowserID, password string) bool {
	d.Helper()
	browser, err := d.keeper.Store.Browser(d.Context(), b) // each sign-in renews its secret
	d.must(err)
	at := login.At{Browser: browser, Network: "192.0.2.1", Locale: "en"}
	v, err := d.engine.Start(d.Context(), login.Beginning{Goal: login.SignIn, Browser: at.Browser, Network: at.Network, Locale: "en"})
	d.must(err)
	at.Attempt = v.ID
	_, err = d.engine.Identify(d.Context(), at, "ann@example.com")
	d.must(err)
	v, err = d.engine.Prove(d.Context(), at, identity.Password, secret.NewString(password))
	d.must(err)
	if v.Step != login.Complete && v.Step != login.NeedsSecondFactor {
		d.Fatalf("signing in is at %s", v.Step)
	}
	return v.Step == login.Complete
}

func (d *desk) seeded(u identity.UserID, id identity.FactorID) {
	d.Helper()
	d.must(d.people.SaveFactor(d.Context(), identity.Factor{
		ID: id, UserID: u, Method: identity.TOTP, Name: "App", Secret: secret.NewString("seed"), CreatedAt: d.clock.Now(),
	}))
}

// trustDays is what the operator says.
func (d *desk) trustDays(n int) {
	d.Helper()
	k := &admin.Keeper{Store: storage.NewSettings(d.db), Events: d.events, InTx: d.db.InTx, Clock: d.clock.Now}
	s, version, err := k.Load(d.Context())
	d.must(err)
	s.SignIn.TrustDays = n
	d.must(k.Save(d.Context(), s, version, admin.CLI))
	d.settings.TrustDays = n
}

func TestATrustedBrowserAsksForTheSecondFactorAgainAfter(t *testing.T) {
	type scene struct {
		*desk
		by    account.By
		users *admin.Users
		is    string // the password
	}
	for _, tt := range []struct {
		why string
		do  func(c *scene, u identity.UserID)
	}{
		{"another password", func(c *scene, _ identity.UserID) {
			c.is = otherPassword
			c.must(c.self.ChangePassword(c.Context(), c.by, secret.NewString(otherPassword), false))
		}},
		{"the password was removed, and there is one again", func(c *scene, u identity.UserID) {
			c.settings.EmailCode = true
			c.must(c.self.RemovePassword(c.Context(), c.by))
			c.password(u)
		}},
		{"a factor was removed", func(c *scene, _ identity.UserID) {
			c.must(c.engine.RemoveFactor(c.Context(), c.by.Session, c.by.At, "factor_old"))
		}},
		{"an operator reset the factors, and there is one again", func(c *scene, u identity.UserID) {
			c.must(c.users.ResetFactors(c.Context(), u, admin.CLI))
			c.seeded(u, "factor_new")
		}},
		{"a ban that was lifted", func(c *scene, u identity.UserID) {
			c.must(c.users.Ban(c.Context(), u, admin.CLI))
			c.must(c.users.Unban(c.Context(), u, admin.CLI))
		}},
		{"an undo", func(c *scene, u identity.UserID) {
			c.must(c.engine.RemoveFactor(c.Context(), c.by.Session, c.by.At, "factor_old"))
			c.trust("trust_anew", c.by.Session) // the thief's browser
			if !c.spared(c.by.Session.Browser, rightPassword) {
				c.Error("trust anew does not count")
			}
			link := c.letters[len(c.letters)-1].Link.Reveal()
			id, token, _ := strings.Cut(link[strings.LastIndex(link, "/")+1:], "?token=")
			_, err := c.engine.Undo(c.Context(), c.by.At, login.UndoID(id), secret.NewString(token), false)
			c.must(err)
		}},
		{"the operator trusted no browser for a while", func(c *scene, _ identity.UserID) {
			c.trustDays(0)
			c.trustDays(30)
		}},
		{"the operator's limit was shorter for a while", func(c *scene, _ identity.UserID) {
			c.clock.Add(8 * 24 * time.Hour)
			c.trustDays(9)
			c.trustDays(30)
			if !c.spared(c.by.Session.Browser, rightPassword) {
				c.Error("a limit that was not reached ended it")
			}
			c.trustDays(7)
			c.trustDays(30)
		}},
	} {
		t.Run(tt.why, func(t *testing.T) {
			each(t, func(d *desk) {
				ann := d.person("ann")
				d.password(ann)
				d.seeded(ann, "factor_old")
				d.seeded(ann, "factor_older")
				d.engine.Undos = storage.NewUndos(d.db)
				_, s := d.on(nil, ann)
				d.trust("trust_1", s)
				if !d.spared(s.Browser, rightPassword) {
					t.Fatal("the browser is not trusted to begin with")
				}
				who, err := d.people.Person(t.Context(), ann)
				d.must(err)
				c := &scene{desk: d, by: account.By{Session: s, Who: who, At: login.At{Network: "192.0.2.1", Locale: "en"}}, is: rightPassword}
				c.users = &admin.Users{
					Store: storage.NewAdmin(d.db), People: d.people, Trust: storage.NewTrust(d.db), Sessions: d.keeper.Store, Help: d.engine,
					Events: d.events, InTx: d.db.InTx, Now: d.clock.Now,
				}
				tt.do(c, ann)
				if d.spared(s.Browser, c.is) {
					t.Error("the second factor is skipped")
				}
			})
		})
	}
}
