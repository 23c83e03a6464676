package secret_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"idp/internal/secret"
)

func TestASecretNeverPrints(t *testing.T) {
	s := secret.NewString("hunter2")
	encoded, err := json.Marshal(map[string]any{"s": s})
	if err != nil {
		t.Fatal(err)
	}
	for _, shown := range []string{fmt.Sprint(s), fmt.Sprintf("%v %+v %#v %s %q", s, s, s, s, s), string(encoded), s.LogValue().String()} {
		if strings.Contains(shown, "hunter2") {
			t.Errorf("shown: %s", shown)
		}
	}
	if s.Reveal() != "hunter2" {
		t.Error("Reveal lost it")
	}
}

func TestASealedValueOpensOnlyInItsPlaceUnderItsKey(t *testing.T) {
	box, _ := secret.NewBox(secret.Bytes(32))
	other, _ := secret.NewBox(secret.Bytes(32))
	sealed := box.Seal("factors.secret:a", []byte("seed"))
	if plain, err := box.Open("factors.secret:a", sealed); err != nil || string(plain) != "seed" {
		t.Fatalf("%q, %v", plain, err)
	}
	if _, err := box.Open("factors.secret:b", sealed); !errors.Is(err, secret.ErrSealed) {
		t.Errorf("opens in another row: %v", err)
	}
	if _, err := other.Open("factors.secret:a", sealed); !errors.Is(err, secret.ErrSealed) {
		t.Errorf("opens under another key: %v", err)
	}
	for _, broken := range []string{"", "v1.", "v2." + sealed[3:], sealed[:len(sealed)-2], "v1.!!"} {
		if _, err := box.Open("factors.secret:a", broken); !errors.Is(err, secret.ErrSealed) {
			t.Errorf("%q opens: %v", broken, err)
		}
	}
}

func TestAShortMasterKeyIsRefused(t *testing.T) {
	if _, err := secret.NewBox(secret.Bytes(31)); err == nil {
		t.Error("31 bytes accepted")
	}
}

func TestIdsSortByTimeAndNeverRepeat(t *testing.T) {
	var ids []string
	seen := map[string]bool{}
	for range 20_000 {
		id := secret.NewID("user")
		if len(id) != 27 || seen[id] {
			t.Fatalf("%q", id)
		}
		seen[id] = true
		ids = append(ids, id)
	}
	if !slices.IsSorted(ids) {
		t.Error("not in order")
	}
}

func TestTokensAre256Bits(t *testing.T) {
	if got := len(secret.Token("x_").Reveal()); got != 2+43 {
		t.Errorf("%d characters", got)
	}
}
