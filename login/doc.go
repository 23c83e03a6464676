// Package login is the way from an unknown browser to a proven session.
//
// An Attempt is append-only evidence: who was named, what was shown, what came
// back. Next computes from it, from the Facts on file and from the Policy in force
// what is still owed; nothing ever assigns a step. Every event — identify,
// prepare, prove, submit, depart, return — goes through one door of the Engine: load, check that
// Next allows it, do the slow work with no transaction open, then one short
// transaction that consumes what is single-use, saves the attempt at its version
// and, when nothing is owed, settles: person, session, events and mail in one
// commit. A lost race is a problem.Conflict, answered by looking again.
//
// Pages and the Frontend API are two thin views over the same Engine; neither
// sees an Attempt, only its View.
//
// Which file answers which question:
//
//	what is still owed?                        next.go
//	which methods may be used, in which order? methods.go, policy.go
//	what does one move do, from load to save?  engine.go, engine_turn.go
//	what is evidence, and what may be seen?    attempt.go, view.go
//	what happens when nothing is owed?         settle.go
//	how is a method proven?                    password.go, code.go (mail), link.go, phone.go, totp.go, backup.go, webauthn_prove.go
//	who comes in by an account elsewhere?      upstream.go, upstream_link.go (what comes on file)
//	who may come in by one provider only?      domain.go
//	what becomes of a mere claim?              claim.go
//	how is a method set up?                    enroll.go, totp.go, phone.go, backup.go, webauthn_enroll.go
//	what does a WebAuthn credential look like? webauthn.go, webauthn_key.go, webauthn_names.go
//	how much guessing is borne?                throttle.go, budget.go (second factors), crowd.go (at once), unlock.go
//	is this a robot?                           human.go, human_work.go (our own), human_captcha.go (others')
//	is the second step skipped here?           trust.go
//	may a password be chosen?                  signup.go, reset.go, breach.go, strength.go
//	what can people do within their session?   within.go (prove anew, set up, add an address), factors.go
//	which accounts elsewhere sign in?          upstream.go (to a provider and back), linked.go (what is on file)
//	who is signed out with a provider?         presence.go
//	how do two accounts become one?            merge.go
//	who is told of a change?                   notice.go
//	how is a change taken back?                undo.go, undo_return.go
//	what does a page or a script send?         pages.go and pages_*.go, api.go and api_*.go
//	does any path go round a step?             the room login/prover below this one
package login
