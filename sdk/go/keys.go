package idp

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

// How keys are kept.
const (
	usualAge   = 10 * time.Minute // for which keys are used, if the answer does not say
	leastAge   = time.Minute      // what the answer says is taken between these two
	mostAge    = 24 * time.Hour
	lazyFor    = time.Minute      // beyond their age, keys are used while new ones are on their way
	unknownGap = time.Minute      // between fetches for a kid that nobody has heard of
	failureGap = 10 * time.Second // between tries while the issuer does not answer
	firstGap   = time.Second      // the same, as long as there are no keys at all
	fetchLimit = 5 * time.Second
	sizeLimit  = 256 << 10
)

// keyCache fetches the issuer's keys and keeps them: one fetch at a time, however many wait.
type keyCache struct {
	url    string
	client *http.Client
	now    func() time.Time
	stale  time.Duration

	mu      sync.Mutex
	byID    map[string]key
	etag    string
	expires time.Time // until when byID is fresh
	tried   time.Time // when the last fetch began
	failure error     // of the last fetch
	flight  chan struct{}
}

// get returns the key of that id. A fetch is waited for only if nothing at hand will do.
func (c *keyCache) get(ctx context.Context, id string) (key, error) {
	c.mu.Lock()
	now := c.now()
	k, known := c.usable(id, now)
	if known && now.Before(c.expires) {
		c.mu.Unlock()
		return k, nil
	}
	landed := c.depart(now, known)
	if known && (c.failure != nil || now.Before(c.expires.Add(lazyFor))) {
		c.mu.Unlock()
		return k, nil
	}
	c.mu.Unlock()
	if landed != nil {
		select {
		case <-landed:
		case <-ctx.Done():
			return key{}, fmt.Errorf("%w: %w", ErrKeys, ctx.Err())
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	now = c.now()
	if k, known = c.usable(id, now); known {
		return k, nil
	}
	// Whether it is one of the issuer's is known only if the keys at hand are.
	if c.failure != nil || c.byID == nil || now.After(c.expires.Add(c.stale)) {
		return key{}, fmt.Errorf("%w: %w", ErrKeys, c.failure)
	}
	return key{}, refused("kid is none of the issuer's keys")
}

// usable returns the key if it is at hand and not too old. c.mu is held.
func (c *keyCache) usable(id string, now time.Time) (key, bool) {
	k, ok := c.byID[id]
	return k, ok && !now.After(c.expires.Add(c.stale))
}

// depart returns the fetch that is under way, or begins one if its time has come; otherwise nil.
// c.mu is held.
func (c *keyCache) depart(now time.Time, known bool) chan struct{} {
	gap := unknownGap
	switch {
	case c.flight != nil:
		return c.flight
	case c.byID == nil:
		gap = firstGap
	case c.failure != nil:
		gap = failureGap
	case known || !now.Before(c.expires):
		gap = 0
	}
	if !c.tried.IsZero() && now.Sub(c.tried) < gap && !now.Before(c.tried) {
		return nil
	}
	landed := make(chan struct{})
	c.flight, c.tried = landed, now
	etag := c.etag
	// Not the caller's context: others may wait for the same keys.
	go func() {
		ctx, cancel := context.WithTimeout(context.Background(), fetchLimit)
		defer cancel()
		got, err := c.fetch(ctx, etag)
		c.mu.Lock()
		defer c.mu.Unlock()
		c.failure = err
		if err == nil {
			if got.byID != nil {
				c.byID, c.etag = got.byID, got.etag
			}
			c.expires = c.now().Add(got.age)
		}
		c.flight = nil
		close(landed)
	}()
	return landed
}

// fetched is an answer. byID is nil if the keys are those that were known.
type fetched struct {
	byID map[string]key
	etag string
	age  time.Duration
}

func (c *keyCache) fetch(ctx context.Context, etag string) (fetched, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.url, nil)
	if err != nil {
		return fetched{}, err
	}
	req.Header.Set("Accept", "application/jwk-set+json, application/json")
	if etag != "" {
		req.Header.Set("If-None-Match", etag)
	}
	res, err := c.client.Do(req)
	if err != nil {
		return fetched{}, err
	}
	defer func() { _ = res.Body.Close() }()
	got := fetched{age: age(res.Header.Get("Cache-Control")), etag: res.Header.Get("ETag")}
	switch {
	case res.StatusCode == http.StatusNotModified && etag != "":
		return got, nil
	case res.StatusCode != http.StatusOK:
		return fetched{}, fmt.Errorf("%s answered %d", c.url, res.StatusCode)
	}
	body, err := io.ReadAll(io.LimitReader(res.Body, sizeLimit+1))
	if err != nil {
		return fetched{}, err
	}
	if len(body) > sizeLimit {
		return fetched{}, fmt.Errorf("%s answered more than %d bytes", c.url, sizeLimit)
	}
	if got.byID, err = readKeys(body); err != nil {
		return fetched{}, fmt.Errorf("%s answered no key set: %w", c.url, err)
	}
	if len(got.byID) == 0 {
		return fetched{}, fmt.Errorf("%s has no keys that session tokens are signed with", c.url)
	}
	return got, nil
}

// age reads max-age (RFC 9111 §5.2.2.1).
func age(control string) time.Duration {
	for directive := range strings.SplitSeq(control, ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(directive), "=")
		if !strings.EqualFold(name, "max-age") {
			continue
		}
		if seconds, err := strconv.Atoi(strings.Trim(value, `"`)); err == nil && seconds >= 0 {
			return min(max(time.Duration(min(seconds, 1<<30))*time.Second, leastAge), mostAge)
		}
	}
	return usualAge
}
