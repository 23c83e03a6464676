package secret_test

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/crypto/bcrypt"

	"idp/internal/problem"
	"idp/internal/secret"
)

func TestHashedPasswordVerifiesAndNoOtherDoes(t *testing.T) {
	h := secret.NewHasher(2)
	hash, err := h.Hash(t.Context(), secret.NewString("correct horse battery"))
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(hash.Reveal(), "$argon2id$v=19$m=19456,t=2,p=1$") {
		t.Fatalf("hash is spelled %q", hash.Reveal())
	}
	again, err := h.Hash(t.Context(), secret.NewString("correct horse battery"))
	if err != nil || again == hash {
		t.Fatalf("two hashes of one password are alike (%v)", err)
	}
	for password, want := range map[string]bool{
		"correct horse battery": true, "correct horse batterY": false, "correct horse": false, "": false,
		strings.Repeat("x", 2000): false, strings.Repeat("x", 1<<20): false,
	} {
		ok, upgrade, err := h.Verify(t.Context(), secret.NewString(password), hash)
		if err != nil || ok != want || upgrade {
			t.Errorf("verify %.20q: %v, upgrade %v, %v", password, ok, upgrade, err)
		}
	}
}

func TestPasswordIsOneHoweverItsAccentsAreTyped(t *testing.T) {
	h := secret.NewHasher(1)
	hash, err := h.Hash(t.Context(), secret.NewString("cafe\u0301 au lait"))
	if err != nil {
		t.Fatal(err)
	}
	if ok, _, err := h.Verify(t.Context(), secret.NewString("caf\u00e9 au lait"), hash); !ok || err != nil {
		t.Fatal("composed and decomposed spellings differ", err)
	}
}

func TestPasswordsAreNeverCutOff(t *testing.T) {
	h := secret.NewHasher(1)
	same := strings.Repeat("a", 1023)
	hash, err := h.Hash(t.Context(), secret.NewString(same+"b"))
	if err != nil {
		t.Fatal(err)
	}
	if ok, _, _ := h.Verify(t.Context(), secret.NewString(same+"c"), hash); ok {
		t.Fatal("the last byte of 1024 does not count")
	}
	for _, long := range []int{1025, 5000, 1 << 20} {
		typed := secret.NewString(strings.Repeat("a", long))
		var took time.Duration
		for range 5 {
			took = quickest(took, func() { _, err = h.Hash(t.Context(), typed) })
		}
		if !problem.HasCode(err, "password_too_long") {
			t.Errorf("%d bytes: %v", long, err)
		}
		if took > 50*time.Millisecond {
			t.Errorf("refusing %d bytes took %v", long, took)
		}
	}
}

