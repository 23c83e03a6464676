package login

import (
	"context"
	"time"

	"idp/session"
)

// Unfinished are the attempts that are open: neither over nor expired.
type Unfinished interface {
	// Unfinished counts those of a browser and those that began in a network.
	Unfinished(ctx context.Context, b session.BrowserID, network string, now time.Time) (Crowding, error)
	// EndAttemptsOn ends all of a browser's but so many. Those where somebody did something stay
	// before others, and then the later ones.
	EndAttemptsOn(ctx context.Context, b session.BrowserID, keep int, now time.Time) error
}

// Crowding is how many attempts are open around a new one.
type Crowding struct {
	Here   int       // in its browser
	Around int       // in its network
	Until  time.Time // when the first in the network expires; zero if there is none
	Known  bool      // somebody signed in on the browser before
}

// room makes sure that there is room for one more attempt. Too many of a network are ErrSlow, but
// not where somebody signed in before: strangers must not keep them out. Too many of a browser end
// the oldest ones, because a refusal would let any page that opens ours keep its person out.
func (e *Engine) room(ctx context.Context, t *turn) ([]func(context.Context, *turn) error, error) {
	t.a.Network = e.key("attempts-network", neighbourhood(t.at.Network))
	if e.Unfinished == nil {
		return nil, nil
	}
	c, err := e.Unfinished.Unfinished(ctx, t.a.Browser, t.a.Network, t.now)
	if err != nil {
		return nil, err
	}
	l := e.Limits.orDefault()
	if c.Around >= l.NetworkAttempts && !c.Known {
		return nil, ErrSlow.After(max(c.Until.Sub(t.now), time.Second))
	}
	if c.Here < l.BrowserAttempts {
		return nil, nil
	}
	return []func(context.Context, *turn) error{func(ctx context.Context, t *turn) error {
		return e.Unfinished.EndAttemptsOn(ctx, t.a.Browser, l.BrowserAttempts-1, t.now)
	}}, nil
}
