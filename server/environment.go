package server

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"time"

	"idp/federation"
	"idp/internal/config"
	"idp/internal/web"
	"idp/login"
)

// Environment is what a page needs to know before anybody signs in: no more than the sign-in
// and sign-up pages show to strangers.
type Environment struct {
	Issuer        string               `json:"issuer"`
	Name          string               `json:"name"`        // what the instance calls itself
	Kind          string               `json:"environment"` // development or production
	Locale        string               `json:"locale"`      // of the words
	Locales       []string             `json:"locales"`
	Words         map[string]string    `json:"words"` // what components say, by key; {places} are to be filled
	SignUp        login.Mode           `json:"sign_up"`
	SignUpFields  []Field              `json:"sign_up_fields"` // empty if there is another way in only
	TwoPages      bool                 `json:"two_pages"`      // the address is asked for first: the operator wants it so, or it decides who sees a provider
	Methods       Methods              `json:"methods"`
	Connections   []Button             `json:"connections"`
	Buttons       login.Buttons        `json:"buttons"` // how those look
	PasswordRules *login.PasswordRules `json:"password_rules,omitempty"`
	BotCheck      bool                 `json:"bot_check"` // POST /frontend/v1/bot-check may find one due
	Links         Links                `json:"links"`
	// BrowserTokens is whether the page that asks has to carry its browser's token itself, because
	// no cookie would reach us. Only development takes such.
	BrowserTokens bool `json:"browser_tokens"`
	// TokenCookie is the cookie in which a page keeps a session token for its own server, if it
	// wants to: one for each issuer. A page on https puts __Host- before the name.
	TokenCookie string `json:"token_cookie"`
	SDK         SDK    `json:"sdk"`
}

// Field is one thing that is filled in to sign up.
type Field struct {
	Name     string `json:"name"` // as POST …/submit calls it
	Required bool   `json:"required"`
}

// Methods are the ways in that strangers are offered.
type Methods struct {
	Password  bool `json:"password"`
	EmailCode bool `json:"email_code"`
	EmailLink bool `json:"email_link"`
	Passkey   bool `json:"passkey"` // on the page that asks, too
}

// Button is one provider to sign in by.
type Button struct {
	Connection string `json:"connection"` // for POST …/depart
	Title      string `json:"title"`
	Preset     string `json:"preset,omitempty"` // of which kind it is, for its drawing
}

// Links are the pages that people may be sent to.
type Links struct {
	SignIn   string `json:"sign_in"`
	SignUp   string `json:"sign_up"`
	Account  string `json:"account"`
	Security string `json:"security"`
}

// SDK says which browser SDK this instance serves.
type SDK struct {
	Version string `json:"version"`
}

// environment answers GET /frontend/v1/environment.
type environment struct {
	Config   config.Config
	Settings func() login.Settings
	Engine   *login.Engine
	Pages    *web.Pages
	Version  string
}

// elsewhere are the words that only operators and mails say, by how their keys begin.
var elsewhere = []string{
	"app", "apps", "connection", "connections", "inbox", "keys", "mail", "operator", "people", "person", "settings", "sms", "template", "templates",
}

func said(key string) bool {
	room, _, _ := strings.Cut(key, ".")
	return !slices.Contains(elsewhere, room)
}

// Show answers with what is the same for everybody who asks from that origin in that language:
// ?locale=, or what the browser prefers.
func (e *environment) Show(w http.ResponseWriter, r *http.Request) error {
	body, err := json.Marshal(e.at(r))
	if err != nil {
		return err
	}
	sum := sha256.Sum256(body)
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Cache-Control", "public, max-age=60")
	h.Add("Vary", "Accept-Language")
	h.Set("ETag", `"`+hex.EncodeToString(sum[:12])+`"`)
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(append(body, '\n')))
	return nil
}

func (e *environment) at(r *http.Request) Environment {
	locale := e.Pages.Locale(r)
	if wish := r.URL.Query().Get("locale"); wish != "" {
		locale = e.Pages.Set.Match(wish)
	}
	s, issuer, origin := e.Settings(), e.Config.Issuer, r.Header.Get("Origin")
	mailed := s.EmailCode || s.EmailLink
	routed := slices.ContainsFunc(e.Engine.Federation.Open(), func(c federation.Connection) bool { return len(c.Domains) > 0 })
	out := Environment{
		Issuer: issuer, Name: e.Config.Name, Kind: e.Config.Environment, Locale: locale, Locales: e.Pages.Set.Locales(),
		Words: e.Pages.Set.Words(locale, said), SignUp: s.SignUp, TwoPages: s.TwoPages || routed, Buttons: s.Buttons,
		SignUpFields: []Field{}, Connections: []Button{},
		Methods: Methods{
			Password: s.Password, EmailCode: s.EmailCode, EmailLink: s.EmailLink,
			Passkey: s.Passkeys && e.Engine.WebAuthn != nil && e.Config.PasskeysAt(web.Origin(r)),
		},
		BotCheck: e.Engine.Checker != nil && s.BotCheck != login.CheckNever,
		Links: Links{
			SignIn: issuer + "/sign-in", SignUp: issuer + "/sign-up", Account: issuer + "/account", Security: issuer + "/account/security",
		},
		BrowserTokens: e.Config.Development() && origin != "" && origin != e.Pages.Origin && !(e.Config.Listed(origin) && e.Config.SameSite(origin)),
		TokenCookie:   web.TokenCookie(issuer),
		SDK:           SDK{Version: e.Version},
	}
	if s.Password || mailed {
		out.SignUpFields = append(out.SignUpFields, Field{"email", true}, Field{"name", false})
	}
	if s.Password {
		out.SignUpFields = append(out.SignUpFields, Field{"password", true})
		out.PasswordRules = &s.Rules
	}
	for _, c := range e.Engine.Federation.Open() {
		if !c.Hidden {
			out.Connections = append(out.Connections, Button{c.Name, c.Shown(), c.Preset})
		}
	}
	return out
}
