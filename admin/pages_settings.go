package admin

import (
	"cmp"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"idp/identity"
	"idp/internal/problem"
	"idp/internal/web"
	"idp/login"
	"idp/session"
)

// settingsForm is the data of the page "operator_settings". Numbers are as they were typed.
type settingsForm struct {
	SignIn              login.Settings
	Modes               []login.Mode
	MinLength, MinScore string
	Maximum, Idle       string // hours
	Allowed, Blocked    string // an entry a line
	TwoSteps            []login.TwoStep
	TrustDays           string
	Factors             []factorSwitch
	OneStep             int // people who have second factors, but only such as are switched off
	BotChecks           []login.BotCheck
	Layouts             []login.ButtonLayout
	Places              []login.ButtonPlace
	Version             int64
	Saved               bool
}

var (
	modes    = []login.Mode{login.Open, login.Invited, login.Closed}
	twoSteps = []login.TwoStep{login.Optional, login.Required}
	layouts  = []login.ButtonLayout{login.Blocks, login.Icons}
	places   = []login.ButtonPlace{login.Top, login.Bottom}

	botChecks = []login.BotCheck{login.CheckNever, login.CheckSuspicious, login.CheckAlways}
)

func hours(d time.Duration) string { return strconv.FormatFloat(d.Hours(), 'f', -1, 64) }

// ShowSettings answers GET /operator/settings.
func (p *Pages) ShowSettings() web.Handler {
	return p.operator(func(w http.ResponseWriter, r *http.Request, _ identity.User) error {
		s, version, err := p.Settings.Load(r.Context())
		if err != nil {
			return err
		}
		f := settingsForm{
			SignIn: s.SignIn, Modes: modes, TwoSteps: twoSteps, TrustDays: strconv.Itoa(s.SignIn.TrustDays),
			MinLength: strconv.Itoa(s.SignIn.Rules.MinLength), MinScore: strconv.Itoa(s.SignIn.Rules.MinScore),
			Maximum: hours(s.Sessions.Maximum), Idle: hours(s.Sessions.Idle),
			Allowed: strings.Join(s.SignIn.Addresses.Allowed, "\n"), Blocked: strings.Join(s.SignIn.Addresses.Blocked, "\n"),
			BotChecks: botChecks, Layouts: layouts, Places: places, Version: version, Saved: r.URL.Query().Has("saved"),
		}
		if err := p.count(r.Context(), s.SignIn, &f); err != nil {
			return err
		}
		return p.Web.Show(w, r, http.StatusOK, "operator_settings", f)
	})
}

// SaveSettings answers POST /operator/settings. Two operators who save at once do not
// overwrite each other: the form carries the version it was made from.
func (p *Pages) SaveSettings() web.Handler {
	return p.operator(func(w http.ResponseWriter, r *http.Request, by identity.User) error {
		before, _, err := p.Settings.Load(r.Context())
		if err != nil {
			return err
		}
		f := readSettings(r)
		s, err := f.settings(before)
		if err == nil {
			err = p.Settings.Save(r.Context(), s, f.Version, string(by.ID))
		}
		if err != nil {
			if err := p.count(r.Context(), before.SignIn, &f); err != nil {
				return err
			}
			return p.Web.Again(w, r, err, "operator_settings", f)
		}
		return web.Redirect(w, r, "/operator/settings?saved=1")
	})
}

