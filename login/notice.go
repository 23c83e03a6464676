package login

import (
	"cmp"
	"context"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"

	"idp/identity"
	"idp/internal/secret"
	"idp/message"
	"idp/session"
)

// Whatever changes about how somebody signs in, they are told by mail at every address that
// was theirs before: also at the one that is being removed, so that whoever takes an account
// over cannot do it in silence.

// ChangeKind is what changed about how somebody signs in.
type ChangeKind string

// The changes that people are told of.
const (
	PasswordReplaced   ChangeKind = "password_changed" // chosen anew, reset, or forced by a breach
	AddressAdded       ChangeKind = "address_added"    // an email address or phone number came on file, proven
	AddressRemoved     ChangeKind = "address_removed"
	AddressPrimary     ChangeKind = "address_primary" // another one is the main one
	FactorAdded        ChangeKind = "factor_added"
	FactorRemoved      ChangeKind = "factor_removed"
	FactorsReset       ChangeKind = "factors_reset"  // by an operator
	AccountLinked      ChangeKind = "account_linked" // an account elsewhere signs in from now on
	AccountUnlinked    ChangeKind = "account_unlinked"
	AccountGiven       ChangeKind = "account_given"   // an account elsewhere moved to another account here
	AccountTaken       ChangeKind = "account_taken"   // and came from another account here
	AccountsJoined     ChangeKind = "accounts_joined" // another account became part of this one, and is deleted
	BackupCodesRenewed ChangeKind = "backup_codes_renewed"
	FactorCloned       ChangeKind = "factor_cloned" // refused: its counter went backwards
	FactorLocked       ChangeKind = "factor_locked" // too many wrong answers
	NewBrowser         ChangeKind = "new_browser"   // a sign-in where that person had not signed in before
	Undone             ChangeKind = "undone"        // a change was taken back
)

// Change is one thing to tell a person.
type Change struct {
	Kind    ChangeKind
	Before  Person              // as on file before the change: who is told, and what an undo brings back
	Factor  identity.Factor     // the one added, removed, cloned or locked
	Address identity.Identifier // the one added, removed or made the main one
	Title   string              // what people call the connection of Factor, if it is one elsewhere; Engine.Notify fills it in
	At      At                  // whence it came; zero for an operator's command
}

const maxTold = 20 // addresses of one person that a notice goes to

// Notices tell people of changes. An Engine makes its own; a command of the operator's may
// do with this alone.
type Notices struct {
	Undos  Undos                                              // nil: nothing can be taken back
	Post   func(ctx context.Context, m message.Message) error // in the caller's transaction
	Place  func(network string) string                        // "Auckland, New Zealand" or ""; nil: never known
	Origin string                                             // of the issuer, without a slash at the end
	Now    func() time.Time
}

func (e *Engine) notices() *Notices {
	return &Notices{Undos: e.Undos, Post: e.Post, Place: e.Place, Origin: e.Origin, Now: e.Now}
}

// Notify tells the person of a change, in the transaction that makes it.
func (e *Engine) Notify(ctx context.Context, c Change) error {
	c.Title = e.title(c.Factor.Method)
	return e.notices().Notify(ctx, c)
}

// Notify posts a mail to every verified email address that the person had before the change.
// Where there is something to take back, those who were there first get a link that does.
func (n *Notices) Notify(ctx context.Context, c Change) error {
	m := message.Message{Kind: message.Changed, Locale: cmp.Or(c.Before.User.Profile.Locale, c.At.Locale), Notice: n.notice(c)}
	if c.Kind == PasswordReplaced {
		m.Kind = message.PasswordChanged
	}
	told := mailboxes(c.Before)
	if len(told) == 0 {
		return nil
	}
	link, expires, err := n.link(ctx, c)
	if err != nil {
		return err
	}
	first := told[0].VerifiedAt
	for _, h := range told {
		if h.VerifiedAt.Before(first) {
			first = h.VerifiedAt
		}
	}
	sent := map[identity.Identifier]bool{}
	for _, h := range told {
		m.To, m.Link, m.ExpiresAt = h.Identifier, secret.String{}, time.Time{}
		if !h.VerifiedAt.After(first) || !h.VerifiedAt.After(n.Now().Add(-UndoFor)) {
			// An address that came a moment ago may be the thief's: it is told, but must not
			// undo its own removal.
			m.Link, m.ExpiresAt = link, expires
		}
		if sent[h.Identifier] {
			continue
		}
		sent[h.Identifier] = true
		if err := n.Post(ctx, m); err != nil {
			return err
		}
	}
	return nil
}

