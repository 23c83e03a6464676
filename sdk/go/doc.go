// Package idp lets a Go server believe the session tokens of idp: who is asking is known from
// the token alone, without a call to idp for each request.
//
//	verifier, err := idp.New("https://id.example.com", idp.Options{Origins: []string{"https://app.example.com"}})
//	…
//	mux.Handle("GET /things", verifier.Require(things))
//
//	func things(w http.ResponseWriter, r *http.Request) {
//		who, _ := idp.FromContext(r.Context())
//		fmt.Fprintln(w, "Hello,", who.Subject)
//	}
//
// A session token says who is signed in for the next 60 seconds; the browser fetches a new one
// before that. Whoever is signed out or blocked gets no new one, and so is out everywhere within
// a minute.
//
// Which file answers which question:
//
//	verifier.go    what must be true of a token before it is believed
//	parse.go       how a token is read, and what of its form is refused
//	claims.go      what a token says, and templates' own claims
//	keys.go        where the issuer's keys come from, and how long they are kept
//	jwk.go         which keys may check what
//	middleware.go  how a token reaches a net/http server
//	errors.go      what goes wrong, and how to tell
package idp
