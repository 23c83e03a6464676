// Package breach knows which passwords were seen in breaches elsewhere, by asking the range
// API of Have I Been Pwned or a file of the same hashes.
//
// The API is told the first five of forty hex digits of a SHA-1, which hundreds of
// passwords share, and pads its answer, so that neither it nor whoever watches the line
// learns the password. The file is for hosts that reach nothing; it is searched where it
// lies. Either may fail, and then the answer is "unknown": what follows from that is for
// the caller to say. How often each answer was given is counted.
package breach

import (
	"context"
	"crypto/sha1" //nolint:gosec // what the list is made of; it protects nothing
	"encoding/hex"
	"io"
	"strconv"
	"strings"
	"sync/atomic"

	"golang.org/x/text/unicode/norm"

	"idp/internal/secret"
)

// List says of passwords whether they are known from a breach. Safe for concurrent use.
type List struct {
	source source
	closer io.Closer // of a file

	fine, breached, unknown atomic.Int64
}

// source finds a SHA-1 in capital hex digits.
type source interface {
	has(ctx context.Context, digest string) (bool, error)
}

const digits = 2 * sha1.Size // hex digits of a hash

// Breached reports whether the password, normalised like ours, is on the list. An error
// says that nobody knows: the list could not be asked.
func (l *List) Breached(ctx context.Context, password secret.String) (bool, error) {
	sum := sha1.Sum([]byte(norm.NFC.String(password.Reveal()))) //nolint:gosec // what the list is made of; it protects nothing
	found, err := l.source.has(ctx, strings.ToUpper(hex.EncodeToString(sum[:])))
	switch {
	case err != nil:
		l.unknown.Add(1)
	case found:
		l.breached.Add(1)
	default:
		l.fine.Add(1)
	}
	return found, err
}

// Counts says how often each answer was given since the start.
func (l *List) Counts() (fine, breached, unknown int64) {
	return l.fine.Load(), l.breached.Load(), l.unknown.Load()
}

// Close lets go of the file, if there is one; of no list too.
func (l *List) Close() error {
	if l == nil || l.closer == nil {
		return nil
	}
	return l.closer.Close()
}

// entry reads a line: hash digits in capitals, a colon, how often it was seen. Padding is
// seen zero times.
func entry(line string, length int) (digest string, seen int, ok bool) {
	digest, count, ok := strings.Cut(strings.TrimSuffix(line, "\r"), ":")
	if !ok || len(digest) != length || strings.Trim(digest, "0123456789ABCDEFabcdef") != "" {
		return "", 0, false
	}
	n, err := strconv.ParseUint(count, 10, 63)
	return strings.ToUpper(digest), int(n), err == nil
}
