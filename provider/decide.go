package provider

import (
	"slices"
	"strings"
	"time"

	"idp/identity"
	"idp/login"
	"idp/session"
)

// situation is what is known when a request is decided: who is signed in on the browser,
// what they consented to, and what they answered since the request was parked.
type situation struct {
	sessions []session.Session // that stand on this browser, the one in use first
	inUse    session.ID        // the one the browser is set to, "" for none
	ask      login.Ask         // zero while the request is not parked
	granted  func(session.Session) (bool, error)
	subject  func(identity.UserID) string // how the client knows a person
	now      time.Time
}

// wanted reports whether the relying party would have that person. It may have named who
// it must be, by an earlier ID token or by name.
func (s situation) wanted(a asked, u identity.UserID) bool {
	for _, list := range a.subjects {
		if !slices.Contains(list, s.subject(u)) {
			return false
		}
	}
	return true
}

// step is what comes next for a request.
type step string

const (
	issue  step = "issue"   // nothing is owed
	signIn step = "sign_in" // somebody must prove who they are
	signUp step = "sign_up"
	choose step = "choose"  // which of several sessions?
	agree  step = "consent" // do they agree?
	refuse step = "refuse"  // the answer is an error
)

// verdict is a step with what belongs to it.
type verdict struct {
	step    step
	session session.Session // that the step is about, if any
	code    string          // of the error to answer with
}

func refused(code string) (verdict, error) { return verdict{step: refuse, code: code}, nil }

// decide says what a request still needs. It looks at stored facts alone, so that asking
// again after a person was sent away, or twice, gives the right answer. With prompt=none
// the road is the same and each page becomes an error (OIDC Core §3.1.2.6).
func decide(a asked, s situation) (verdict, error) {
	if s.ask.Answer == login.Denied && s.ask.Answered == "" {
		return refused("access_denied") // turned back before anybody signed in
	}
	quiet := a.prompt(promptNone)
	chosen, owed := person(a, s)
	switch {
	case owed == refuse:
		return refused("login_required")
	case owed != "" && quiet && owed == choose:
		return refused("account_selection_required")
	case owed != "" && quiet:
		return refused("login_required")
	case owed != "":
		return verdict{step: owed, session: chosen}, nil
	}
	if s.ask.Answer == login.Denied && s.ask.Answered == chosen.ID {
		return refused("access_denied")
	}
	asks, err := owesConsent(a, s, chosen)
	switch {
	case err != nil:
		return verdict{}, err
	case asks && quiet:
		return refused("consent_required")
	case asks:
		return verdict{step: agree, session: chosen}, nil
	}
	return verdict{step: issue, session: chosen}, nil
}

// person finds the session that answers the request, or what is owed to get one.
func person(a asked, s situation) (session.Session, step) {
	enter := signIn
	if a.prompt(promptCreate) {
		enter = signUp
	}
	fits := slices.DeleteFunc(slices.Clone(s.sessions), func(x session.Session) bool {
		return !s.wanted(a, x.User)
	})
	answered := slices.IndexFunc(s.sessions, func(x session.Session) bool { return x.ID == s.ask.Chosen })
	if answered >= 0 {
		one := s.sessions[answered]
		// Somebody answered, and the relying party expects somebody else.
		if !s.wanted(a, one.User) {
			return one, refuse
		}
		fits = []session.Session{one}
	}
	if answered < 0 && s.ask.Chosen != "" {
		fits = nil // who answered has left; nobody else may step in unasked
	}
	one, owed := pick(a, s, fits, answered >= 0, enter)
	if owed != "" {
		return one, owed
	}
	// A new account counts if it was made after the request came, though its person may have proven
	// themselves to another provider before.
	if enter == signUp && one.AuthTime.Before(a.RequestedAt) && one.CreatedAt.Before(a.RequestedAt) {
		return one, signUp
	}
	if !one.Satisfies(a.need(), s.now) {
		return one, signIn
	}
	return one, ""
}

// pick chooses among the sessions that fit.
func pick(a asked, s situation, fits []session.Session, answered bool, enter step) (session.Session, step) {
	switch {
	case len(fits) == 0:
		return session.Session{}, enter
	case answered:
		return fits[0], ""
	case enter == signUp:
		return session.Session{}, signUp
	case a.prompt(promptSelect):
		return session.Session{}, choose
	case len(fits) == 1:
		return fits[0], ""
	case a.prompt(promptNone) && fits[0].ID == s.inUse:
		return fits[0], "" // nobody can be asked, and this is who they are just now
	}
	return session.Session{}, choose
}

// owesConsent reports whether the person must be asked.
func owesConsent(a asked, s situation, one session.Session) (bool, error) {
	if s.ask.Answer == login.Allowed && s.ask.Answered == one.ID {
		// What they allowed is on file with their answer, unless they took it back since.
		granted, err := s.granted(one)
		return !granted, err
	}
	switch {
	case a.prompt(promptConsent):
		return true, nil
	case a.client.Type == Native && (impersonable(a.client, a.redirect) || a.front() && !strings.HasPrefix(a.redirect, "https://")):
		return true, nil // another app may have taken the same address, and needs no secret for what comes in front
	case a.client.FirstParty:
		return false, nil
	case impersonable(a.client, a.redirect):
		return true, nil
	}
	granted, err := s.granted(one)
	return !granted, err
}
