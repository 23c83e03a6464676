package login

import (
	"context"
	"time"

	"idp/identity"
	"idp/internal/secret"
	"idp/session"
)

// Store is what login needs remembered about attempts.
type Store interface {
	Attempt(ctx context.Context, id AttemptID) (Attempt, error) // problem.NotFound
	SaveAttempt(ctx context.Context, a Attempt) error           // creates at Version 0; problem.Conflict if Version moved
	Ask(ctx context.Context, id AskID) (Ask, error)             // problem.NotFound
	SaveAsk(ctx context.Context, a Ask) error                   // creates or replaces
	UseAsk(ctx context.Context, id AskID, at time.Time) error   // once: the second is problem.Conflict
	Invitation(ctx context.Context, token secret.Digest) (Invitation, error)
	SaveInvitation(ctx context.Context, i Invitation) error
	UseInvitation(ctx context.Context, id string, at time.Time) error // once: the second is problem.Conflict
	Knows(ctx context.Context, b session.BrowserID, u identity.UserID) (bool, error)
}

// People is where persons are looked up and written.
type People interface {
	Find(ctx context.Context, i identity.Identifier) (Person, error) // problem.NotFound
	Person(ctx context.Context, id identity.UserID) (Person, error)  // problem.NotFound
	SaveUser(ctx context.Context, u identity.User) error             // creates at Version 0; problem.Conflict if Version moved
	SaveHolding(ctx context.Context, h identity.Holding) error       // problem.Conflict if somebody else holds it verified
	// DropUnverified drops others' unproven claims to it, and says whose they were.
	DropUnverified(ctx context.Context, i identity.Identifier, keep identity.UserID) ([]identity.UserID, error)
	SaveFactor(ctx context.Context, f identity.Factor) error                       // creates or replaces all but the counter; one password per person; problem.Conflict if the credential is somebody's
	DropFactor(ctx context.Context, u identity.UserID, id identity.FactorID) error // problem.NotFound if that person has no such factor

	// UseFactor moves the factor's counter on from was, and notes when it was used: of those who
	// race, and of those who come again, all but one get problem.Conflict.
	UseFactor(ctx context.Context, id identity.FactorID, was, counter int64, at time.Time) error
	// ByCredential returns who has that WebAuthn credential or account elsewhere, or problem.NotFound.
	ByCredential(ctx context.Context, credential string) (Person, error)
}

// Person is somebody on file with all that may prove them.
type Person struct {
	User     identity.User
	Holdings []identity.Holding
	Factors  []identity.Factor
}

// Invitation lets one address sign up where sign-up is by invitation.
type Invitation struct {
	ID        string
	Address   identity.Identifier
	Token     secret.Digest
	By        string // who invited, as an event's actor
	CreatedAt time.Time
	ExpiresAt time.Time
	UsedAt    time.Time
}

// Budget allows Limit failures under Key; the last one blocks the key for Window, and
// failures older than Window are forgotten.
type Budget struct {
	Key    string
	Limit  int
	Window time.Duration
}

// Throttle counts failures, shared by all replicas. A try is reserved before it is
// verified, so that parallel guesses cannot beat the count.
type Throttle interface {
	// Reserve takes one try from every budget, or none if any is spent; then it says how long to wait.
	Reserve(ctx context.Context, budgets []Budget, now time.Time) (wait time.Duration, err error)
	// ReserveUnless is Reserve, except that it takes nothing and says so if one of the watched is spent.
	ReserveUnless(ctx context.Context, watched, budgets []Budget, now time.Time) (doubtful bool, wait time.Duration, err error)
	// Count is Reserve that says how many tries each budget has given, if it gave one of each.
	Count(ctx context.Context, budgets []Budget, now time.Time) (counts []int, wait time.Duration, err error)
	// Release gives one try back to each key: the answer was right.
	Release(ctx context.Context, keys []string, now time.Time) error
	// Forgive does both at once, Release to the first keys and Clear to the second. Inside a
	// transaction it is the only way to do both: separately, two of them could wait for each other.
	Forgive(ctx context.Context, release, clear []string, now time.Time) error
	// Clear forgets the keys.
	Clear(ctx context.Context, keys []string) error
}
