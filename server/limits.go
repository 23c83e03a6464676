package server

import (
	"runtime"
	"time"

	"idp/internal/config"
	"idp/login"
)

// limits says to login what the operator configured.
func limits(c config.Limits, b config.BotCheck) login.Limits {
	return login.Limits{
		DoubtPasswords: b.WrongPasswords, DoubtFailures: b.NetworkFailures, DoubtMessages: b.NetworkMessages,
		Passwords: c.WrongPasswords, Lock: c.Lock, Codes: c.WrongCodes, Messages: c.Messages,
		NetworkFailures: c.NetworkFailures, NetworkMessages: c.NetworkMessages, NetworkWindow: c.NetworkWindow, SMS: c.SMS,
		BrowserAttempts: c.BrowserAttempts, NetworkAttempts: c.NetworkAttempts,
	}
}

// crowded is how many steps of signing in are worked on at once: enough to keep the places
// for hashing busy, and few enough that relying parties need not wait for them at the database.
func crowded() int { return 32 * max(1, runtime.GOMAXPROCS(0)-1) }

const crowdWait = 2 * time.Second
