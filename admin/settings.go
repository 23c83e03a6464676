package admin

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	"idp/event"
	"idp/federation"
	"idp/internal/problem"
	"idp/login"
	"idp/session"
)

// Settings are the operator's choices: one row in the database, one snapshot in memory.
type Settings struct {
	SignIn   login.Settings   `json:"sign_in"`
	Sessions session.Settings `json:"sessions"`
}

// DefaultSettings hold until an operator says otherwise.
func DefaultSettings() Settings {
	return Settings{SignIn: login.DefaultSettings(), Sessions: session.DefaultSettings()}
}

// The bounds of what an operator may choose.
const (
	minPasswordLength = 8 // NIST SP 800-63B-4 §3.1.1.2
	maxPasswordLength = 64
	minSession        = 5 * time.Minute
	maxSession        = 400 * 24 * time.Hour // no browser keeps a cookie for longer
	maxTrustDays      = 365
)

// Validate returns problem.Invalid, on the field at fault, if the settings would lock people
// out or are weaker than we are willing to run.
func (s Settings) Validate() error {
	bad := func(field, detail string) error {
		return problem.New(problem.Invalid, "settings_invalid", detail).On(field)
	}
	in := s.SignIn
	switch in.SignUp {
	case login.Open, login.Invited, login.Closed:
	default:
		return bad("sign_in.sign_up", "Sign-up is open, invited or closed.")
	}
	switch in.TwoStep {
	case login.Optional, login.Required:
	default:
		return bad("sign_in.two_step", "Two-step verification is optional or required.")
	}
	switch in.BotCheck {
	case login.CheckNever, login.CheckSuspicious, login.CheckAlways:
	default:
		return bad("sign_in.bot_check", "Bot checks are off, made when something is suspicious, or always.")
	}
	switch in.Buttons.Layout {
	case login.Blocks, login.Icons:
	default:
		return bad("sign_in.connections.layout", "Buttons are blocks with words, or icons.")
	}
	switch in.Buttons.Place {
	case login.Top, login.Bottom:
	default:
		return bad("sign_in.connections.place", "Buttons are at the top of the form, or at its bottom.")
	}
	r := in.Rules
	switch {
	case r.MinLength < minPasswordLength || r.MinLength > maxPasswordLength:
		return bad("sign_in.rules.min_length", "The least password length is a number from 8 to 64.")
	case r.MinScore < 0 || r.MinScore > 4:
		return bad("sign_in.rules.min_score", "The least password strength is a number from 0 to 4.")
	case in.TwoStep == login.Required && len(in.Seconds()) == 0:
		return bad("sign_in.two_step", "Nobody could sign in: leave at least one second factor switched on besides backup codes.")
	case in.TrustDays < 0 || in.TrustDays > maxTrustDays:
		return bad("sign_in.trust_days", "A browser is trusted for 0 to 365 days.")
	case s.Sessions.Maximum < minSession || s.Sessions.Maximum > maxSession:
		return bad("sessions.maximum", "A session lasts from 5 minutes to 400 days.")
	case s.Sessions.Idle < minSession || s.Sessions.Idle > s.Sessions.Maximum:
		return bad("sessions.idle", "A session may lie unused for 5 minutes at least, and no longer than it lasts.")
	}
	var p *problem.Error
	if err := in.Addresses.Validate(); errors.As(err, &p) {
		return p.On("sign_in.addresses." + p.Field)
	}
	return nil
}

// Keeper holds the settings in force. Readers take the snapshot; a save replaces it here at
// once, and in other processes when they see the row's version move and call Reload.
type Keeper struct {
	Store  SettingsStore
	Events event.Recorder
	InTx   func(ctx context.Context, do func(ctx context.Context) error) error
	Clock  func() time.Time
	Texts  bool // something delivers text messages

	Connections func(ctx context.Context) ([]federation.Connection, error) // those on file; nil: there are none

	now atomic.Pointer[held]
}

type held struct {
	Settings
	version int64
}

// Now returns the settings in force; the defaults before the first Reload.
func (k *Keeper) Now() Settings {
	if h := k.now.Load(); h != nil {
		return h.Settings
	}
	return DefaultSettings()
}

// SignIn returns the settings in force about signing in.
func (k *Keeper) SignIn() login.Settings { return k.Now().SignIn }

