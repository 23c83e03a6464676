// Package login is the way from an unknown browser to a proven session.
//
// An Attempt is append-only evidence: who was named, what was shown, what came
// back. Next computes from it, from the Facts on file and from the Policy in force
// what is still owed; nothing ever assigns a step. Every event — identify,
// prepare, prove, submit — goes through one door of the Engine: load, check that
// Next allows it, do the slow work with no transaction open, then one short
// transaction that consumes what is single-use, saves the attempt at its version
// and, when nothing is owed, settles: person, session, events and mail in one
// commit. A lost race is a problem.Conflict, answered by looking again.
//
// Pages and the Frontend API are two thin views over the same Engine; neither
// sees an Attempt, only its View.
package login
