package breach

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"time"

	"idp/internal/outbound"
)

// Service is how the range API is asked.
type Service struct {
	URL      string // what the five digits are put behind, with a slash at the end or without
	Outbound *outbound.Client
	Log      *slog.Logger
	Now      func() time.Time
	Timeout  time.Duration // of one question, waiting for a turn included; 0: two seconds
}

// The limits of asking. A range has about a thousand lines of forty bytes.
const (
	timeout    = 2 * time.Second
	largest    = 256 << 10
	atOnce     = 8                // questions under way
	remembered = 10 * time.Minute // how long an answer is kept
	mostKept   = 100              // answers
	mostFailed = 3                // failures in a row after which nobody is asked for a while
	pause      = 30 * time.Second
)

// errPaused says that the service failed too often just now to be asked.
var errPaused = errors.New("the list of breached passwords did not answer and is left alone for a while")

// Online returns the list behind a service. Whoever asks waits for its timeout at most, and
// not at all while the service is known to be away.
func Online(s Service) *List {
	if s.Timeout == 0 {
		s.Timeout = timeout
	}
	s.URL = strings.TrimSuffix(s.URL, "/") + "/"
	return &List{source: &online{Service: s, turns: make(chan struct{}, atOnce), kept: map[string]answer{}}}
}

type online struct {
	Service
	turns chan struct{}

	mu     sync.Mutex
	kept   map[string]answer
	failed int // in a row
	paused time.Time
}

// answer is what the service said of a range: the rest of each hash that was seen.
type answer struct {
	rests map[string]bool
	until time.Time
}

const shown = 5 // hex digits of a hash that leave this host

func (o *online) has(ctx context.Context, digest string) (bool, error) {
	prefix, rest := digest[:shown], digest[shown:]
	if a, ok := o.recall(prefix); ok {
		return a.rests[rest], nil
	}
	if o.away() {
		return false, errPaused
	}
	a, err := o.ask(ctx, prefix)
	if err != nil {
		if ctx.Err() == nil { // else it was the caller who left
			o.note(ctx, err)
		}
		return false, fmt.Errorf("ask for breached passwords: %w", err)
	}
	o.keep(prefix, a)
	return a.rests[rest], nil
}

func (o *online) ask(ctx context.Context, prefix string) (answer, error) {
	ctx, cancel := context.WithTimeout(ctx, o.Timeout)
	defer cancel()
	select {
	case o.turns <- struct{}{}:
		defer func() { <-o.turns }()
	case <-ctx.Done():
		return answer{}, ctx.Err()
	}
	text, err := o.Outbound.GetWith(ctx, o.URL+prefix, http.Header{"Add-Padding": {"true"}}, largest)
	if err != nil {
		return answer{}, err
	}
	a := answer{rests: map[string]bool{}, until: o.Now().Add(remembered)}
	lines := 0
	for line := range strings.Lines(string(text)) {
		line = strings.TrimRight(line, "\r\n")
		if line == "" {
			continue
		}
		rest, seen, ok := entry(line, digits-shown)
		if !ok {
			return answer{}, errors.New("the answer is no range of hashes")
		}
		lines++
		if seen > 0 {
			a.rests[rest] = true
		}
	}
	if lines == 0 { // every range has hundreds; this is somebody else's page
		return answer{}, errors.New("the answer is empty")
	}
	return a, nil
}

func (o *online) recall(prefix string) (answer, bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	a, ok := o.kept[prefix]
	return a, ok && o.Now().Before(a.until)
}

// keep remembers an answer, in place of the oldest if there are too many.
func (o *online) keep(prefix string, a answer) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.failed = 0
	o.kept[prefix] = a
	if len(o.kept) <= mostKept {
		return
	}
	oldest := ""
	for p, other := range o.kept {
		if p != prefix && (oldest == "" || other.until.Before(o.kept[oldest].until)) {
			oldest = p
		}
	}
	delete(o.kept, oldest)
}

func (o *online) away() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.Now().Before(o.paused)
}

func (o *online) note(ctx context.Context, err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.failed++
	if o.failed < mostFailed {
		return
	}
	o.failed, o.paused = 0, o.Now().Add(pause)
	o.Log.WarnContext(ctx, "breached passwords cannot be looked up; they pass unchecked meanwhile", "err", err, "pause", pause)
}