func readSettings(r *http.Request) settingsForm {
	version, err := strconv.ParseInt(r.PostFormValue("version"), 10, 64)
	if err != nil {
		version = -1 // no version there is: the save answers that somebody else was faster
	}
	return settingsForm{
		Modes: modes, TwoSteps: twoSteps, BotChecks: botChecks, Layouts: layouts, Places: places, TrustDays: r.PostFormValue("sign_in.trust_days"), Version: version,
		MinLength: r.PostFormValue("sign_in.rules.min_length"), MinScore: r.PostFormValue("sign_in.rules.min_score"),
		Maximum: r.PostFormValue("sessions.maximum"), Idle: r.PostFormValue("sessions.idle"),
		Allowed: r.PostFormValue("sign_in.addresses.allowed"), Blocked: r.PostFormValue("sign_in.addresses.blocked"),
		SignIn: login.Settings{
			SignUp: login.Mode(r.PostFormValue("sign_in.sign_up")), TwoPages: ticked(r, "sign_in.two_pages"),
			Password: ticked(r, "sign_in.password"), EmailCode: ticked(r, "sign_in.email_code"), EmailLink: ticked(r, "sign_in.email_link"),
			Rules: login.PasswordRules{
				Special: ticked(r, "sign_in.rules.special"), Digit: ticked(r, "sign_in.rules.digit"), MixedCase: ticked(r, "sign_in.rules.mixed_case"),
			},
			TwoStep: login.TwoStep(r.PostFormValue("sign_in.two_step")), TOTP: ticked(r, "sign_in.totp"), BackupCodes: ticked(r, "sign_in.backup_codes"),
			SecurityKeys: ticked(r, "sign_in.security_keys"), Passkeys: ticked(r, "sign_in.passkeys"), SMS: ticked(r, "sign_in.sms"),
			BotCheck: login.BotCheck(r.PostFormValue("sign_in.bot_check")),
			Buttons: login.Buttons{
				Layout: login.ButtonLayout(r.PostFormValue("sign_in.connections.layout")), Place: login.ButtonPlace(r.PostFormValue("sign_in.connections.place")),
			},
			Addresses: identity.AddressRules{
				Disposable: ruling(r, "sign_in.addresses.disposable"), Subaddresses: ruling(r, "sign_in.addresses.subaddresses"),
			},
		},
	}
}

// ruling is that of a box that is ticked to refuse.
func ruling(r *http.Request, field string) identity.Ruling {
	if ticked(r, field) {
		return identity.Refuse
	}
	return identity.Allow
}

// settings reads the numbers and lists; what the form does not show stays as it was before.
func (f *settingsForm) settings(before Settings) (Settings, error) {
	s := before
	s.SignIn = f.SignIn
	s.SignIn.Buttons.Layout = cmp.Or(s.SignIn.Buttons.Layout, before.SignIn.Buttons.Layout)
	s.SignIn.Buttons.Place = cmp.Or(s.SignIn.Buttons.Place, before.SignIn.Buttons.Place)
	var err error
	if s.SignIn.Rules.MinLength, err = whole("sign_in.rules.min_length", f.MinLength); err != nil {
		return s, err
	}
	if s.SignIn.Rules.MinScore, err = whole("sign_in.rules.min_score", f.MinScore); err != nil {
		return s, err
	}
	if s.SignIn.Addresses.Allowed, err = addresses("sign_in.addresses.allowed", f.Allowed); err != nil {
		return s, err
	}
	if s.SignIn.Addresses.Blocked, err = addresses("sign_in.addresses.blocked", f.Blocked); err != nil {
		return s, err
	}
	if s.SignIn.TrustDays, err = whole("sign_in.trust_days", f.TrustDays); err != nil {
		return s, err
	}
	s.Sessions = session.Settings{}
	if s.Sessions.Maximum, err = duration("sessions.maximum", f.Maximum); err != nil {
		return s, err
	}
	s.Sessions.Idle, err = duration("sessions.idle", f.Idle)
	return s, err
}

func addresses(field, typed string) ([]string, error) {
	list, err := identity.ParseAddressList(typed)
	var p *problem.Error
	if errors.As(err, &p) {
		return nil, p.On(field)
	}
	return list, err
}

func whole(field, typed string) (int, error) {
	n, err := strconv.Atoi(strings.TrimSpace(typed))
	if err != nil {
		return 0, problem.New(problem.Invalid, "number_invalid", "Enter a whole number.").On(field).Because(err)
	}
	return n, nil
}

func duration(field, typed string) (time.Duration, error) {
	h, err := strconv.ParseFloat(strings.TrimSpace(typed), 64)
	if err != nil || h < 0 || h > 24*1000 {
		return 0, problem.New(problem.Invalid, "number_invalid", "Enter a number of hours.").On(field).Because(err)
	}
	return time.Duration(h * float64(time.Hour)).Round(time.Minute), nil
}
