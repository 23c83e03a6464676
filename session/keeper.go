package session

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"time"

	"idp/event"
	"idp/identity"
	"idp/internal/problem"
	"idp/internal/secret"
)

// Keeper recognises browsers and keeps their sessions.
type Keeper struct {
	Store    Store
	Events   event.Recorder
	Cookies  *Cookies
	Settings func() Settings
	InTx     func(ctx context.Context, do func(ctx context.Context) error) error
	Now      func() time.Time
	Network  func(r *http.Request) string // the caller's address, trusted proxies considered

	// StateKey makes the browser's state; nil while session management is off.
	StateKey []byte
}

// ErrNobody says that no session of this browser stands.
var ErrNobody = problem.New(problem.Unauthenticated, "not_signed_in", "Please sign in.")

var errNoBrowser = problem.New(problem.NotFound, "browser_unknown", "This browser has no session cookie.")

// Browser returns the browser that sent r, or problem.NotFound if its cookie is absent, doubled or unknown.
func (k *Keeper) Browser(r *http.Request) (Browser, error) {
	t, ok := k.Cookies.Read(r)
	if !ok {
		return Browser{}, errNoBrowser
	}
	b, err := k.Store.Browser(r.Context(), t.ID)
	if err != nil {
		return Browser{}, err
	}
	if !secret.Equal(string(b.Digest), string(secret.DigestOf(t.Secret.Reveal()))) {
		return Browser{}, errNoBrowser
	}
	return b, nil
}

// Ensure returns the browser that sent r and remembers it if it is new. A browser that
// Offer gave a cookie keeps it; one without gets a cookie on w now.
func (k *Keeper) Ensure(w http.ResponseWriter, r *http.Request) (Browser, error) {
	b, err := k.Browser(r)
	if err == nil || !problem.Is(err, problem.NotFound) {
		return b, err
	}
	t, ok := k.Cookies.Read(r)
	if ok {
		if _, err := k.Store.Browser(r.Context(), t.ID); err == nil {
			ok = false // the id is somebody's and the secret is not theirs: start afresh
		}
	}
	if !ok {
		t = NewToken()
		k.Cookies.Write(w, t, true)
	}
	now := k.Now()
	b = Browser{ID: t.ID, Digest: secret.DigestOf(t.Secret.Reveal()), UserAgent: Clip(r.UserAgent()), CreatedAt: now, SeenAt: now}
	return b, k.Store.SaveBrowser(r.Context(), b)
}

// Offer returns the id of the browser that sent r, giving it a cookie if it has none.
// Nothing is stored: a page that only shows a form costs no row.
func (k *Keeper) Offer(w http.ResponseWriter, r *http.Request) BrowserID {
	t, ok := k.Cookies.Read(r)
	if ok {
		return t.ID
	}
	t = NewToken()
	// A form that another site posted comes without the cookie there is (SameSite=Lax); a
	// fresh one would replace it and sign the person out.
	if r.Method == http.MethodGet || r.Header.Get("Sec-Fetch-Site") != "cross-site" {
		k.Cookies.Write(w, t, true)
	}
	return t.ID
}

// Sessions returns the sessions that stand on this browser, the active one first.
func (k *Keeper) Sessions(ctx context.Context, b Browser) ([]Session, error) {
	all, err := k.Store.OnBrowser(ctx, b.ID)
	if err != nil {
		return nil, err
	}
	now := k.Now()
	alive := slices.DeleteFunc(all, func(s Session) bool { return !s.Alive(now) })
	slices.SortStableFunc(alive, func(x, y Session) int {
		if (x.ID == b.Active) != (y.ID == b.Active) {
			if x.ID == b.Active {
				return -1
			}
			return 1
		}
		return y.LastActiveAt.Compare(x.LastActiveAt)
	})
	return alive, nil
}

// Current returns the session in use on the browser that sent r, or ErrNobody. Use moves
// its clock, at most once a minute.
func (k *Keeper) Current(r *http.Request) (Session, error) {
	b, err := k.Browser(r)
	if problem.Is(err, problem.NotFound) {
		return Session{}, ErrNobody
	}
	if err != nil {
		return Session{}, err
	}
	alive, err := k.Sessions(r.Context(), b)
	if err != nil {
		return Session{}, err
	}
	if len(alive) == 0 {
		return Session{}, ErrNobody
	}
	return k.used(r, alive[0])
}

func (k *Keeper) used(r *http.Request, s Session) (Session, error) {
	now := k.Now()
	if now.Sub(s.LastActiveAt) < Still {
		return s, nil
	}
	s.LastActiveAt, s.Network = now, k.Network(r)
	return s, k.Store.Touch(r.Context(), s.ID, s.Network, now)
}

// Switch makes a session of this browser the one in use; another browser's is problem.NotFound.
// So is every one if somebody signed in meanwhile: the secret that b shows is good no more then.
func (k *Keeper) Switch(ctx context.Context, b Browser, id ID) error {
	alive, err := k.Sessions(ctx, b)
	if err != nil {
		return err
	}
	if !slices.ContainsFunc(alive, func(s Session) bool { return s.ID == id }) {
		return ErrUnknown
	}
	b.Active, b.SeenAt = id, k.Now()
	err = k.Store.Activate(ctx, b)
	if problem.Is(err, problem.NotFound) {
		return ErrUnknown
	}
	return err
}

// End ends one session and says so in the audit trail. Ending it twice is fine.
func (k *Keeper) End(ctx context.Context, s Session, actor string) error {
	return k.InTx(ctx, func(ctx context.Context) error {
		ended, err := k.Store.End(ctx, s.ID, k.Now())
		if err != nil || !ended {
			return err
		}
		return k.Events.Record(ctx, event.Event{Kind: event.SessionEnded, Actor: actor, User: string(s.User), Session: string(s.ID)})
	})
}

// EndOthers ends every session of the person except keep ("" keeps none), and says so.
func (k *Keeper) EndOthers(ctx context.Context, user identity.UserID, keep ID, actor string) error {
	return k.InTx(ctx, func(ctx context.Context) error {
		ended, err := k.Store.EndOthers(ctx, user, keep, k.Now())
		if err != nil {
			return err
		}
		for _, id := range ended {
			e := event.Event{Kind: event.SessionEnded, Actor: actor, User: string(user), Session: string(id)}
			if err := k.Events.Record(ctx, e); err != nil {
				return err
			}
		}
		return nil
	})
}

// Clip shortens a User-Agent header to what is worth keeping, without control characters.
func Clip(s string) string {
	s = strings.ToValidUTF8(s, "")
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return -1
		}
		return r
	}, s)
	if len(s) > 400 {
		s = strings.ToValidUTF8(s[:400], "")
	}
	return s
}
