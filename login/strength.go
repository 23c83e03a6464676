package login

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"time"

	"idp/identity"
	"idp/internal/problem"
	"idp/internal/secret"
)

// Strength is what a page may say of a password while it is typed.
type Strength struct {
	Score   int    `json:"score"` // 0, guessed at once, to 4
	OK      bool   `json:"ok"`    // the rules let it pass; whether it is known from a breach is asked when it is set
	Problem string `json:"problem,omitempty"`
	Detail  string `json:"detail,omitempty"` // what to do, in English
}

// Strength says of a password what Check would, and its score. It keeps and looks up nothing.
func (r PasswordRules) Strength(password secret.String, address identity.Identifier) Strength {
	s := Strength{}
	err := r.shape(password)
	if len(password.Reveal()) <= secret.MaxPassword {
		s.Score = Score(password, address)
	}
	if err == nil {
		err = r.strong(s.Score)
	}
	var p *problem.Error
	if errors.As(err, &p) {
		s.Problem, s.Detail = p.Code, p.Detail
	}
	s.OK = err == nil
	return s
}

// Meter bounds how often passwords are scored while they are typed, in this process: the
// estimate costs milliseconds, and anybody may ask. The zero value has the limits that are
// named here; it is safe for concurrent use.
type Meter struct {
	Network int // scores for a network in a minute; 120
	Browser int // for a browser; 40

	once   sync.Once
	gate   chan struct{}
	mu     sync.Mutex
	minute time.Time
	counts map[string]int
}

const (
	meterNetwork = 120
	meterBrowser = 40
	meterWindow  = time.Minute
	meterKeys    = 50_000 // networks and browsers in a minute; more are told to wait
)

// errMetered says that no more passwords are scored for now.
var errMetered = problem.New(problem.TooMany, "strength_later", "Passwords are scored again in a moment.")

// take takes one turn, or says how long to wait for the next.
func (m *Meter) take(now time.Time, network, browser string) time.Duration {
	m.mu.Lock()
	defer m.mu.Unlock()
	if passed := now.Sub(m.minute); m.counts == nil || passed >= meterWindow || passed < 0 {
		m.minute, m.counts = now, map[string]int{}
	}
	wait := meterWindow - now.Sub(m.minute)
	limits := map[string]int{"network " + network: orElse(m.Network, meterNetwork), "browser " + browser: orElse(m.Browser, meterBrowser)}
	for key, limit := range limits {
		if n, known := m.counts[key]; n >= limit || !known && len(m.counts) >= meterKeys {
			return wait
		}
	}
	for key := range limits {
		m.counts[key]++
	}
	return 0
}

func orElse(n, otherwise int) int {
	if n > 0 {
		return n
	}
	return otherwise
}

// Score scores a password within the limits, at most one for each processor but one at a time.
// Who asks too often, or while all are busy, is told to wait.
func (m *Meter) Score(ctx context.Context, now time.Time, network, browser string, score func() Strength) (Strength, error) {
	m.once.Do(func() { m.gate = make(chan struct{}, max(1, runtime.GOMAXPROCS(0)-1)) })
	if wait := m.take(now, neighbourhood(network), browser); wait > 0 {
		return Strength{}, errMetered.After(wait)
	}
	select {
	case m.gate <- struct{}{}:
		defer func() { <-m.gate }()
	default:
		return Strength{}, errMetered.After(time.Second)
	}
	if err := ctx.Err(); err != nil {
		return Strength{}, err
	}
	return score(), nil
}