// Sessions returns the settings in force about sessions.
func (k *Keeper) Sessions() session.Settings { return k.Now().Sessions }

// Load returns the saved settings and their version, to be given back to Save.
func (k *Keeper) Load(ctx context.Context) (Settings, int64, error) {
	body, version, err := k.Store.Settings(ctx)
	if err != nil {
		return Settings{}, 0, fmt.Errorf("load settings: %w", err)
	}
	s := DefaultSettings() // what the row does not say yet
	if len(body) > 0 {
		if err := json.Unmarshal(body, &s); err != nil {
			return Settings{}, 0, fmt.Errorf("read settings: %w", err)
		}
	}
	return s, version, nil
}

// Reload takes the saved settings into force. If they cannot be read, those in force stay.
func (k *Keeper) Reload(ctx context.Context) error {
	s, version, err := k.Load(ctx)
	if err != nil {
		return err
	}
	if err := s.Validate(); err != nil {
		return fmt.Errorf("settings version %d stay unused: %w", version, err)
	}
	k.now.Store(&held{s, version})
	return nil
}

// ErrNoTexts says that codes by SMS are to be switched on where nothing sends them. Where they are on they
// stay on: nobody's second factor is dropped because a line of configuration is gone.
var ErrNoTexts = problem.New(problem.Invalid, "settings_invalid",
	"Configure a gateway for text messages first; nothing here could send them.").On("sign_in.sms")

// ErrNoWay says that nobody could sign in by what is left.
var ErrNoWay = problem.New(problem.Invalid, "settings_invalid",
	"Leave at least one way to sign in: password, code or link, or first make a connection that people can use instead.").On("sign_in.password")

// elsewhere reports whether the settings leave no way to sign in but accounts elsewhere, and passkeys
// for those who have them.
func (s Settings) elsewhere() bool { return onlyElsewhere(s.SignIn) }

func onlyElsewhere(in login.Settings) bool { return !in.Password && !in.EmailCode && !in.EmailLink }

// offered reports whether people find their way to a connection: by its button, or by their address.
func offered(x federation.Connection) bool { return !x.Disabled && (!x.Hidden || len(x.Domains) > 0) }

// way reports whether there is a connection that people can use.
func (k *Keeper) way(ctx context.Context) (bool, error) {
	if k.Connections == nil {
		return false, nil
	}
	all, err := k.Connections(ctx)
	return slices.ContainsFunc(all, offered), err
}

// Save validates and writes settings that were loaded at version, and takes them into
// force. Somebody else's save in between is problem.Conflict.
func (k *Keeper) Save(ctx context.Context, s Settings, version int64, actor string) error {
	if err := s.Validate(); err != nil {
		return err
	}
	if s.SignIn.SMS && !k.Texts && !k.SignIn().SMS {
		return ErrNoTexts
	}
	body, err := json.Marshal(s)
	if err != nil {
		return fmt.Errorf("save settings: %w", err)
	}
	err = k.InTx(ctx, func(ctx context.Context) error {
		if s.elsewhere() {
			if there, err := k.way(ctx); err != nil || !there {
				return cmp.Or(err, error(ErrNoWay))
			}
		}
		before, _, err := k.Store.Settings(ctx)
		if err != nil {
			return err
		}
		if err := k.Store.SaveSettings(ctx, body, version); err != nil {
			return err
		}
		// Else those that a shorter limit ended would count again under a longer one.
		if err := k.Store.EndTrust(ctx, k.Clock().AddDate(0, 0, -s.SignIn.TrustDays)); err != nil {
			return err
		}
		return k.Events.Record(ctx, event.Event{Kind: event.SettingsChanged, Actor: actor, Detail: changed(before, body)})
	})
	if err != nil {
		return fmt.Errorf("save settings: %w", err)
	}
	return k.Reload(ctx)
}

// changed names the sections that differ, for the audit trail.
func changed(before, after []byte) map[string]string {
	var old, fresh map[string]json.RawMessage
	_ = json.Unmarshal(before, &old) // nothing saved yet: everything is new
	if err := json.Unmarshal(after, &fresh); err != nil {
		return nil
	}
	detail := map[string]string{}
	for section, body := range fresh {
		if !bytes.Equal(bytes.TrimSpace(old[section]), bytes.TrimSpace(body)) {
			detail[section] = "changed"
		}
	}
	return detail
}
