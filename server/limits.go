package server

import (
	"idp/internal/config"
	"idp/login"
)

// limits says to login what the operator configured.
func limits(c config.Limits) login.Limits {
	return login.Limits{
		Passwords: c.WrongPasswords, Lock: c.Lock, Codes: c.WrongCodes, Messages: c.Messages,
		NetworkFailures: c.NetworkFailures, NetworkMessages: c.NetworkMessages, NetworkWindow: c.NetworkWindow, SMS: c.SMS,
	}
}
