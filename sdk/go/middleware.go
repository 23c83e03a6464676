package idp

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
)

// CookieName returns the cookie in which a browser app on https leaves its token of that issuer
// for its own server. No other host of the site can set it, and no other issuer has it.
func CookieName(issuer string) string { return "__Host-" + PlainCookieName(issuer) }

// PlainCookieName returns the same for an app on http, whose cookies have no such prefix. It is
// taken only if one of the Origins is http.
func PlainCookieName(issuer string) string {
	sum := sha256.Sum256([]byte(issuer))
	return "idp_token_" + hex.EncodeToString(sum[:4])
}

type contextKey struct{}

// FromContext returns who is asking, behind Require or Optional.
func FromContext(ctx context.Context) (Claims, bool) {
	c, ok := ctx.Value(contextKey{}).(Claims)
	return c, ok
}

// Require lets only those through who bring a good token: as Authorization: Bearer, or in the
// cookie of a browser app. Others get 401 with a challenge (RFC 6750 §3), an unsafe request that
// another site makes with the cookie gets 403, and everybody gets 503 while the issuer's keys
// cannot be had.
func (v *Verifier) Require(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		claims, err := v.Request(r)
		if err != nil {
			deny(w, err)
			return
		}
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), contextKey{}, claims)))
	})
}

// Optional lets everybody through; FromContext tells who it is, if they bring a good token.
func (v *Verifier) Optional(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if claims, err := v.Request(r); err == nil {
			r = r.WithContext(context.WithValue(r.Context(), contextKey{}, claims))
		}
		next.ServeHTTP(w, r)
	})
}

// What a request may lack. Both are an ErrInvalid too.
var (
	ErrNoToken     = refused("the request brings none")
	ErrCrossOrigin = refused("another site made the request with the cookie")
)

// Request verifies the token that a request brings.
func (v *Verifier) Request(r *http.Request) (Claims, error) {
	token, bearer, err := bearerToken(r)
	if err != nil {
		return Claims{}, err
	}
	if !bearer {
		if token = v.cookieToken(r); token == "" {
			return Claims{}, ErrNoToken
		}
		// A browser sends a cookie along whoever makes it ask.
		if v.crossOrigin.Check(r) != nil {
			return Claims{}, ErrCrossOrigin
		}
	}
	return v.Verify(r.Context(), token)
}

// bearerToken reads the header (RFC 6750 §2.1). Another scheme is somebody else's business.
func bearerToken(r *http.Request) (token string, bearer bool, err error) {
	all := r.Header.Values("Authorization")
	for _, one := range all {
		scheme, value, _ := strings.Cut(one, " ")
		if !strings.EqualFold(scheme, "Bearer") {
			continue
		}
		if len(all) > 1 {
			return "", true, refused("the request authorizes itself twice")
		}
		return strings.TrimLeft(value, " "), true, nil
	}
	return "", false, nil
}

// cookieToken returns the token in the issuer's cookie; those of others are not looked at. Of two with one name, one was planted, so neither counts.
func (v *Verifier) cookieToken(r *http.Request) string {
	for _, name := range v.cookies {
		switch found := r.CookiesNamed(name); len(found) {
		case 0:
		case 1:
			return found[0].Value
		default:
			return ""
		}
	}
	return ""
}

// deny answers as RFC 6750 §3.1 says, with a problem (RFC 9457) as the body.
func deny(w http.ResponseWriter, err error) {
	status, code, detail := http.StatusUnauthorized, "token_invalid", "The token is not valid."
	challenge := `Bearer error="invalid_token", error_description="The token is not valid."`
	switch {
	case errors.Is(err, ErrKeys):
		status, code, detail, challenge = http.StatusServiceUnavailable, "keys_unavailable", "Tokens cannot be checked at the moment.", ""
		w.Header().Set("Retry-After", "10")
	case errors.Is(err, ErrNoToken):
		code, detail, challenge = "token_missing", "A token is needed.", "Bearer"
	case errors.Is(err, ErrCrossOrigin):
		status, code, detail, challenge = http.StatusForbidden, "cross_origin", "Another site made this request.", ""
	case errors.Is(err, ErrExpired):
		code, detail = "token_expired", "The token has expired."
		challenge = `Bearer error="invalid_token", error_description="The token has expired."`
	}
	if challenge != "" {
		w.Header().Set("WWW-Authenticate", challenge)
	}
	w.Header().Set("Content-Type", "application/problem+json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]any{"status": status, "title": http.StatusText(status), "code": code, "detail": detail})
}
