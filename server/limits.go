package server

import (
	"idp/internal/config"
	"idp/login"
)

// limits says to login what the operator configured.
func limits(c config.Limits, b config.BotCheck) login.Limits {
	return login.Limits{
		DoubtPasswords: b.WrongPasswords, DoubtFailures: b.NetworkFailures, DoubtMessages: b.NetworkMessages,
		Passwords: c.WrongPasswords, Lock: c.Lock, Codes: c.WrongCodes, Messages: c.Messages,
		NetworkFailures: c.NetworkFailures, NetworkMessages: c.NetworkMessages, NetworkWindow: c.NetworkWindow, SMS: c.SMS,
	}
}