// The vectors are published by the formats' own documents: RFC 6070 and RFC 7914, the
// argon2 reference implementation's tests, OpenBSD's bcrypt vectors as jBCrypt prints them,
// passlib's manual, and the README of Firebase's scrypt.
func TestForeignHashesVerifyAndAskForUpgrade(t *testing.T) {
	firebaseSigner := "jxspr8Ki0RYycVU8zykbdLGjFQ3McFUH0uiiTvC8pVMXAn210wjLNmdZJzxUECKbm0QsEmYUSDzZvpjeJ9WmXA=="
	for _, c := range []struct{ why, password, hash string }{
		{"bcrypt 2a", "abc", "$2a$10$WvvTPHKwdBJ3uk0Z37EMR.hLA2W6N9AEBhEgrAOljy2Ae5MtaSIUi"},
		{"bcrypt 2b", "abc", "$2b$10$WvvTPHKwdBJ3uk0Z37EMR.hLA2W6N9AEBhEgrAOljy2Ae5MtaSIUi"},
		{"bcrypt 2y", "abc", "$2y$10$WvvTPHKwdBJ3uk0Z37EMR.hLA2W6N9AEBhEgrAOljy2Ae5MtaSIUi"},
		{"argon2id", "password", "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc"},
		{"argon2i", "password", "$argon2i$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$wWKIMhR9lyDFvRz9YTZweHKfbftvj+qf+YFY4NeBbtA"},
		{"scrypt", "pleaselet" + "mein", "$scrypt$ln=14,r=8,p=1$" + raw64("SodiumChloride") + "$" + hex64(t,
			"7023bdcb3afd7348461c06cd81fd38ebfda8fbba904f8e3ea9b543f6545da1f2d5432955613f0fcf62d49705242a9af9e61e85dc0d651e40dfcf017b45575887")},
		{"Firebase", "user1password", "$fbscrypt$v=1,n=14,r=8,p=1,ss=Bw==,sk=" + firebaseSigner +
			"$42xEC+ixf3L2lw==$lSrfV15cpx95/sZS2W9c9Kp6i/LVgQNDNC/qzrCnh1SAyZvqmZqAjTdn3aoItz+VHjoZilo78198JAdRuid5lQ=="},
		{"PBKDF2-SHA-1", "passwordPASSWORDpassword", "$pbkdf2-sha1$i=4096,l=25$" + raw64("saltSALTsaltSALTsaltSALTsaltSALTsalt") + "$" +
			hex64(t, "3d2eec4fe41c849b80c8d83662c0e44a8b291a964cf2f07038")},
		{"passlib", "password", "$pbkdf2-sha256$1212$4vjV83LKPjQzk31VI4E0Vw$hsYF68OiOUPdDZ1Fg.fJPeq1h/gXXY7acBp9/6c.tmQ"},
		{"passlib's SHA-1", "passwordPASSWORDpassword", "$pbkdf2$4096$" + raw64("saltSALTsaltSALTsaltSALTsaltSALTsalt") + "$" +
			hex64(t, "3d2eec4fe41c849b80c8d83662c0e44a8b291a964cf2f07038")},
		{"Django", "lètmein", "pbkdf2_sha256$1000000$seasalt$r1uLUxoxpP2Ued/qxvmje7UH9PUJBkRrvf9gGPL7Cps="},
	} {
		t.Run(c.why, func(t *testing.T) {
			h := secret.NewHasher(1)
			hash := secret.NewString(c.hash)
			if err := secret.CheckImported(hash); err != nil {
				t.Fatal(err)
			}
			if ok, upgrade, err := h.Verify(t.Context(), secret.NewString(c.password), hash); !ok || !upgrade || err != nil {
				t.Errorf("right password: %v, upgrade %v, %v", ok, upgrade, err)
			}
			if ok, upgrade, err := h.Verify(t.Context(), secret.NewString(c.password+"x"), hash); ok || upgrade || err != nil {
				t.Errorf("wrong password: %v, upgrade %v, %v", ok, upgrade, err)
			}
		})
	}
}

func TestBcryptNeverMatchesBeyondItsReach(t *testing.T) {
	made, err := bcrypt.GenerateFromPassword([]byte(strings.Repeat("a", 72)), 10)
	if err != nil {
		t.Fatal(err)
	}
	h := secret.NewHasher(1)
	for length, want := range map[int]bool{71: false, 72: true, 73: false} {
		ok, _, err := h.Verify(t.Context(), secret.NewString(strings.Repeat("a", length)), secret.NewString(string(made)))
		if err != nil || ok != want {
			t.Errorf("a password of %d bytes: %v, %v", length, ok, err)
		}
	}
}

