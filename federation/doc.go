// Package federation is what another provider says of a person, judged.
//
// An operator makes a Connection to an upstream: an OpenID provider, an OAuth 2.0 provider with
// an interface of its own, or a SAML identity provider. The sign-in engine sends a browser
// there (Depart) and hands in what it brings back (Finish). What comes out is an Assertion: who
// the person is there, by issuer and subject, what the provider says of them, and our Verdict on
// the e-mail address among it. A verdict is made in verdict.go and nowhere else; whatever no row
// there trusts is unverified, and proves nothing.
//
// A departure is bound to one attempt by its State. Nonce, PKCE verifier and SAML request id
// follow from the state under our own key, so that nothing of them is stored and none can be
// swapped for another's. Whatever is posted here from another site, where no cookie of ours
// comes along, travels on in the address that the browser is sent to, sealed; only what a SAML
// provider asserted, once it is verified, waits here until the browser fetches it by GET.
//
// Which file answers which question:
//
//	what can an operator configure?              connection.go
//	which connections are in force?              federation.go
//	where is the browser sent, what comes back?  departure.go
//	what does a provider say of itself?          discovery.go
//	how are OpenID Connect and OAuth 2.0 spoken? oidc.go, oidc_token.go, oauth.go, exchange.go
//	where does one provider differ?              dialect.go
//	what if the answer is posted?                arrival.go
//	what is kept to act in somebody's name?      tokens.go
//	is a connection set up well?                 test.go
//	what did the provider say?                   assertion.go
//	what do SAML providers and we say of ourselves? metadata.go, metadata_refresh.go, saml_metadata.go, saml_key.go
//	how is a SAML response read and checked?     xml.go, saml_response.go, saml_signature.go, saml_decrypt.go, saml_check.go
//	who is signed out when, there or here?       saml_logout.go, saml_query.go (by HTTP-Redirect), saml_leave.go (our wish)
//	is the e-mail address to be believed?        verdict.go, presets.go
//	what has a provider changed?                 drift.go
package federation
