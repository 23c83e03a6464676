package breach_test

import (
	"crypto/sha1"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"idp/internal/breach"
	"idp/internal/secret"
)

func sha(password string) string {
	return fmt.Sprintf("%X", sha1.Sum([]byte(password)))
}

func write(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "pwned.txt")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func open(t *testing.T, text string) *breach.List {
	t.Helper()
	l, err := breach.File(write(t, text))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	})
	return l
}

func wantKnown(t *testing.T, l *breach.List, password string, want bool) {
	t.Helper()
	got, err := l.Breached(t.Context(), secret.NewString(password))
	if err != nil || got != want {
		t.Errorf("%q: %v, %v, want %v", password, got, err, want)
	}
}

func TestEveryHashInTheFileIsFoundAndNoOther(t *testing.T) {
	var lines []string
	for i := range 999 {
		// Counts of one to nineteen digits, so that lines differ in length.
		lines = append(lines, sha(fmt.Sprint("known ", i))+":"+("9223372036854775807")[:1+i%19])
	}
	slices.Sort(lines)
	for name, text := range map[string]string{
		"LF at the end": strings.Join(lines, "\n") + "\n", "none at the end": strings.Join(lines, "\n"),
		"CRLF": strings.Join(lines, "\r\n") + "\r\n", "CRLF, none at the end": strings.Join(lines, "\r\n"),
		"small letters": strings.ToLower(strings.Join(lines, "\n")),
	} {
		t.Run(name, func(t *testing.T) {
			l := open(t, text)
			for i := range 999 { // the first and the last of the file are among them
				wantKnown(t, l, fmt.Sprint("known ", i), true)
				wantKnown(t, l, fmt.Sprint("fine ", i), false)
			}
			if fine, breached, unknown := l.Counts(); fine != 999 || breached != 999 || unknown != 0 {
				t.Errorf("counted %d, %d, %d", fine, breached, unknown)
			}
		})
	}
}

func TestSmallFilesAreSearchedToo(t *testing.T) {
	low, high := strings.Repeat("0", 40)+":3", strings.Repeat("F", 40)+":3"
	wantKnown(t, open(t, sha("alone")+":1"), "alone", true)
	wantKnown(t, open(t, low), "alone", false)
	wantKnown(t, open(t, high+"\n"), "alone", false)
	wantKnown(t, open(t, low+"\n"+sha("alone")+":1\n"+high+"\n"), "alone", true)
	wantKnown(t, open(t, sha("alone")+":0\n"), "alone", false) // seen never
	wantKnown(t, open(t, sha("caf\u00e9 noir")+":7\n"), "cafe\u0301 noir", true)
}

func TestAFileThatIsNoListIsRefusedWithTheReason(t *testing.T) {
	two := []string{sha("one") + ":1", sha("two") + ":1"}
	slices.Sort(two)
	for want, text := range map[string]string{
		"is empty":            "",
		"is not sorted":       two[1] + "\n" + two[0] + "\n",
		"NTLM hashes":         strings.Repeat("0", 32) + ":1\n",
		"byte 0 is not":       "<html>\n",
		"is not in a line":    two[0] + "\n\n",
		"in a line HASH:COUN": strings.Repeat("0", 40) + "\n",
	} {
		if _, err := breach.File(write(t, text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.20q: %v, want %q", text, err, want)
		}
	}
	if _, err := breach.File(t.TempDir()); err == nil || !strings.Contains(err.Error(), "is not a file") {
		t.Errorf("a directory: %v", err)
	}
	if _, err := breach.File(filepath.Join(t.TempDir(), "none")); err == nil || !os.IsNotExist(err) {
		t.Errorf("no file: %v", err)
	}
}

func TestAFileThatShrinksWhileItIsReadIsAnErrorAndNoAnswer(t *testing.T) {
	path := write(t, sha("alone")+":1\n")
	l, err := breach.File(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(path, 0); err != nil {
		t.Fatal(err)
	}
	if _, err := l.Breached(t.Context(), secret.NewString("alone")); err == nil {
		t.Error("an answer came from nothing")
	}
	if _, _, unknown := l.Counts(); unknown != 1 {
		t.Errorf("%d unknown", unknown)
	}
	if err := l.Close(); err != nil {
		t.Error(err)
	}
}
