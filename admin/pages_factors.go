package admin

import (
	"context"

	"idp/identity"
	"idp/login"
)

// factorSwitch is one method of the second step on the page of settings.
type factorSwitch struct {
	Field, Method string
	On            bool
	Locked        bool // nothing here could serve it, and it is off
	Sole          int  // people who would be left with one step without it
}

// count fills in the switches of the second step. Who depends on a method is judged by the settings in
// force, because that is what a save would change.
func (p *Pages) count(ctx context.Context, force login.Settings, f *settingsForm) error {
	left, err := p.Users.Store.CountWithout(ctx, login.Seconds(), force.Seconds())
	if err != nil {
		return err
	}
	f.OneStep = left
	for _, x := range []factorSwitch{
		{Field: "passkeys", Method: string(identity.Passkey), On: f.SignIn.Passkeys},
		{Field: "totp", Method: string(identity.TOTP), On: f.SignIn.TOTP},
		{Field: "security_keys", Method: string(identity.SecurityKey), On: f.SignIn.SecurityKeys},
		{Field: "sms", Method: string(identity.PhoneCode), On: f.SignIn.SMS, Locked: !p.Settings.Texts && !f.SignIn.SMS},
		{Field: "backup_codes", Method: string(identity.BackupCode), On: f.SignIn.BackupCodes},
	} {
		if rest := without(force.Seconds(), []identity.Method{identity.Method(x.Method)}); len(rest) < len(force.Seconds()) {
			all, err := p.Users.Store.CountWithout(ctx, login.Seconds(), rest)
			if err != nil {
				return err
			}
			x.Sole = all - left
		}
		f.Factors = append(f.Factors, x)
	}
	return nil
}
