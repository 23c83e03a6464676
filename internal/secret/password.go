package secret

import (
	"context"
	"crypto/subtle"
	"encoding/base64"
	"fmt"

	"golang.org/x/crypto/argon2"
	"golang.org/x/text/unicode/norm"

	"idp/internal/problem"
)

// MaxPassword is the longest password in bytes, after normalising. Nothing is ever cut off.
const MaxPassword = 1024

// ErrPasswordTooLong refuses a password of more than MaxPassword bytes.
var ErrPasswordTooLong = problem.New(problem.Invalid, "password_too_long", "Choose a password of at most 1024 bytes.").On("password")

// The cost of our own hashes: argon2id as OWASP's password storage advice has it.
var own = argon{kind: "argon2id", memory: 19 * 1024, time: 2, threads: 1}

const (
	ownSalt = 16 // bytes
	ownHash = 32
)

// Hasher hashes and checks passwords, only so many at a time; see gate. Callers that
// find no slot within two seconds, or 64 others waiting, get ErrBusy.
//
// Hasher is also the one place where passwords are normalised (NFC), so that a name typed
// on two keyboards is one password. Hashes that came from elsewhere were perhaps made
// without that, so they are compared as typed first and normalised second.
type Hasher struct{ gate *gate }

// NewHasher makes a Hasher of that many parallel computations, each of which holds 19 MiB;
// 0 is one fewer than the processors.
func NewHasher(slots int) *Hasher { return &Hasher{gate: newGate(slots)} }

// Waiting returns how many passwords wait for a slot.
func (h *Hasher) Waiting() int { return int(h.gate.waiting.Load()) }

// Hash returns the argon2id hash of a password in PHC spelling, under a fresh salt.
// ErrPasswordTooLong and ErrBusy are for the caller to show.
func (h *Hasher) Hash(ctx context.Context, password String) (String, error) {
	typed, ok := normal(password)
	if !ok {
		return String{}, ErrPasswordTooLong
	}
	if typed == "" {
		return String{}, problem.New(problem.Invalid, "password_missing", "Enter a password.").On("password")
	}
	a := own
	a.salt = Bytes(ownSalt)
	var sum []byte
	if err := h.gate.pass(ctx, func() { sum = a.sum(typed, ownHash) }); err != nil {
		return String{}, err
	}
	return NewString(a.spell(sum)), nil
}

// Verify reports whether password is the one that hash was made of, and whether the hash
// should be replaced by Hash's: it came from elsewhere or costs other than ours. An empty
// or over-long password is wrong and costs what a wrong one costs. A hash that cannot be
// read, or that would cost more than CheckImported allows, is an error.
func (h *Hasher) Verify(ctx context.Context, password, hash String) (ok, upgrade bool, err error) {
	parsed, err := parseHash(hash.Reveal())
	if err != nil {
		return false, false, fmt.Errorf("verify password: %w", err)
	}
	typed, fits := normal(password)
	if !fits || typed == "" {
		return false, false, h.Waste(ctx)
	}
	tries := []string{typed}
	if raw := password.Reveal(); !parsed.ours() && raw != typed {
		tries = []string{raw, typed}
	}
	err = h.gate.pass(ctx, func() {
		for _, try := range tries {
			if parsed.matches(try) {
				ok = true
				return
			}
		}
	})
	if err != nil {
		return false, false, err
	}
	return ok, ok && !parsed.ours(), nil
}

// Waste spends what Verify spends on a hash of ours: call it where there is no hash to
// compare, so that the answer does not come sooner.
func (h *Hasher) Waste(ctx context.Context) error {
	a := own
	a.salt = make([]byte, ownSalt)
	return h.gate.pass(ctx, func() { a.sum("nobody has this password", ownHash) })
}

// normal returns the NFC form of a password; false if it is over-long before or after.
func normal(password String) (string, bool) {
	raw := password.Reveal()
	if len(raw) > 4*MaxPassword { // normalising shrinks, but never by that much: do not even look
		return "", false
	}
	typed := norm.NFC.String(raw)
	return typed, len(typed) <= MaxPassword
}

// hashed is a parsed password hash of any make.
type hashed interface {
	matches(password string) bool
	ours() bool // made by Hash with today's cost
}

// argon is an argon2 hash (RFC 9106), ours or another's.
type argon struct {
	kind         string // "argon2id" or "argon2i"
	memory, time uint32 // KiB, passes
	threads      uint8
	salt, hash   []byte
}

func (a argon) sum(password string, length uint32) []byte {
	if a.kind == "argon2i" {
		return argon2.Key([]byte(password), a.salt, a.time, a.memory, a.threads, length)
	}
	return argon2.IDKey([]byte(password), a.salt, a.time, a.memory, a.threads, length)
}

func (a argon) matches(password string) bool {
	return subtle.ConstantTimeCompare(a.sum(password, uint32(len(a.hash))), a.hash) == 1 //nolint:gosec // parsing bounds the length to 64
}

func (a argon) ours() bool {
	return a.kind == own.kind && a.memory == own.memory && a.time == own.time && a.threads == own.threads &&
		len(a.salt) == ownSalt && len(a.hash) == ownHash
}

func (a argon) spell(sum []byte) string {
	b64 := base64.RawStdEncoding
	return fmt.Sprintf("$%s$v=%d$m=%d,t=%d,p=%d$%s$%s", a.kind, argon2.Version, a.memory, a.time, a.threads,
		b64.EncodeToString(a.salt), b64.EncodeToString(sum))
}
