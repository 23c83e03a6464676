package secret_test

import (
	"encoding/base64"
	"encoding/hex"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"idp/internal/secret"
)

func TestDevelopmentMakesItsMasterKeyOnce(t *testing.T) {
	dir := t.TempDir()
	boxes := make([]*secret.Box, 16)
	var all sync.WaitGroup
	for i := range boxes {
		all.Go(func() {
			box, err := secret.OwnMasterKey(dir)
			if err != nil {
				t.Error(err)
			}
			boxes[i] = box
		})
	}
	all.Wait()
	sealed := boxes[0].Seal("here", []byte("text"))
	for _, box := range boxes {
		if plain, err := box.Open("here", sealed); err != nil || string(plain) != "text" {
			t.Fatal("processes that started together have different keys", err)
		}
	}
	path := filepath.Join(dir, secret.MasterKeyFile)
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("mode %v, %v", info.Mode(), err)
	}
	if left, _ := filepath.Glob(filepath.Join(dir, ".*")); len(left) != 0 {
		t.Fatalf("left behind: %v", left)
	}
	if err := os.Chmod(path, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := secret.OwnMasterKey(dir); err == nil || !strings.Contains(err.Error(), "chmod 600") {
		t.Fatalf("a key that all may read: %v", err)
	}
}

func TestDamagedMasterKeyIsRefusedNotReplaced(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, secret.MasterKeyFile)
	if err := os.WriteFile(path, []byte("cut off"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := secret.OwnMasterKey(dir); !errors.Is(err, secret.ErrMasterKey) {
		t.Fatal(err)
	}
	if text, _ := os.ReadFile(path); string(text) != "cut off" {
		t.Fatal("the operator's file was changed")
	}
}

func TestMasterKeysAreReadStrictly(t *testing.T) {
	random := secret.Bytes(32)
	counted := make([]byte, 32)
	for i := range counted {
		counted[i] = byte(i)
	}
	for _, c := range []struct {
		why, text string
		ok        bool
	}{
		{"base64", base64.StdEncoding.EncodeToString(random), true},
		{"base64 without padding, with a line end", base64.RawURLEncoding.EncodeToString(random) + "\n", true},
		{"hex", hex.EncodeToString(random), true},
		{"nothing", "", false},
		{"31 bytes", base64.StdEncoding.EncodeToString(random[:31]), false},
		{"zeros", base64.StdEncoding.EncodeToString(make([]byte, 32)), false},
		{"counted up", base64.StdEncoding.EncodeToString(counted), false},
		{"a sentence", "this is the master key of our instance", false},
	} {
		_, err := secret.ParseMasterKey(secret.NewString(c.text))
		if (err == nil) != c.ok {
			t.Errorf("%s: %v", c.why, err)
		}
		if err != nil && c.text != "" && strings.Contains(err.Error(), c.text) {
			t.Errorf("%s: the error repeats the key", c.why)
		}
	}
}
