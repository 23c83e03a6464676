package partykeys

import (
	"context"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"slices"
	"strings"

	"github.com/go-jose/go-jose/v4"

	"idp/internal/secret"
)

// Signed is a JWT whose signature is the party's.
type Signed struct {
	Algorithm string
	KeyID     string // header kid, "" if absent
	Type      string // header typ, "" if absent
	Claims    json.RawMessage
}

var errNoFit = errors.New("no key of the client fits")

// Verify checks that raw, a compact JWS (RFC 7515), is signed by the owner with one of the
// algorithms. The claims are a JSON object without duplicate members; times and audience
// are the caller's to check. Anything else is ErrUnverified. An unknown kid makes the
// jwks_uri be fetched again, at most once a minute.
func (k *Keys) Verify(ctx context.Context, o Owner, raw string, algorithms []string) (Signed, error) {
	parsed, header, err := parse(raw, algorithms)
	if err != nil {
		return Signed{}, ErrUnverified.Because(err)
	}
	signed := Signed{Algorithm: header.Algorithm, KeyID: header.KeyID}
	signed.Type, _ = header.ExtraHeaders[jose.HeaderType].(string)
	if slices.Contains(HMACAlgorithms, header.Algorithm) {
		signed.Claims, err = trySecrets(parsed, o.Secrets)
	} else {
		signed.Claims, err = k.tryKeys(ctx, parsed, header, o)
	}
	if err == nil {
		err = plainObject(signed.Claims)
	}
	if err != nil {
		return Signed{}, ErrUnverified.Because(err)
	}
	return signed, nil
}

// parse reads a JWS whose algorithm is accepted. Header members that change what a
// signature means are refused (RFC 7515 §4.1.11, RFC 7797).
func parse(raw string, algorithms []string) (*jose.JSONWebSignature, jose.Header, error) {
	if len(raw) > MaxToken || strings.Count(raw, ".") != 2 {
		return nil, jose.Header{}, errors.New("not a compact JWS of at most 32 KiB")
	}
	var accepted []jose.SignatureAlgorithm
	for _, a := range algorithms {
		if slices.Contains(SigningAlgorithms, a) || slices.Contains(HMACAlgorithms, a) {
			accepted = append(accepted, jose.SignatureAlgorithm(a))
		}
	}
	if len(accepted) == 0 {
		return nil, jose.Header{}, errors.New("no algorithm is accepted")
	}
	parsed, err := jose.ParseSignedCompact(raw, accepted)
	if err != nil {
		return nil, jose.Header{}, err
	}
	if len(parsed.Signatures) != 1 {
		return nil, jose.Header{}, errors.New("not exactly one signature")
	}
	header := parsed.Signatures[0].Protected
	for _, name := range []jose.HeaderKey{"crit", "b64"} {
		if _, has := header.ExtraHeaders[name]; has {
			return nil, jose.Header{}, errors.New("the header " + string(name) + " is not understood")
		}
	}
	return parsed, header, nil
}

func trySecrets(parsed *jose.JSONWebSignature, secrets []secret.String) ([]byte, error) {
	for _, s := range secrets {
		if s.Empty() { // an empty key would let anybody sign
			continue
		}
		if claims, err := parsed.Verify([]byte(s.Reveal())); err == nil {
			return claims, nil
		}
	}
	return nil, errNoFit
}

func (k *Keys) tryKeys(ctx context.Context, parsed *jose.JSONWebSignature, header jose.Header, o Owner) ([]byte, error) {
	set, err := k.set(ctx, o)
	if err != nil {
		return nil, err
	}
	claims, tried := try(parsed, header, set)
	if claims != nil || o.URI == "" || header.KeyID != "" && tried > 0 {
		if claims == nil {
			return nil, errNoFit
		}
		return claims, nil
	}
	// Perhaps the client has a new key since.
	if set, err = k.again(ctx, o, set); err != nil {
		return nil, err
	}
	if claims, _ = try(parsed, header, set); claims == nil {
		return nil, errNoFit
	}
	return claims, nil
}

// try checks the signature with each key that may have made it, and counts them.
func try(parsed *jose.JSONWebSignature, header jose.Header, set *keySet) (claims []byte, tried int) {
	for _, key := range set.keys {
		if header.KeyID != "" && key.KeyID != header.KeyID || !mayVerify(key, header.Algorithm) {
			continue
		}
		if tried++; tried > maxTries {
			break
		}
		if claims, err := parsed.Verify(key.Key); err == nil {
			return claims, tried
		}
	}
	return nil, tried
}

// mayVerify reports whether the key is made for that algorithm and not for encryption. One
// that does not say what it is for is good (RFC 7517 §4.2).
func mayVerify(key jose.JSONWebKey, algorithm string) bool {
	if key.Use != "" && key.Use != "sig" || key.Algorithm != "" && key.Algorithm != algorithm {
		return false
	}
	switch k := key.Key.(type) {
	case *rsa.PublicKey:
		return strings.HasPrefix(algorithm, "RS") || strings.HasPrefix(algorithm, "PS")
	case *ecdsa.PublicKey:
		return curves[algorithm] == k.Curve
	case ed25519.PublicKey:
		return algorithm == "EdDSA"
	}
	return false
}

// curves are those the ECDSA algorithms are bound to (RFC 7518 §3.4).
var curves = map[string]elliptic.Curve{"ES256": elliptic.P256(), "ES384": elliptic.P384(), "ES512": elliptic.P521()}
