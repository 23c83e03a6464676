package partykeys

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

const (
	fresh   = 10 * time.Minute // how long fetched keys are taken as they are
	stale   = time.Hour        // how long they are used while their address does not answer
	between = time.Minute      // the least between two fetches that unknown keys cause
	retry   = 10 * time.Second // the least between two tries while there is nothing to use
	maxKept = 2048             // owners whose fetched keys are kept
)

// fetched are the keys behind one jwks_uri. Whoever holds mu fetches; those who need what is
// not here yet wait and find what it found, all others go on with the newest snapshot.
type fetched struct {
	uri    string
	newest atomic.Pointer[snapshot]

	mu     sync.Mutex
	err    error     // of the last try
	tried  time.Time // when a fetch was tried last
	forced time.Time // when an unknown key made us fetch
}

type snapshot struct {
	set *keySet
	at  time.Time // when it was fetched
}

// within returns the keys if they are not older than that.
func (f *fetched) within(now time.Time, age time.Duration) *keySet {
	if s := f.newest.Load(); s != nil && now.Sub(s.at) < age {
		return s.set
	}
	return nil
}

var errUnreachable = errors.New("the jwks_uri did not give keys")

// set returns the owner's public keys.
func (k *Keys) set(ctx context.Context, o Owner) (*keySet, error) {
	if len(o.JWKS) > 0 {
		return readSet(o.JWKS)
	}
	if o.URI == "" {
		return &keySet{}, nil
	}
	f := k.kept(o)
	if set := f.within(k.Now(), fresh); set != nil {
		return set, nil
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	now := k.Now()
	if set := f.within(now, fresh); set != nil {
		return set, nil
	}
	wait := retry
	if f.newest.Load() != nil {
		wait = between
	}
	if f.tried.IsZero() || now.Sub(f.tried) >= wait {
		k.fetch(ctx, f)
	}
	if set := f.within(now, stale); set != nil {
		return set, nil
	}
	return nil, f.err
}

// again returns keys that are newer than had, if unknown keys did not make us fetch within
// the last minute.
func (k *Keys) again(ctx context.Context, o Owner, had *keySet) (*keySet, error) {
	f := k.kept(o)
	f.mu.Lock()
	defer f.mu.Unlock()
	if s := f.newest.Load(); s != nil && s.set != had {
		return s.set, nil // somebody else just fetched
	}
	if now := k.Now(); f.forced.IsZero() || now.Sub(f.forced) >= between {
		f.forced = now
		k.fetch(ctx, f)
	}
	if s := f.newest.Load(); s != nil {
		return s.set, nil
	}
	return nil, f.err
}

// fetch tries once, under mu. A caller that hangs up does not spoil it for the others.
func (k *Keys) fetch(ctx context.Context, f *fetched) {
	f.tried = k.Now()
	body, err := k.Fetch(context.WithoutCancel(ctx), f.uri)
	if err != nil {
		f.err = fmt.Errorf("%w: %w", errUnreachable, err)
		return
	}
	set, err := readSet(body)
	if err != nil {
		f.err = fmt.Errorf("%w: %w", errUnreachable, err)
		return
	}
	f.err = nil
	f.newest.Store(&snapshot{set, f.tried})
}

// kept returns the place for the owner's fetched keys.
func (k *Keys) kept(o Owner) *fetched {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.fetched == nil {
		k.fetched = map[string]*fetched{}
	}
	f := k.fetched[o.ID]
	if f != nil && f.uri == o.URI {
		return f
	}
	if f == nil && len(k.fetched) >= maxKept {
		for id := range k.fetched { // any: it is fetched again when it is needed
			delete(k.fetched, id)
			break
		}
	}
	f = &fetched{uri: o.URI}
	k.fetched[o.ID] = f
	return f
}
