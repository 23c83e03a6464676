package secret

import (
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// MasterKeyFile is the name of the key that development makes for itself in its data directory.
const MasterKeyFile = "master.key"

// ErrMasterKey refuses text that is no master key. It never repeats the text.
var ErrMasterKey = errors.New("a master key is 32 random bytes or more, in base64 or hex; make one with: openssl rand -base64 32")

// ParseMasterKey reads a master key written in base64 (standard or URL alphabet) or hex.
// Keys of repeated or counted-up bytes, as examples have them, are refused.
func ParseMasterKey(text String) (*Box, error) {
	s := strings.TrimSpace(text.Reveal())
	raw, err := hex.DecodeString(s)
	if err != nil || len(raw) < 32 {
		raw, err = decode64(s)
	}
	if err != nil || len(raw) < 32 || sample(raw) {
		return nil, ErrMasterKey
	}
	return NewBox(raw)
}

func decode64(s string) ([]byte, error) {
	s = strings.NewReplacer("-", "+", "_", "/").Replace(strings.TrimRight(s, "="))
	return base64.RawStdEncoding.DecodeString(s)
}

// sample reports keys too regular to be random: 32 random bytes have fewer than 16
// different values about once in 10^18.
func sample(key []byte) bool {
	seen, steps := map[byte]bool{}, map[byte]bool{}
	for i, b := range key {
		seen[b] = true
		if i > 0 {
			steps[b-key[i-1]] = true
		}
	}
	return len(seen) < 16 || len(steps) < 8
}

// OwnMasterKey returns the master key kept in dir, for development. The first call makes
// it, mode 0600, in one step: two processes that start together end up with one key.
// A key that others on the machine may read is refused.
func OwnMasterKey(dir string) (*Box, error) {
	path := filepath.Join(dir, MasterKeyFile)
	box, err := readMasterKey(path)
	if !errors.Is(err, fs.ErrNotExist) {
		return box, err
	}
	if err := writeOnce(path, base64.StdEncoding.EncodeToString(Bytes(32))+"\n"); err != nil {
		return nil, fmt.Errorf("make the development master key: %w", err)
	}
	return readMasterKey(path)
}

func readMasterKey(path string) (*Box, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if info.Mode().Perm()&0o077 != 0 {
		return nil, fmt.Errorf("others may read %s; run: chmod 600 %s", path, path)
	}
	text, err := os.ReadFile(path) //nolint:gosec // the operator's own data directory
	if err != nil {
		return nil, err
	}
	box, err := ParseMasterKey(NewString(string(text)))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return box, nil
}

// writeOnce creates path with text, whole and on disk, unless it exists already.
func writeOnce(path, text string) (err error) {
	temp, err := os.CreateTemp(filepath.Dir(path), ".master-*") // mode 0600
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.Remove(temp.Name())) }()
	if _, err := temp.WriteString(text); err != nil {
		return errors.Join(err, temp.Close())
	}
	if err := errors.Join(temp.Sync(), temp.Close()); err != nil {
		return err
	}
	// A link, unlike a rename, never replaces the key of a process that was faster.
	if err := os.Link(temp.Name(), path); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return syncDir(filepath.Dir(path))
}

func syncDir(dir string) error {
	d, err := os.Open(dir) //nolint:gosec // the operator's own data directory
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