func TestImportedHashesAreBounded(t *testing.T) {
	salt, sum := raw64("saltsaltsaltsalt"), raw64(strings.Repeat("h", 32))
	for _, c := range []struct{ why, hash, code string }{
		{"nothing", "", "password_hash_unknown"},
		{"plain text", "letmein", "password_hash_unknown"},
		{"DES crypt", "rl.3StKT.4T8M", "password_hash_unknown"},
		{"MD5 crypt", "$1$abcdefgh$irWbblnpmw.5z7wgBnprh0", "password_hash_unknown"},
		{"the broken bcrypt", "$2x$10$WvvTPHKwdBJ3uk0Z37EMR.hLA2W6N9AEBhEgrAOljy2Ae5MtaSIUi", "password_hash_unknown"},
		{"short bcrypt", "$2b$10$WvvTPHKwdBJ3uk0Z37EMR.", "password_hash_unknown"},
		{"bcrypt too dear", "$2b$31$WvvTPHKwdBJ3uk0Z37EMR.hLA2W6N9AEBhEgrAOljy2Ae5MtaSIUi", "password_hash_cost"},
		{"bcrypt too cheap", "$2b$04$WvvTPHKwdBJ3uk0Z37EMR.hLA2W6N9AEBhEgrAOljy2Ae5MtaSIUi", "password_hash_cost"},
		{"argon2 of 4 GiB", "$argon2id$v=19$m=4194304,t=1,p=1$" + salt + "$" + sum, "password_hash_cost"},
		{"argon2 of many passes", "$argon2id$v=19$m=65536,t=100,p=1$" + salt + "$" + sum, "password_hash_cost"},
		{"argon2 of overflowing cost", "$argon2id$v=19$m=131072,t=999999999,p=1$" + salt + "$" + sum, "password_hash_cost"},
		{"argon2 of 200 lanes", "$argon2id$v=19$m=65536,t=1,p=200$" + salt + "$" + sum, "password_hash_cost"},
		{"argon2d", "$argon2d$v=19$m=65536,t=1,p=1$" + salt + "$" + sum, "password_hash_unknown"},
		{"argon2 with no digest", "$argon2id$v=19$m=65536,t=1,p=1$" + salt + "$", "password_hash_unknown"},
		{"argon2 without salt", "$argon2id$v=19$m=65536,t=1,p=1$$" + sum, "password_hash_unknown"},
		{"a parameter twice", "$argon2id$v=19$m=65536,t=1,p=1,p=2$" + salt + "$" + sum, "password_hash_unknown"},
		{"scrypt of 16 GiB", "$scrypt$ln=24,r=8,p=1$" + salt + "$" + sum, "password_hash_cost"},
		{"scrypt of many lanes", "$scrypt$ln=14,r=8,p=1000$" + salt + "$" + sum, "password_hash_cost"},
		{"scrypt of a shift out of range", "$scrypt$ln=64,r=8,p=1$" + salt + "$" + sum, "password_hash_cost"},
		{"Firebase without signer", "$fbscrypt$v=1,n=14,r=8,p=1,ss=Bw==,sk=$" + salt + "$" + sum, "password_hash_unknown"},
		{"PBKDF2 of a billion rounds", "$pbkdf2-sha256$i=999999999$" + salt + "$" + sum, "password_hash_cost"},
		{"PBKDF2 of one round", "$pbkdf2-sha256$1$" + salt + "$" + sum, "password_hash_cost"},
		{"Django with empty digest", "pbkdf2_sha256$260000$saltsalt$", "password_hash_unknown"},
		{"a megabyte", "$2b$10$" + strings.Repeat("a", 1<<20), "password_hash_unknown"},
	} {
		hash := secret.NewString(c.hash)
		if err := secret.CheckImported(hash); !problem.HasCode(err, c.code) {
			t.Errorf("%s: %v, want %s", c.why, err, c.code)
		}
		var took time.Duration
		for range 5 {
			took = quickest(took, func() {
				if _, _, err := secret.NewHasher(1).Verify(t.Context(), secret.NewString("x"), hash); err == nil {
					t.Errorf("%s: Verify took it", c.why)
				}
			})
		}
		if took > 50*time.Millisecond {
			t.Errorf("%s: refusing took %v", c.why, took)
		}
	}
}

