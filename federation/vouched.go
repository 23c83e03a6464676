package federation

import (
	"slices"
)

// This file is what a provider's word about how it proved a person is worth, to an operator who
// trusts it about that. A value that we do not know vouches for nothing.

// knownAMR are the values of RFC 8176 §2 and the category that each proves, "" for those that
// prove none by themselves.
var knownAMR = map[string]string{
	"pwd": "knowledge", "pin": "knowledge", "kba": "knowledge",
	"otp": "possession", "hwk": "possession", "swk": "possession", "sms": "possession", "tel": "possession", "sc": "possession",
	"face": "inherence", "fpt": "inherence", "iris": "inherence", "retina": "inherence", "vbm": "inherence",
	"mfa": "", "mca": "", "user": "", "geo": "", "rba": "", "wia": "",
}

// twoSteps are authentication contexts that mean two factors, by the documents that define them.
var twoSteps = []string{
	"http://schemas.openid.net/pape/policies/2007/06/multi-factor",       // OpenID PAPE 1.0 §4
	"https://refeds.org/profile/mfa",                                     // REFEDS MFA Profile
	"http://schemas.microsoft.com/claims/multipleauthn",                  // Microsoft AD FS and Entra
	"urn:oasis:names:tc:SAML:2.0:ac:classes:MobileTwoFactorContract",     // SAML AuthnContext §3.4
	"urn:oasis:names:tc:SAML:2.0:ac:classes:MobileTwoFactorUnregistered", // the same
}

// vouched returns the authentication methods that claims name, each once, and whether they make
// two steps: the provider says so (mfa, or a context that means it), or names a secret that is
// known beside something else.
func vouched(claims map[string]any) (methods []string, both bool) {
	categories := map[string]bool{}
	for _, m := range texts(claims["amr"]) {
		category, known := knownAMR[m]
		if !known || slices.Contains(methods, m) {
			continue
		}
		methods = append(methods, m)
		if category != "" {
			categories[category] = true
		}
	}
	both = slices.Contains(methods, "mfa") || categories["knowledge"] && len(categories) > 1
	for _, context := range texts(claims["acr"]) {
		both = both || slices.Contains(twoSteps, context)
	}
	if both && !slices.Contains(methods, "mfa") {
		methods = append(methods, "mfa")
	}
	return methods, both
}

// texts returns a text, or those of a list.
func texts(v any) (all []string) {
	switch v := v.(type) {
	case string:
		return []string{v}
	case []string:
		return v
	case []any:
		for _, e := range v {
			if s, ok := e.(string); ok {
				all = append(all, s)
			}
		}
	}
	return all
}
