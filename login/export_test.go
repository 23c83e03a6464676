package login

// MayMove lets the tests ask the table of moves what the engine asks.
func MayMove(name string, at Step, a Attempt, p Policy) bool { return move(name).open(at, a, p) }

// ResendAfter is how long another message has to wait.
const ResendAfter = resendAfter
