package token_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"idp/internal/problem"
	"idp/storage"
	"idp/token"
)

func TestEveryAlgorithmThatIsOfferedSignsAndVerifies(t *testing.T) {
	each(t, func(t *testing.T, k ring) {
		for _, alg := range token.SigningAlgorithms {
			must(t, k.Offer(t.Context(), alg))
			must(t, k.Offer(t.Context(), alg)) // again is fine
			raw := k.sign(token.OIDC, alg)
			v, err := k.Verify(t.Context(), token.OIDC, raw)
			if err != nil || v.Algorithm != alg || v.KeyID != kidOf(t, raw) || !k.published()[v.KeyID] {
				t.Errorf("%s: %+v %v", alg, v, err)
			}
			// Another library reads it with the published key alone.
			text, _ := k.JWKS()
			var set jose.JSONWebKeySet
			must(t, json.Unmarshal(text, &set))
			parsed, err := jose.ParseSignedCompact(raw, []jose.SignatureAlgorithm{jose.SignatureAlgorithm(alg)})
			must(t, err)
			if _, err := parsed.Verify(set.Key(v.KeyID)[0]); err != nil {
				t.Errorf("%s: the published key does not verify: %v", alg, err)
			}
		}
		if n := len(k.published()); n != len(token.SigningAlgorithms)+3 {
			t.Errorf("%d keys, want one for each algorithm, the session's, and two to encrypt to", n)
		}
		for _, alg := range []string{"none", "HS256", "", "RSA-OAEP-256", "ES256K"} {
			if err := k.Offer(t.Context(), alg); !problem.Is(err, problem.Invalid) {
				t.Errorf("%q is offered: %v", alg, err)
			}
			if _, err := k.Sign(t.Context(), token.OIDC, alg, "JWT", 1); err == nil {
				t.Errorf("%q signs", alg)
			}
		}
	})
}

func TestAnAlgorithmThatAnotherProcessOfferedIsKnownAtOnce(t *testing.T) {
	each(t, func(t *testing.T, k ring) {
		other := newRing(t, k.db, k.clock)
		must(t, other.Ensure(t.Context()))
		must(t, k.Offer(t.Context(), "ES384"))
		raw := other.sign(token.OIDC, "ES384")
		if !k.verifies(raw) {
			t.Fatal("the two sign with different keys")
		}
		errs := make(chan error, 2)
		for _, one := range []ring{k, other} {
			go func() { errs <- one.Offer(t.Context(), "EdDSA") }()
		}
		must(t, <-errs)
		must(t, <-errs)
		if !k.verifies(other.sign(token.OIDC, "EdDSA")) {
			t.Fatal("two who offer at once make two keys")
		}
	})
}

func TestADatabaseOfBeforeGetsTheKeysItLacks(t *testing.T) {
	each(t, func(t *testing.T, k ring) {
		for _, key := range k.Keys() {
			if key.Purpose == token.Encryption {
				key.State = token.Retired
				must(t, storage.NewKeys(k.db).MoveKey(t.Context(), key, token.Current))
			}
		}
		again := newRing(t, k.db, k.clock)
		must(t, again.Ensure(t.Context()))
		if len(again.published()) != 5 || !again.verifies(k.sign(token.OIDC, "RS256")) {
			t.Fatalf("%d keys", len(again.published()))
		}
	})
}

func TestAlgorithmsThatWereAskedForRotateLikeTheRest(t *testing.T) {
	each(t, func(t *testing.T, k ring) {
		ctx := t.Context()
		must(t, k.Offer(ctx, "EdDSA"))
		first := k.sign(token.OIDC, "EdDSA")
		must(t, k.Rotate(ctx, token.OIDC, true, "operator:cli"))
		second := k.sign(token.OIDC, "EdDSA")
		if kidOf(t, first) == kidOf(t, second) || !k.verifies(first) {
			t.Fatal("rotating leaves it out")
		}
		for range 91 {
			k.clock.Add(24 * time.Hour)
			must(t, k.Advance(ctx))
		}
		if kidOf(t, k.sign(token.OIDC, "EdDSA")) == kidOf(t, second) || k.verifies(first) {
			t.Fatal("it does not rotate by itself")
		}
		must(t, k.Retire(ctx, kidOf(t, k.sign(token.OIDC, "EdDSA")), "operator:cli"))
		if !k.verifies(k.sign(token.OIDC, "EdDSA")) {
			t.Fatal("retiring it leaves nothing to sign with")
		}
	})
}

func TestTheKeySetBeginsWithWhatMostRelyingPartiesNeed(t *testing.T) {
	each(t, func(t *testing.T, k ring) {
		for _, alg := range []string{"PS256", "EdDSA"} {
			must(t, k.Offer(t.Context(), alg))
		}
		must(t, k.Rotate(t.Context(), token.OIDC, false, "operator:cli"))
		text, etag := k.JWKS()
		var set struct {
			Keys []struct{ Kid, Use, Alg, Kty string }
		}
		must(t, json.Unmarshal(text, &set))
		var order []string
		for _, key := range set.Keys {
			order = append(order, strings.TrimSpace(key.Use+" "+key.Alg))
		}
		want := []string{"sig RS256", "sig RS256", "sig PS256", "sig PS256", "sig ES256", "sig ES256", "sig EdDSA", "sig EdDSA", "sig ES256", "enc", "enc"}
		if !slices.Equal(order, want) || set.Keys[0].Kid != kidOf(t, k.sign(token.OIDC, "RS256")) {
			t.Fatalf("order %q", order)
		}
		must(t, k.Reload(t.Context()))
		if again, tag := k.JWKS(); string(again) != string(text) || tag != etag {
			t.Fatal("the order changes by itself")
		}
	})
}
