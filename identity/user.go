// Package identity says who a person is and what can prove it: the User, the
// addresses they hold (Identifier), the things they can show (Factor), and what
// has been shown (Proof). It knows nothing of flows, HTTP or storage.
package identity

import "time"

// UserID names a person for ever; it is the OIDC subject of ordinary clients.
type UserID string

// Status says whether a person may sign in.
type Status string

// The statuses a person can have.
const (
	Active Status = "active"
	Banned Status = "banned"
)

// User is a person. Addresses and factors are kept beside it, not in it.
type User struct {
	ID         UserID
	Status     Status
	Operator   bool // may use the operator pages
	Profile    Profile
	Groups     []string // what they belong to, as relying parties read it in the claim groups
	Roles      []string // what they may do, as relying parties read it in the claim roles
	ExternalID string   // id in the system the person was imported from, or ""
	Metadata   Metadata
	CreatedAt  time.Time
	UpdatedAt  time.Time // when something that relying parties may read of them last changed
	Version    int       // raised at every save; a stale save is problem.Conflict
}

// MayEnter reports whether the person may sign in and use what was issued to them.
func (u User) MayEnter() bool { return u.Status == Active }
