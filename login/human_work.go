package login

import (
	"crypto/sha256"
	"fmt"
	"math/bits"
	"strconv"
	"strings"
	"time"

	"idp/internal/secret"
	"idp/session"
)

// Our own bot check is a proof of work: for each of a few rounds the browser looks for a
// number whose SHA-256, together with salt and round, begins with enough zero bits. Several
// small rounds take more evenly long than one large, and say how far one is. What was asked is
// in the answer, under our MAC, so that nothing is stored until a solution is used.

// Work is how much is to be done: about Rounds · 2^Bits hashes.
type Work struct {
	Rounds int // 8
	Bits   int // leading zero bits of each; 15
}

const (
	workLife    = 10 * time.Minute
	mostRounds  = 64
	longestWork = 2048 // bytes of an answer
)

func (w Work) orDefault() Work {
	if w.Rounds <= 0 || w.Rounds > mostRounds {
		w.Rounds = 8
	}
	if w.Bits <= 0 || w.Bits > 32 {
		w.Bits = 15
	}
	return w
}

// Puzzle is what a proof of work answers. For each round from 0 on, find a whole number N so
// that SHA-256 of "salt.round.N" begins with that many zero bits. The answer is the challenge, a
// colon, and the numbers in decimal, joined by commas.
type Puzzle struct {
	Challenge string    `json:"challenge"` // to be sent back as it is
	Salt      string    `json:"salt"`
	Rounds    int       `json:"rounds"`
	Bits      int       `json:"bits"`
	ExpiresAt time.Time `json:"expires_at"`
}

func (e *Engine) puzzle(act Action, b session.BrowserID, a AttemptID) *Puzzle {
	w := e.Checker.Work.orDefault()
	salt := secret.NewID("w")
	until := e.Now().Add(workLife).Truncate(time.Second)
	challenge := fmt.Sprintf("%s.%d.%d.%d", salt, until.Unix(), w.Rounds, w.Bits)
	return &Puzzle{
		Challenge: challenge + "." + e.workMAC(challenge, act, b, a), Salt: salt, Rounds: w.Rounds, Bits: w.Bits, ExpiresAt: until,
	}
}

// workMAC binds a challenge to action, browser and, if there was one, attempt.
func (e *Engine) workMAC(challenge string, act Action, b session.BrowserID, a AttemptID) string {
	return string(e.Box.MAC("bot check", strings.Join([]string{challenge, string(act), string(b), string(a)}, "\x00")))
}

// solved judges an answer: a challenge of ours for this action, browser and attempt, as hard as
// we ask today, not too old, and right numbers.
func (e *Engine) solved(t *turn, answer secret.String) (solution secret.Digest, until time.Time, err error) {
	if len(answer.Reveal()) > longestWork {
		return "", until, ErrHuman
	}
	challenge, numbers, _ := strings.Cut(answer.Reveal(), ":")
	p, mac, ok := readChallenge(challenge)
	if !ok {
		return "", until, ErrHuman
	}
	ours := false
	for _, a := range []AttemptID{t.a.ID, ""} {
		ours = ours || secret.Equal(mac, e.workMAC(strings.TrimSuffix(challenge, "."+mac), t.a.action(), t.a.Browser, a))
	}
	w := e.Checker.Work.orDefault()
	if !ours || !t.now.Before(p.ExpiresAt) || p.Bits < w.Bits || p.Rounds < w.Rounds || !p.right(strings.Split(numbers, ",")) {
		return "", until, ErrHuman
	}
	return secret.DigestOf("work " + challenge), p.ExpiresAt, nil
}

// readChallenge takes a challenge apart. Until its MAC is found right, nothing in it is true.
func readChallenge(challenge string) (p Puzzle, mac string, ok bool) {
	parts := strings.Split(challenge, ".")
	if len(parts) != 5 {
		return p, "", false
	}
	expires, err1 := strconv.ParseInt(parts[1], 10, 64)
	rounds, err2 := strconv.Atoi(parts[2])
	zeros, err3 := strconv.Atoi(parts[3])
	p = Puzzle{Challenge: challenge, Salt: parts[0], Rounds: rounds, Bits: zeros, ExpiresAt: time.Unix(expires, 0)}
	return p, parts[4], err1 == nil && err2 == nil && err3 == nil
}

// right reports whether the numbers solve the rounds.
func (p Puzzle) right(numbers []string) bool {
	if len(numbers) != p.Rounds {
		return false
	}
	for round, number := range numbers {
		n, err := strconv.ParseUint(number, 10, 53) // what a script counts exactly
		if err != nil {
			return false
		}
		if zeros(sha256.Sum256(fmt.Appendf(nil, "%s.%d.%d", p.Salt, round, n))) < p.Bits {
			return false
		}
	}
	return true
}

func zeros(sum [sha256.Size]byte) (n int) {
	for _, b := range sum {
		n += bits.LeadingZeros8(b)
		if b != 0 {
			break
		}
	}
	return n
}
