// Package e2e tests idp as the world meets it: the built binary on a random loopback
// port, talked to over HTTP by clients that others wrote, driven by a real browser, killed
// at the worst moment, asked by two processes at once. Nothing in here reaches into the
// rooms; what it knows, a relying party, a person or a reader of the database could know.
//
// SQLite always, PostgreSQL when IDP_TEST_POSTGRES names a superuser's URL. What needs
// Node, Chromium and Apache runs when IDP_TEST_E2E is set, as `make test` does; without it those
// tests skip and say so.
package e2e