// link remembers what the change can be taken back to and returns the link that does it, an
// empty one if there is nothing to take back.
func (n *Notices) link(ctx context.Context, c Change) (secret.String, time.Time, error) {
	if n.Undos == nil || !slices.Contains(revertible, c.Kind) {
		return secret.String{}, time.Time{}, nil
	}
	now, token := n.Now(), secret.Token("")
	u := Undo{
		ID: UndoID(secret.NewID("undo")), Digest: secret.DigestOf(token.Reveal()), User: c.Before.User.ID, Kind: c.Kind,
		Method: c.Factor.Method, Name: c.Factor.Name, Address: c.Address, Browser: session.Describe(c.At.UserAgent), Network: c.At.Network,
		Holdings: c.Before.Holdings, CreatedAt: now, ExpiresAt: now.Add(UndoFor),
	}
	for _, f := range c.Before.Factors {
		if f.Method != identity.Password {
			u.Factors = append(u.Factors, f)
		}
	}
	link := n.Origin + "/undo/" + string(u.ID) + "?token=" + url.QueryEscape(token.Reveal())
	return secret.NewString(link), u.ExpiresAt, n.Undos.SaveUndo(ctx, u)
}

// notice says what changed, when and whence.
func (n *Notices) notice(c Change) *message.Notice {
	said := &message.Notice{What: string(c.Kind), Browser: session.Describe(c.At.UserAgent), At: n.Now()}
	if a, err := netip.ParseAddr(c.At.Network); err == nil {
		said.Network = a.Unmap().WithZone("").String()
		if n.Place != nil {
			said.Place = n.Place(said.Network)
		}
	}
	switch c.Kind {
	case AddressAdded, AddressRemoved, AddressPrimary:
		_, done, _ := strings.Cut(said.What, "_")
		said.What, said.Address = string(c.Address.Kind)+"_"+done, spelled(c.Before, c.Address)
	case FactorAdded, FactorRemoved, FactorCloned, FactorLocked, AccountLinked, AccountUnlinked, AccountGiven, AccountTaken:
		said.Method, said.Name = cmp.Or(c.Title, string(c.Factor.Method)), c.Factor.Name
	case PasswordReplaced, FactorsReset, BackupCodesRenewed, NewBrowser, Undone, AccountsJoined:
	}
	return said
}

// spelled is how a mail spells the address it is about. One that the person had not proven
// before may have been chosen to be read, or clicked on: it is masked, and no link.
func spelled(before Person, i identity.Identifier) string {
	for _, h := range before.Holdings {
		if h.Identifier == i && h.Verified() {
			return i.Mask()
		}
	}
	return strings.ReplaceAll(i.Mask(), ".", ". ")
}

// mailboxes are the verified email addresses of a person.
func mailboxes(p Person) []identity.Holding {
	var all []identity.Holding
	for _, h := range p.Holdings {
		if h.Identifier.Kind == identity.Email && h.Verified() && len(all) < maxTold {
			all = append(all, h)
		}
	}
	return all
}

// notify is Notify for what settles with a turn.
func (e *Engine) notify(ctx context.Context, t *turn, c Change) error {
	c.Before, c.At, t.told = t.person(), t.at, true
	return e.Notify(ctx, c)
}

// strange reports whether the person signs in on a browser where they never did, although
// they have signed in before. Guessing has mostly asked already who is known here.
func (e *Engine) strange(ctx context.Context, t *turn) (bool, error) {
	if t.unseen() {
		return false, nil
	}
	if t.known != nil {
		return !*t.known, nil
	}
	known, err := e.Store.Knows(ctx, t.a.Browser, t.a.UserID)
	return !known, err
}

// unseen reports whether the person never proved themselves here before this attempt: then
// every browser is new, and nobody is told so.
func (t *turn) unseen() bool {
	for _, f := range t.f.Factors {
		now := func(p identity.Proof) bool {
			return (p.Credential == string(f.ID) || p.Method.Federated() && p.Credential == f.Credential) && p.At.Equal(f.LastUsedAt)
		}
		if !f.LastUsedAt.IsZero() && !slices.ContainsFunc(t.a.Proofs, now) {
			return false
		}
	}
	for _, h := range t.f.Holdings {
		if h.VerifiedBy != "" && h.VerifiedAt.Before(t.now) {
			return false
		}
	}
	return true
}
