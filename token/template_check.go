package token

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"

	"idp/internal/problem"
)

// What a template says where it was not told.
const (
	DefaultLifetime Seconds = 60
	DefaultSkew     Seconds = 10
)

const (
	minLifetime  Seconds = 30
	maxLifetime          = Seconds(24 * time.Hour / time.Second)
	maxSkew      Seconds = 300
	maxAudience          = 20
	maxAudiences         = 255 // bytes of one
)

var templateName = regexp.MustCompile(`^[a-z0-9][a-z0-9_-]{0,63}$`)

// whole puts the defaults in. A skew of 0 is one.
func (t Template) whole() Template {
	if t.Lifetime == 0 {
		t.Lifetime = DefaultLifetime
	}
	if t.Algorithm == "" {
		t.Algorithm = ES256
		if !t.Key.None() {
			t.Algorithm = t.Key.algorithm()
		}
	}
	return t
}

// Check says what is wrong with everything but claims and key, which Compile reads:
// problem.Invalid on the member.
func (t Template) Check() error {
	switch {
	case !templateName.MatchString(t.Name):
		return wrong("name", "template_name", "A name has 1 to 64 characters of a–z, 0–9, - and _, and begins with a letter or digit.")
	case t.Lifetime < minLifetime || t.Lifetime > maxLifetime:
		return wrong("lifetime", "template_lifetime", "A token lives from 30 seconds to 24 hours (86400).")
	case t.Skew < 0 || t.Skew > maxSkew:
		return wrong("skew", "template_skew", "The clock skew is 0 to 300 seconds.")
	case t.Name == SessionTemplate && (t.Lifetime != DefaultLifetime || t.Skew != DefaultSkew && t.Skew != 0 ||
		len(t.Audience) > 0 || t.Algorithm != ES256 || !t.Key.None()):
		return wrong("name", "template_session", "The template session adds claims to session tokens, which have a lifetime, audience, algorithm and key of their own. Give this one another name.")
	case t.Key.None() && strings.HasPrefix(t.Algorithm, "HS"):
		return wrong("signing_key", "signing_key_missing", t.Algorithm+" needs a shared secret: give the template a signing key, or choose ES256 or RS256.")
	case t.Key.None() && !slices.Contains(SigningAlgorithms, t.Algorithm):
		return wrong("algorithm", "algorithm_unsupported", "The algorithm is one of "+strings.Join(SigningAlgorithms, ", ")+"; with a shared secret HS256, HS384 or HS512.")
	}
	return checkAudience(t.Audience)
}

func checkAudience(list []string) error {
	if len(list) > maxAudience {
		return wrong("audience", "template_audience", fmt.Sprintf("An audience has at most %d members.", maxAudience))
	}
	for i, a := range list {
		switch {
		case a == "" || len(a) > maxAudiences || strings.ContainsFunc(a, unicode.IsControl):
			return wrong("audience", "template_audience", fmt.Sprintf("Each audience has 1 to %d bytes without control characters.", maxAudiences))
		case strings.Contains(a, "{{"):
			return wrong("audience", "template_audience", "An audience is the same for everybody: it takes no shortcodes.")
		case slices.Contains(list[:i], a):
			return wrong("audience", "template_audience", a+" is there twice.")
		}
	}
	return nil
}

func wrong(field, code, says string) error {
	return problem.New(problem.Invalid, code, says).On(field)
}
