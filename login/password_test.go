package login_test

import (
	"strings"
	"testing"

	"golang.org/x/crypto/bcrypt"

	"idp/event"
	"idp/identity"
	"idp/internal/problem"
	"idp/internal/secret"
	"idp/login"
)

func TestPasswordRules(t *testing.T) {
	plain := login.DefaultSettings().Rules
	long := login.PasswordRules{MinLength: 15}
	strict := login.PasswordRules{MinLength: 8, Special: true, Digit: true, MixedCase: true}
	for _, tt := range []struct {
		why      string
		rules    login.PasswordRules
		password string
		code     string
	}{
		{"a few words", plain, "correct horse battery", ""},
		{"any script", plain, "бабушкин самовар", ""},
		{"four emoji are four characters, not sixteen bytes", plain, "🦊🐙🌵🚀", "password_too_short"},
		{"eight composed letters", login.PasswordRules{MinLength: 8}, strings.Repeat("e\u0301", 8), ""},
		{"seven letters with their accents apart are still seven", login.PasswordRules{MinLength: 8}, strings.Repeat("e\u0301", 7), "password_too_short"},
		{"never shorter than eight, whatever is set", login.PasswordRules{MinLength: 1}, "xK9#qLm", "password_too_short"},
		{"fifteen where fifteen are asked", long, "fourteen chars", "password_too_short"},
		{"everybody's password", plain, "password123", "password_too_weak"},
		{"a keyboard walk", plain, "qwertyuiop", "password_too_weak"},
		{"one's own address", plain, "annabelle.smith", "password_too_weak"},
		{"no digit", strict, "Correct-horse-battery", "password_needs_digit"},
		{"no capital", strict, "correct-horse-1", "password_needs_mixed_case"},
		{"nothing special", strict, "CorrectHorse1", "password_needs_special"},
		{"all of it", strict, "Correct-horse-1", ""},
		{"bytes that are no characters", plain, "correct horse \xff battery", "password_unreadable"},
		{"1024 bytes", plain, strings.Repeat("correct horse ", 73) + "tw", ""},
		{"1025 bytes", plain, strings.Repeat("correct horse ", 73) + "two", "password_too_long"},
	} {
		err := tt.rules.Check(secret.NewString(tt.password), address("annabelle.smith@example.com"))
		if tt.code == "" && err != nil || tt.code != "" && !problem.HasCode(err, tt.code) {
			t.Errorf("%s: got %v, want %q", tt.why, err, tt.code)
		}
	}
}

func TestOnlyTheFirstHundredCharactersAreJudged(t *testing.T) { // a thousand would take seconds
	dull := strings.Repeat("a", 100)
	if got := login.Score(secret.NewString(dull+"quiet harbour lantern"), address("ann@example.com")); got != login.Score(secret.NewString(dull), address("ann@example.com")) {
		t.Errorf("what comes after the hundredth character raised the score to %d", got)
	}
	if got := login.Score(secret.NewString(dull[:50]+"quiet harbour lantern"), address("ann@example.com")); got != 4 {
		t.Errorf("what comes before was not seen: %d", got)
	}
}

func TestAForeignHashIsReplacedAtSignIn(t *testing.T) {
	each(t, func(h *house) {
		h.engine.Hasher = secret.NewHasher(1)
		ann := h.person("ann@example.com")
		old, err := bcrypt.GenerateFromPassword([]byte(rightPassword), 10)
		h.must(err)
		h.must(h.people.SaveFactor(h.Context(), identity.Factor{
			ID: "factor_old", UserID: ann, Method: identity.Password, Secret: secret.NewString(string(old)), CreatedAt: h.clock.Now(),
		}))
		stored := func() string {
			p, err := h.people.Person(h.Context(), ann)
			h.must(err)
			return p.Factors[0].Secret.Reveal()
		}
		b := h.browser().signIn().identify("ann@example.com")
		b.prove(identity.Password, wrongPassword).refused("password_wrong", login.NeedsFirstFactor)
		if stored() != string(old) {
			t.Fatal("a wrong password replaced the hash")
		}
		b.prove(identity.Password, rightPassword).want(login.Complete)
		mine := stored()
		if !strings.HasPrefix(mine, "$argon2id$") || len(h.recorded(event.PasswordUpgraded)) != 1 {
			t.Errorf("the hash is %q, and %d events tell of it", mine, len(h.recorded(event.PasswordUpgraded)))
		}
		h.browser().signIn().identify("ann@example.com").prove(identity.Password, rightPassword).want(login.Complete)
		if stored() != mine {
			t.Error("a hash of our own was replaced too")
		}
	})
}