func TestWasteCostsWhatVerifyCosts(t *testing.T) {
	h := secret.NewHasher(1)
	hash, err := h.Hash(t.Context(), secret.NewString("a password"))
	if err != nil {
		t.Fatal(err)
	}
	var verify, waste, long time.Duration
	for range 7 { // the best of several, because other work shares the machine
		verify = quickest(verify, func() { _, _, _ = h.Verify(t.Context(), secret.NewString("another"), hash) })
		waste = quickest(waste, func() { _ = h.Waste(t.Context()) })
		long = quickest(long, func() { _, _, _ = h.Verify(t.Context(), secret.NewString(strings.Repeat("a", 2000)), hash) })
	}
	for name, d := range map[string]time.Duration{"waste": waste, "over-long": long} {
		if d < verify/4 || d > verify*4 {
			t.Errorf("%s takes %v, a wrong password %v", name, d, verify)
		}
	}
}

func quickest(best time.Duration, do func()) time.Duration {
	began := time.Now()
	do()
	if d := time.Since(began); best == 0 || d < best {
		return d
	}
	return best
}

func TestFloodOfPasswordsIsTurnedAway(t *testing.T) {
	h := secret.NewHasher(1)
	var busy, done int
	var mu sync.Mutex
	var all sync.WaitGroup
	gate := make(chan struct{})
	for range 150 {
		all.Go(func() {
			<-gate
			err := h.Waste(context.Background())
			mu.Lock()
			defer mu.Unlock()
			var p *problem.Error
			switch {
			case err == nil:
				done++
			case errors.As(err, &p) && p.Kind == problem.Unavailable && p.Retry > 0:
				busy++
			default:
				t.Error(err)
			}
		})
	}
	close(gate)
	all.Wait()
	// One runs, 64 wait, and however fast they are, not all of the rest find room at once.
	if done == 0 || busy == 0 || done+busy != 150 {
		t.Fatalf("%d done, %d turned away", done, busy)
	}
	if err := h.Waste(t.Context()); err != nil {
		t.Fatalf("after the flood: %v", err)
	}
}

func TestWaitingForASlotEndsAfterTwoSeconds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pass := secret.Gate(1)
		hold := make(chan struct{})
		go func() { _ = pass(t.Context(), func() { <-hold }) }()
		synctest.Wait()
		began := time.Now()
		err := pass(t.Context(), func() { t.Error("ran without a slot") })
		if !problem.HasCode(err, "busy") || time.Since(began) != 2*time.Second {
			t.Errorf("after %v: %v", time.Since(began), err)
		}
		gone, leave := context.WithCancel(t.Context())
		leave()
		if err := pass(gone, func() {}); !errors.Is(err, context.Canceled) {
			t.Errorf("a caller who left: %v", err)
		}
		close(hold)
	})
}

// FuzzHash: whatever an import file holds, reading it neither panics nor costs.
func FuzzHash(f *testing.F) {
	for _, seed := range []string{
		"$2b$10$WvvTPHKwdBJ3uk0Z37EMR.hLA2W6N9AEBhEgrAOljy2Ae5MtaSIUi", "$argon2id$v=19$m=64,t=1,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
		"$scrypt$ln=14,r=8,p=1$c2FsdHNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc", "pbkdf2_sha256$1000$seasalt$r1uLUxoxpP2Ued/qxvmje7UH9PUJBkRrvf9gGPL7Cps=",
		"$pbkdf2-sha512$i=1000,l=32$c2FsdHNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc", "$fbscrypt$v=1,n=14,r=8,p=1,ss=Bw==,sk=AAAA$AAAA$AAAA",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		err := secret.CheckImported(secret.NewString(s))
		if err != nil && !problem.Is(err, problem.Invalid) {
			t.Fatalf("%q: %v", s, err)
		}
		if err == nil && len(s) > 1024 {
			t.Fatal("took an endless hash")
		}
	})
}

func raw64(s string) string { return base64.RawStdEncoding.EncodeToString([]byte(s)) }

func hex64(t *testing.T, s string) string {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return base64.RawStdEncoding.EncodeToString(b)
}
