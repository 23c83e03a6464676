package breach

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
)

// File returns the list in a file as the official downloader writes it: a line for each
// SHA-1, in order, "HASH:COUNT". It stays open and is searched in place, however large; a
// file that takes its place is seen after a restart. The error says what is wrong with it.
func File(path string) (*List, error) {
	f, err := os.Open(path) //nolint:gosec // the operator names the file
	if err != nil {
		return nil, err
	}
	c, err := newCorpus(f)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", path, err), f.Close())
	}
	return &List{source: c, closer: f}, nil
}

// corpus is a file of sorted hashes.
type corpus struct {
	text io.ReaderAt
	size int64
}

const (
	longestLine = 64 // digits, colon, a count of up to 19 digits, CR, LF
	samples     = 64
)

func newCorpus(f *os.File) (*corpus, error) {
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	c := &corpus{text: f, size: info.Size()}
	switch {
	case !info.Mode().IsRegular():
		return nil, errors.New("is not a file")
	case c.size == 0:
		return nil, errors.New("is empty")
	}
	return c, c.judge()
}

// judge looks at lines all over the file: each must be one, and they must be in order.
func (c *corpus) judge() error {
	last := ""
	for i := range int64(samples) {
		digest, _, start, _, err := c.line(c.size / samples * i)
		if err != nil {
			return err
		}
		if digest < last {
			return fmt.Errorf("is not sorted: the line at byte %d belongs before one that precedes it; sort it by hash", start)
		}
		last = digest
	}
	digest, _, _, _, err := c.line(c.size - 1)
	if err == nil && digest < last {
		return errors.New("is not sorted: the last line belongs before one that precedes it; sort it by hash")
	}
	return err
}

func (c *corpus) has(ctx context.Context, digest string) (bool, error) {
	from, to := int64(0), c.size
	for from < to {
		if err := ctx.Err(); err != nil {
			return false, err
		}
		at, seen, start, next, err := c.line(from + (to-from)/2)
		switch {
		case err != nil:
			return false, fmt.Errorf("search the breached passwords: %w", err)
		case at == digest:
			return seen > 0, nil
		case at < digest:
			from = next
		default:
			to = start
		}
	}
	return false, nil
}

// line returns the line that holds a byte, where it starts and where the next one does.
func (c *corpus) line(at int64) (digest string, seen int, start, next int64, err error) {
	base := max(0, at-longestLine)
	around := make([]byte, 2*longestLine)
	n, err := c.text.ReadAt(around, base)
	if err != nil && !errors.Is(err, io.EOF) {
		return "", 0, 0, 0, err
	}
	around = around[:n]
	here := int(at - base)
	if here >= len(around) {
		return "", 0, 0, 0, errors.New("became shorter")
	}
	begin := bytes.LastIndexByte(around[:here], '\n') + 1
	end := bytes.IndexByte(around[here:], '\n') + here
	if end < here {
		end = len(around)
	}
	if digest, seen, ok := entry(string(around[begin:end]), digits); ok {
		return digest, seen, base + int64(begin), base + int64(end) + 1, nil
	}
	return "", 0, 0, 0, fmt.Errorf("byte %d is not in a line HASH:COUNT of a SHA-1 in hex (a list of NTLM hashes will not do)", at)
}
