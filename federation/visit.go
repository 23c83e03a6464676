package federation

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"
	"unicode"

	"idp/event"
	"idp/internal/problem"
)

// This file is what every visit to a provider has in common, whatever is spoken there: how long
// it may take, and who is told how it ended.

// TalkTime is how long all calls of one departure or one return may take together: less than a
// page has, so that a person is told that the provider is slow.
const TalkTime = 8 * time.Second

// visit does what talks to a provider. What is not done in time is ErrAway.
func (f *Federation) visit(ctx context.Context, do func(ctx context.Context) error) error {
	most := f.Patience
	if most == 0 {
		most = TalkTime
	}
	within, cancel := context.WithTimeout(ctx, most)
	defer cancel()
	err := do(within)
	var known *problem.Error
	if err != nil && !errors.As(err, &known) && within.Err() != nil && ctx.Err() == nil {
		return ErrAway.Because(err)
	}
	return err
}

// reason is why something was refused: in our own words, without any of the provider's, for the
// audit trail, and with the cause for the log.
type reason struct {
	says  string
	cause error
}

// Error implements error.
func (r *reason) Error() string {
	if r.cause == nil {
		return r.says
	}
	return r.says + ": " + r.cause.Error()
}

// Unwrap returns the cause.
func (r *reason) Unwrap() error { return r.cause }

// refuse is ErrRefused with why. The arguments have to be ours, too.
func refuse(says string, args ...any) error { return refuseFor(nil, says, args...) }

// refuseFor is ErrRefused with why, and with what only the log may repeat.
func refuseFor(cause error, says string, args ...any) error {
	return ErrRefused.Because(&reason{fmt.Sprintf(says, args...), cause})
}

// plainly is the name of an error if it is one that we know (RFC 6749 §4.1.2.1 and §5.2, OIDC
// Core §3.1.2.6): what else a provider writes there is not repeated.
func plainly(name string) string {
	switch name {
	case "invalid_request", "invalid_client", "invalid_grant", "unauthorized_client", "unsupported_grant_type", "invalid_scope",
		"unsupported_response_type", "redirect_uri_mismatch", "interaction_required", "login_required", "account_selection_required",
		"consent_required", "invalid_request_uri", "invalid_request_object", "request_not_supported", "request_uri_not_supported",
		"registration_not_supported", "invalid_target":
		return name
	}
	return "an error of its own"
}

// Outcome is how a visit to a provider ended.
type Outcome string

// The outcomes.
const (
	SignedIn    Outcome = "signed_in"   // the provider said who it is, and all was in order
	Refused     Outcome = "refused"     // what it said was not, or it is not set up correctly
	Unreachable Outcome = "unreachable" // it did not answer in time
	Declined    Outcome = "declined"    // the person turned back there
)

// Outcomes lists them all.
func Outcomes() []Outcome { return []Outcome{SignedIn, Refused, Unreachable, Declined} }

// outcomes are counted since the process began, by connection.
type outcomes struct {
	mu   sync.Mutex
	of   map[string]map[Outcome]int64
	told map[string]time.Time // when an operator was last told that something was refused
}

// Counts says how often visits to the provider of each connection on file ended in which way.
func (f *Federation) Counts() map[string]map[Outcome]int64 {
	all := f.All()
	f.outcomes.mu.Lock()
	defer f.outcomes.mu.Unlock()
	counts := make(map[string]map[Outcome]int64, len(all))
	for _, c := range all {
		counts[c.Name] = map[Outcome]int64{}
		for _, o := range Outcomes() {
			counts[c.Name][o] = f.outcomes.of[c.Name][o]
		}
	}
	return counts
}

// ended counts how a visit ended, and leaves a trace of what was refused and why: at most once a
// minute for a connection, since anybody can bring anything here.
func (f *Federation) ended(ctx context.Context, c Connection, err error) {
	var how Outcome
	switch {
	case err == nil:
		how = SignedIn
	case problem.HasCode(err, ErrChanged.Code):
		how = Declined
	case problem.HasCode(err, ErrAway.Code):
		how = Unreachable
	case problem.HasCode(err, ErrRefused.Code), problem.HasCode(err, ErrSetup.Code), problem.HasCode(err, ErrParting.Code):
		how = Refused
	default:
		return // not the provider's doing
	}
	now, due := f.Now(), false
	f.outcomes.mu.Lock()
	if f.outcomes.of == nil {
		f.outcomes.of, f.outcomes.told = map[string]map[Outcome]int64{}, map[string]time.Time{}
	}
	if f.outcomes.of[c.Name] == nil {
		f.outcomes.of[c.Name] = map[Outcome]int64{}
	}
	f.outcomes.of[c.Name][how]++
	if how == Refused && !now.Before(f.outcomes.told[c.Name].Add(refusalPause)) {
		f.outcomes.told[c.Name], due = now, true
	}
	f.outcomes.mu.Unlock()
	if due {
		f.record(ctx, event.ConnectionRefused, c, c.why(err))
	}
}

// refusalPause is how long after one refusal of a connection the next is not told.
const refusalPause = time.Minute

// why is the reason that operators are told.
func (c Connection) why(err error) string {
	var r *reason
	switch {
	case errors.As(err, &r):
		return r.says
	case problem.HasCode(err, ErrSetup.Code):
		return "the connection or its provider is set up in a way that cannot work: test the connection"
	case c.Type == SAML:
		return fmt.Sprint(errors.Unwrap(err))
	}
	return "what it answered is not as it has to be"
}

const maxWhy = 200 // characters of a reason

func (f *Federation) record(ctx context.Context, kind event.Kind, c Connection, why string) {
	if f.Events == nil {
		return
	}
	why = strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return ' '
		}
		return r
	}, why)
	if runes := []rune(why); len(runes) > maxWhy {
		why = string(runes[:maxWhy])
	}
	_ = f.Events.Record(ctx, event.Event{ // the sign-in must not fail over a trace of it
		Kind: kind, Actor: "system", Detail: map[string]string{"connection": c.Name, "why": why},
	})
}
