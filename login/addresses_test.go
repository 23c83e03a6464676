package login_test

import (
	"errors"
	"net/http"
	"net/url"
	"testing"

	"idp/event"
	"idp/identity"
	"idp/internal/problem"
	"idp/login"
	"idp/message"
)

// strict is a house that takes neither throwaway mailboxes, nor tags, nor one domain.
func strict(h *house) *house {
	h.settings.Addresses = identity.AddressRules{
		Disposable: identity.Refuse, Subaddresses: identity.Refuse, Blocked: []string{"evil.example", "xn--bcher-kva.example"},
	}
	return h
}

var unwelcome = map[string]string{ // what is typed, and the problem
	"ann@EVIL.example":      "email_refused",
	"ann+x@evil.example":    "email_refused",
	"ann@Bücher.example":    "email_refused",
	"ann@sub.YOPmail.com":   "email_disposable",
	"Ann+news@acme.org":     "email_subaddress",
	"a@evil@corp.com":       "email_invalid",
	"ann@evil.example.":     "email_invalid",
	"ann@evil.example,b@ok": "email_invalid",
}

// nothing fails if somebody came on file or was written to.
func (h *house) nothing(typed string) {
	h.Helper()
	if made := h.recorded(event.UserCreated); len(made) != 0 || len(h.letters("")) != 0 {
		h.Errorf("%q: %d persons were made, letters %+v", typed, len(made), h.letters(""))
	}
	if address, err := identity.ParseEmail(typed); err == nil {
		if _, err := h.people.Find(h.Context(), address); !problem.Is(err, problem.NotFound) {
			h.Errorf("%q is on file (%v)", typed, err)
		}
	}
}

func TestNoPathPutsAnUnwelcomeAddressOnFile(t *testing.T) {
	paths := map[string]func(h *house, typed, code string){
		"sign-up": func(h *house, typed, code string) {
			b := h.browser().begin(login.Beginning{Goal: login.SignUp})
			b.submit(typed, rightPassword).refused(code, login.MissingRequirements)
			b.submit("", rightPassword).want(login.MissingRequirements) // the address is not kept from before
		},
		"sign-up, address first": func(h *house, typed, code string) {
			b := h.browser().begin(login.Beginning{Goal: login.SignUp})
			b.submit(typed, "").refused(code, login.MissingRequirements)
		},
		"sign-up with the password first": func(h *house, typed, code string) {
			b := h.browser().begin(login.Beginning{Goal: login.SignUp}).submit("", rightPassword).want(login.MissingRequirements)
			b.submit(typed, "").refused(code, login.MissingRequirements)
		},
		"Frontend API": func(h *house, typed, code string) {
			s := newScript(h)
			_, v := s.call("", `{"goal":"sign_up"}`)
			s.id, _ = v["id"].(string)
			status, v := s.call("submit", `{"email":"`+typed+`","password":"`+rightPassword+`"}`)
			if status != http.StatusUnprocessableEntity || v["code"] != code {
				h.Errorf("%q: %d %v", typed, status, v)
			}
		},
		"page": func(h *house, typed, code string) {
			b := newSite(h).browser()
			b.get("/sign-up").post("/sign-up", "email", typed, "name", "Ann", "password", rightPassword).
				want(422, `aria-invalid="true"`, `-error"`, `name="email"`)
		},
	}
	for name, path := range paths {
		t.Run(name, func(t *testing.T) {
			each(t, func(h *house) {
				strict(h)
				for typed, code := range unwelcome {
					path(h, typed, code)
					h.nothing(typed)
				}
			})
		})
	}
}

func TestMailedCodesAndResetsMakeNobody(t *testing.T) {
	each(t, func(h *house) {
		strict(h)
		h.settings.Addresses.Subaddresses = identity.Allow
		for _, to := range []string{"ann@evil.example", "bob@yopmail.com", "cyd@acme.org"} {
			h.browser().signIn().identify(to).prepare(identity.EmailCode).want(login.NeedsFirstFactor)
			h.clock.Add(resend)
			h.browser().signIn().identify(to).forgot().want(login.NeedsFirstFactor)
			told := h.letters(to)[0]
			if told.Kind != message.NoAccount || told.Code != "" || (told.Link != "") != (to == "cyd@acme.org") {
				t.Errorf("%s was told %+v: only who may sign up is shown the way", to, told)
			}
			if _, err := h.people.Find(h.Context(), address(to)); !problem.Is(err, problem.NotFound) {
				t.Errorf("%s is on file: %v", to, err)
			}
		}
	})
}

func TestRulesThatChangeDuringASignUpHoldAtItsEnd(t *testing.T) {
	each(t, func(h *house) {
		b := h.browser().signUpStart("ann@evil.example")
		held := h.browser().signUpStart("bob@evil.example")
		h.clock.Add(resend)
		h.browser().signUp("bob@evil.example")
		code, bobs := h.letter("ann@evil.example", message.SignUp).Code, h.letters("bob@evil.example")[1].Code
		strict(h)
		b.prove(identity.EmailCode, code).refused("email_refused", login.NeedsEmailVerification)
		if _, err := h.people.Find(h.Context(), address("ann@evil.example")); !problem.Is(err, problem.NotFound) {
			t.Errorf("the new person is on file: %v", err)
		}
		held.prove(identity.EmailCode, bobs).want(login.Complete) // on file already: this is signing in
	})
}

func TestARefusedAddressAnswersTheSameWhetherOrNotItIsHeldAndItsHolderSignsIn(t *testing.T) {
	each(t, func(h *house) {
		strict(h)
		for _, mail := range []string{"ann@evil.example", "bob@yopmail.com", "cyd+x@acme.org"} {
			ask := func() *browser {
				return h.browser().begin(login.Beginning{Goal: login.SignUp}).submit(mail, rightPassword)
			}
			before, worked := ask(), h.hasher.all()
			u := h.person(mail, identity.Password)
			after := ask()
			x, y := before.view, after.view
			x.ID, y.ID = "", ""
			if before.err == nil || !errors.Is(before.err, after.err) || x.Step != y.Step || x.Identifier != y.Identifier || h.hasher.all() != worked || len(h.letters(mail)) != 0 {
				t.Errorf("%s: unheld %v %+v, held %v %+v", mail, before.err, x, after.err, y)
			}
			if in := h.browser().signIn().identify(mail).prove(identity.Password, rightPassword).want(login.Complete); in.session().User != u {
				t.Errorf("%s is signed in as somebody else", mail)
			}
			b := h.browser().signIn().identify(mail).prepare(identity.EmailCode)
			b.prove(identity.EmailCode, h.letter(mail, message.SignIn).Code).want(login.Complete)
		}
	})
}

func TestAnInvitationIsTheOperatorsWordForTheAddress(t *testing.T) {
	each(t, func(h *house) {
		strict(h)
		for _, mail := range []string{"ann@evil.example", "bob@yopmail.com", "cyd+x@acme.org"} {
			token := h.invite(mail)
			b := h.browser().begin(login.Beginning{Goal: login.SignUp, Invitation: token}).submit(mail, rightPassword).want(login.NeedsEmailVerification)
			b.prove(identity.EmailCode, h.letter(mail, message.SignUp).Code).want(login.Complete)
			page := newSite(h).browser().get("/sign-up?invitation=" + url.QueryEscape(h.invite("x"+mail).Reveal()))
			page.want(200, `value="x`)
			h.browser().begin(login.Beginning{Goal: login.SignUp, Invitation: h.invite("ok@acme.org")}).
				submit(mail, rightPassword).refused("invitation_elsewhere", login.MissingRequirements)
		}
	})
}
