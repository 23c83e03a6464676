package idp

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/json"
	"math/big"
	"slices"
)

// key is a public key of the issuer. The key, not the token, decides how it is checked: what
// claims another algorithm, or none, is refused before anything is computed.
type key struct {
	algorithm string // ES256, RS256 or EdDSA (RFC 7518 §3.1, RFC 8037 §3.1)
	verify    func(signed string, signature []byte) bool
}

// readKeys reads a JSON Web Key Set (RFC 7517 §5). Keys that are for something else, or that are
// not understood, are left out, as §5 says; private and symmetric ones are too.
func readKeys(document []byte) (map[string]key, error) {
	var set struct {
		Keys []json.RawMessage `json:"keys"`
	}
	if err := json.Unmarshal(document, &set); err != nil {
		return nil, err
	}
	found := map[string]key{}
	twice := map[string]bool{}
	for _, raw := range set.Keys {
		id, k, ok := readKey(raw)
		if !ok {
			continue
		}
		if _, there := found[id]; there {
			twice[id] = true
		}
		found[id] = k
	}
	for id := range twice { // which of them would be meant?
		delete(found, id)
	}
	return found, nil
}

func readKey(raw []byte) (id string, k key, ok bool) {
	members, err := object(raw)
	if err != nil {
		return "", key{}, false
	}
	if _, private := members["d"]; private {
		return "", key{}, false
	}
	text := func(name string) string {
		var s string
		if json.Unmarshal(members[name], &s) != nil {
			return ""
		}
		return s
	}
	number := func(name string) []byte {
		b, err := decode(text(name))
		if err != nil {
			return nil
		}
		return b
	}
	id = text("kid")
	if use := text("use"); id == "" || use != "" && use != "sig" {
		return "", key{}, false
	}
	if _, limited := members["key_ops"]; limited {
		var operations []string
		if json.Unmarshal(members["key_ops"], &operations) != nil || !slices.Contains(operations, "verify") {
			return "", key{}, false
		}
	}
	switch text("kty") {
	case "EC":
		k, ok = ecKey(text("crv"), number("x"), number("y"))
	case "RSA":
		k, ok = rsaKey(number("n"), number("e"))
	case "OKP":
		k, ok = edKey(text("crv"), number("x"))
	}
	if alg := text("alg"); alg != "" && alg != k.algorithm {
		return "", key{}, false
	}
	return id, k, ok
}

func ecKey(curve string, x, y []byte) (key, bool) {
	if curve != "P-256" || len(x) != 32 || len(y) != 32 {
		return key{}, false
	}
	public, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), slices.Concat([]byte{4}, x, y))
	if err != nil {
		return key{}, false
	}
	return key{"ES256", func(signed string, signature []byte) bool {
		if len(signature) != 64 {
			return false
		}
		sum := sha256.Sum256([]byte(signed))
		r, s := new(big.Int).SetBytes(signature[:32]), new(big.Int).SetBytes(signature[32:])
		return ecdsa.Verify(public, sum[:], r, s)
	}}, true
}

func rsaKey(n, e []byte) (key, bool) {
	public := &rsa.PublicKey{N: new(big.Int).SetBytes(n)}
	exponent := new(big.Int).SetBytes(e)
	if bits := public.N.BitLen(); bits < 2048 || bits > 8192 || !exponent.IsInt64() || exponent.Int64() < 3 || exponent.Int64() > 1<<31-1 || exponent.Bit(0) == 0 {
		return key{}, false
	}
	public.E = int(exponent.Int64())
	return key{"RS256", func(signed string, signature []byte) bool {
		sum := sha256.Sum256([]byte(signed))
		return rsa.VerifyPKCS1v15(public, crypto.SHA256, sum[:], signature) == nil
	}}, true
}

func edKey(curve string, x []byte) (key, bool) {
	if curve != "Ed25519" || len(x) != ed25519.PublicKeySize {
		return key{}, false
	}
	return key{"EdDSA", func(signed string, signature []byte) bool {
		return ed25519.Verify(x, []byte(signed), signature)
	}}, true
}
