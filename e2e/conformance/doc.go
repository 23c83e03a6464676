// Package conformance asks idp, over HTTPS, what the OpenID Foundation's conformance suite
// asks an OpenID Provider for certification. Each test carries the name of the suite's
// module and proves what that module wants, positive or negative; the code is our own.
//
// The server runs in this process with a clock that the tests move: where the suite waits
// for half a minute, the clock is put forward and nobody sleeps. Everything else is as the
// world meets it: a certificate of an authority that the test made, a relying party on
// another host that speaks plain HTTP and JOSE, and a browser without scripts that follows
// redirects, fills in forms by the ids of their inputs and loads frames.
//
// plans_test.go is the table of plans; docs/conformance.md is generated from it. The folder
// suite has what the foundation's own suite needs to run against a local idp.
package conformance
