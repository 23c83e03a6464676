package account

import (
	"context"
	"time"

	"idp/consent"
	"idp/event"
	"idp/login"
	"idp/session"
)

// Self is what somebody who is signed in can do about themselves. Pages and API are its two
// faces: they read and write differently, and decide nothing.
type Self struct {
	Engine   *login.Engine
	Sessions *session.Keeper
	People   login.People
	Grants   consent.Store
	Events   event.Recorder
	InTx     func(ctx context.Context, do func(ctx context.Context) error) error
	Now      func() time.Time
}
