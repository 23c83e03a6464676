package provider

import (
	"crypto/sha256"
	"encoding/base64"
	"net/url"
	"regexp"
	"time"

	"idp/event"
	"idp/internal/secret"
)

// ruling is what our rules say of a code or refresh token.
type ruling int

const (
	pass   ruling = iota // exchange it
	again                // a refresh token answered a moment ago: give the same answer
	reject               // refuse, and nothing else
	burn                 // refuse, and end the authorization
)

// judged is a ruling with what it is recorded as.
type judged struct {
	ruling ruling
	hint   string     // for the relying party
	why    Why        // of burn
	kind   event.Kind // of burn
}

const (
	echo  = 500 * time.Millisecond // a code coming twice so soon is one request sent twice
	grace = 10 * time.Second       // how long a client may not have noticed its new refresh token
)

func rejected(hint string) judged { return judged{ruling: reject, hint: hint} }

// judgeCode decides about a code that s belongs to, presented by c with that form.
func judgeCode(s Standing, c Client, form url.Values, now time.Time) judged {
	switch {
	case s.Client != c.ID:
		return rejected("The code was issued to another client.")
	case !s.RedeemedAt.IsZero() && now.Sub(s.RedeemedAt) <= echo:
		return rejected("The code was used already.")
	case !s.RedeemedAt.IsZero():
		return judged{burn, "The code was used already.", CodeReused, event.CodeReused}
	case !s.EndedAt.IsZero():
		return rejected("The code is not valid any more.")
	case !now.Before(s.CodeExpiresAt):
		return rejected("The code has expired.")
	case form.Get("redirect_uri") != s.Facts.RedirectURI:
		return judged{burn, "The redirect_uri is not the one of the authorization request.", CodeBurned, event.AuthorizationRevoked}
	case !proves(form.Get("code_verifier"), s.Facts.Challenge):
		return judged{burn, "The code_verifier does not fit the code_challenge.", CodeBurned, event.AuthorizationRevoked}
	case s.moved(c):
		return rejected("The client knows people by other names since.")
	case !s.stands(now) || !s.present(now):
		return rejected("The person is not signed in any more.")
	}
	return judged{ruling: pass}
}

// A verifier has 43 to 128 unreserved characters (RFC 7636 §4.1).
var verifier = regexp.MustCompile(`^[A-Za-z0-9._~-]{43,128}$`)

// proves checks a PKCE verifier. Once a challenge was sent there is no way without the
// verifier, and none with a verifier that nobody announced.
func proves(given, challenge string) bool {
	if challenge == "" {
		return given == ""
	}
	if !verifier.MatchString(given) {
		return false
	}
	sum := sha256.Sum256([]byte(given))
	return secret.Equal(base64.RawURLEncoding.EncodeToString(sum[:]), challenge)
}

// judgeRefresh decides about a refresh token of that generation of s, presented by c.
func judgeRefresh(s Standing, c Client, generation int, now time.Time) judged {
	switch {
	case s.Client != c.ID:
		return rejected("The refresh token was issued to another client.")
	case !s.stands(now) || s.moved(c):
		return rejected("The refresh token is not valid any more.")
	case s.RedeemedAt.IsZero() || generation > s.Generation:
		return rejected("The refresh token is not known.")
	case !now.Before(s.IdleAt):
		return rejected("The refresh token was not used for too long.")
	case generation == s.Generation:
		return judged{ruling: pass}
	case generation == s.Generation-1 && now.Sub(s.RotatedAt) <= grace:
		return judged{ruling: again}
	}
	return judged{burn, "The refresh token was used already.", RefreshReused, event.RefreshReused}
}
