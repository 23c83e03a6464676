package config

import (
	"strings"
	"time"

	"idp/internal/secret"
)

// Key is one setting of the process, as YAML, environment and manual know it.
type Key struct {
	Name    string   // path in YAML, parts joined by dots
	Doc     string   // for the manual, one or two sentences
	Default string   // as written in YAML; "" if there is none or it depends on others
	Depends string   // what the default is when it depends on others, in words
	Allowed []string // the only values, if it is a choice
	Secret  bool     // printed as dots; may be given by a file
	at      func(c *Config) any
}

// Env is the environment variable that overrides the key.
func (k Key) Env() string {
	return "IDP_" + strings.ToUpper(strings.ReplaceAll(k.Name, ".", "_"))
}

// Keys are all settings there are, in the order of the manual. The names are a public contract.
func Keys() []Key {
	return []Key{
		{Name: "environment", Default: "development", Allowed: []string{"development", "production"},
			Doc: "Production refuses settings that are only safe on one's own machine.",
			at:  func(c *Config) any { return &c.Environment }},
		{Name: "name", Default: "idp",
			Doc: "What pages and mails call this instance.",
			at:  func(c *Config) any { return &c.Name }},
		{Name: "listen", Default: "127.0.0.1:8080",
			Doc: "Address and port to listen on; \":8080\" is every address of the machine.",
			at:  func(c *Config) any { return &c.Listen }},
		{Name: "issuer", Depends: "http://localhost and the port of listen, in development",
			Doc: "The public URL, under which relying parties and people know this instance. Every link and token carries it.",
			at:  func(c *Config) any { return &c.Issuer }},
		{Name: "origins", Depends: "in development every http origin of this machine, like http://localhost:5173",
			Doc: "Origins of web apps, a list, like https://app.example.com: their scripts may use the Frontend API with the browser's cookie, and people may be sent back there. Browsers send the cookie only if they are of the issuer's site (app.example.com and id.example.com are).",
			at:  func(c *Config) any { return &c.Origins }},
		{Name: "webfinger_hosts",
			Doc: "Hosts whose people find this issuer by WebFinger, a list, like the domain of their mail addresses; the issuer's own host always does. That host must redirect its /.well-known/webfinger here.",
			at:  func(c *Config) any { return &c.WebFingerHosts }},
		{Name: "passkeys.rp_id", Depends: "the issuer's host",
			Doc: "The domain that passkeys and security keys are bound to: the issuer's host or a parent of it. Once people have some, another domain makes all of them useless.",
			at:  func(c *Config) any { return &c.Passkeys.RPID }},
		{Name: "passkeys.origins",
			Doc: "More origins whose pages may use the same passkeys, a list, like https://app.example.com. Where they are not below passkeys.rp_id, browsers look for them in its /.well-known/webauthn.",
			at:  func(c *Config) any { return &c.Passkeys.Origins }},
		{Name: "data_dir", Default: "idp-data",
			Doc: "Directory for the SQLite database and, in development, the master key. Made if absent, for nobody else to read.",
			at:  func(c *Config) any { return &c.DataDir }},
		{Name: "database_url", Secret: true, Depends: "the SQLite file idp.db in data_dir", //nolint:gosec // no password, an example
			Doc: "postgres://user:password@host/database, or sqlite:PATH.",
			at:  func(c *Config) any { return &c.DatabaseURL }},
		{Name: "database_max_connections", Default: "0",
			Doc: "Connections to PostgreSQL at most; 0 is four per processor, at least eight.",
			at:  func(c *Config) any { return &c.DatabaseMaxConnections }},
		{Name: "migrate", Default: "auto", Allowed: []string{"auto", "manual"},
			Doc: "Whether serve brings the database up to date itself, or refuses to start until \"idp migrate up\" was run.",
			at:  func(c *Config) any { return &c.Migrate }},
		{Name: "master_key", Secret: true, Depends: "in development the file master.key in data_dir, made at the first start",
			Doc: "32 random bytes or more in base64 or hex. Secrets in the database are sealed under it; without it they are lost.",
			at:  func(c *Config) any { return &c.MasterKey }},
		{Name: "smtp_url", Secret: true, Depends: "in development none: mail stays in the inbox at /dev/inbox",
			Doc: "The mail server: smtp://user:password@host:587 or smtps://user:password@host:465. STARTTLS is demanded, except of a server on the same machine, where it is used if offered.",
			at:  func(c *Config) any { return &c.SMTPURL }},
		{Name: "mail_from", Depends: "in development no-reply@localhost",
			Doc: "Sender of all mail, like \"Acme <no-reply@acme.example>\".",
			at:  func(c *Config) any { return &c.MailFrom }},
		{Name: "mail_reply_to",
			Doc: "Where answers to mail go, if not to mail_from.",
			at:  func(c *Config) any { return &c.MailReplyTo }},
		{Name: "sms.gateway", Default: "off", Allowed: []string{"off", "twilio", "http"},
			Doc: "Who delivers SMS: nobody, Twilio, or the service at sms.http.url. In development without one, they stay in the inbox at /dev/inbox.",
			at:  func(c *Config) any { return &c.SMS.Gateway }},
		{Name: "sms.countries",
			Doc: "Countries that SMS may go to, a list of ISO codes and calling codes like GB, +49; all if empty. Name the ones your people live in: fraud sends to the others.",
			at:  func(c *Config) any { return &c.SMS.Countries }},
		{Name: "sms.twilio.account_sid",
			Doc: "Twilio's account SID, AC and 32 digits.",
			at:  func(c *Config) any { return &c.SMS.Twilio.AccountSID }},
		{Name: "sms.twilio.auth_token", Secret: true,
			Doc: "The auth token of that account.",
			at:  func(c *Config) any { return &c.SMS.Twilio.AuthToken }},
		{Name: "sms.twilio.from",
			Doc: "A number of that account that SMS come from, like +15005550006, or an alphanumeric sender. This or sms.twilio.messaging_service.",
			at:  func(c *Config) any { return &c.SMS.Twilio.From }},
		{Name: "sms.twilio.messaging_service",
			Doc: "SID of a messaging service that picks the sender, MG and 32 digits.",
			at:  func(c *Config) any { return &c.SMS.Twilio.MessagingService }},
		{Name: "sms.http.url",
			Doc: "Where {\"to\", \"text\", \"id\"} is posted as JSON for each SMS. One on a private network has to be in outbound_allow.",
			at:  func(c *Config) any { return &c.SMS.HTTP.URL }},
		{Name: "sms.http.token", Secret: true,
			Doc: "Sent to that service as a Bearer token; nothing if empty.",
			at:  func(c *Config) any { return &c.SMS.HTTP.Token }},
		{Name: "tls.certificate_file",
			Doc: "Certificate chain in PEM, to serve https without a proxy. Read again when it changes.",
			at:  func(c *Config) any { return &c.TLS.CertificateFile }},
		{Name: "tls.key_file",
			Doc: "The certificate's private key in PEM.",
			at:  func(c *Config) any { return &c.TLS.KeyFile }},
		{Name: "trusted_proxies",
			Doc: "Addresses or networks of the proxies in front, a list. Only their word about the caller's address is believed.",
			at:  func(c *Config) any { return &c.TrustedProxies }},
		{Name: "outbound_allow",
			Doc: "Networks (10.1.0.0/16), addresses or host names that may be reached although they are private, a list. What relying parties name, like their keys, is fetched from public addresses alone; in development also from this machine.",
			at:  func(c *Config) any { return &c.OutboundAllow }},
		{Name: "breached_passwords.check", Depends: "off in development, online in production", Allowed: []string{"off", "online", "file"},
			Doc: "Where passwords are looked up that are known from breaches elsewhere: nowhere, at breached_passwords.url, or in breached_passwords.file. Online tells that service five hex digits of a SHA-1, never a password; if it does not answer, passwords pass unchecked.",
			at:  func(c *Config) any { return &c.BreachedPasswords.Check }},
		{Name: "breached_passwords.url", Default: "https://api.pwnedpasswords.com/range/",
			Doc: "The range API of Have I Been Pwned, or of a mirror that speaks it. One on a private network has to be in outbound_allow.",
			at:  func(c *Config) any { return &c.BreachedPasswords.URL }},
		{Name: "breached_passwords.file",
			Doc: "A file of sorted SHA-1 hashes, \"HASH:COUNT\" a line, as the official downloader of Pwned Passwords writes it. It is searched in place; a new one is seen after a restart.",
			at:  func(c *Config) any { return &c.BreachedPasswords.File }},
		{Name: "bot_check.provider", Default: "work", Allowed: []string{"work", "turnstile", "hcaptcha"},
			Doc: "Who tells people from robots where the operator's settings ask for it: work is a computation in the visitor's browser, without any third party; turnstile and hcaptcha load a widget of Cloudflare's or hCaptcha's.",
			at:  func(c *Config) any { return &c.BotCheck.Provider }},
		{Name: "bot_check.site_key",
			Doc: "The site key that Turnstile or hCaptcha gave for the issuer's host.",
			at:  func(c *Config) any { return &c.BotCheck.SiteKey }},
		{Name: "bot_check.secret", Secret: true,
			Doc: "The secret key that came with it.",
			at:  func(c *Config) any { return &c.BotCheck.Secret }},
		{Name: "bot_check.wrong_passwords", Default: "3",
			Doc: "Wrong passwords for an address after which sign-in asks for a bot check.",
			at:  func(c *Config) any { return &c.BotCheck.WrongPasswords }},
		{Name: "bot_check.network_failures", Default: "5",
			Doc: "The same of a network, in limits.network_window.",
			at:  func(c *Config) any { return &c.BotCheck.NetworkFailures }},
		{Name: "bot_check.network_messages", Default: "5",
			Doc: "Messages that a network asked for in an hour and nobody answered, after which sign-up and a lost password ask for a bot check.",
			at:  func(c *Config) any { return &c.BotCheck.NetworkMessages }},
		{Name: "geoip_file",
			Doc: "A database of places in MaxMind's format (.mmdb), like GeoLite2 City: devices and notices then say \"Auckland, New Zealand\" beside the network address. Without it no place is said; a new one is seen after a restart.",
			at:  func(c *Config) any { return &c.GeoIPFile }},
		{Name: "metrics_listen",
			Doc: "Address and port for Prometheus metrics, like 127.0.0.1:9090. Off if empty.",
			at:  func(c *Config) any { return &c.MetricsListen }},
		{Name: "log.level", Default: "info", Allowed: []string{"debug", "info", "warn", "error"},
			Doc: "How much is logged.",
			at:  func(c *Config) any { return &c.Log.Level }},
		{Name: "log.format", Depends: "text in development, json in production", Allowed: []string{"text", "json"},
			Doc: "How a line of the log looks.",
			at:  func(c *Config) any { return &c.Log.Format }},
		{Name: "templates_dir",
			Doc: "Directory whose files replace pages, mails and words of the same name.",
			at:  func(c *Config) any { return &c.TemplatesDir }},
		{Name: "registration", Depends: "open in development, token in production", Allowed: []string{"open", "token", "closed"},
			Doc: "Who may register relying parties over HTTP (RFC 7591): anybody, holders of an initial access token, or nobody.",
			at:  func(c *Config) any { return &c.Registration }},
		{Name: "session_management", Default: "false", Allowed: []string{"true", "false"},
			Doc: "Whether relying parties may watch from a frame if somebody is still signed in (check_session_iframe). Needs an https issuer.",
			at:  func(c *Config) any { return &c.SessionManagement }},
		{Name: "limits.wrong_passwords", Default: "10",
			Doc: "Wrong passwords in a row after which an address is locked; 100 at most in production.",
			at:  func(c *Config) any { return &c.Limits.WrongPasswords }},
		{Name: "limits.lock", Default: "1h",
			Doc: "How long a locked address stays locked.",
			at:  func(c *Config) any { return &c.Limits.Lock }},
		{Name: "limits.wrong_codes", Default: "20",
			Doc: "Wrong mailed codes for an address in an hour.",
			at:  func(c *Config) any { return &c.Limits.WrongCodes }},
		{Name: "limits.messages", Default: "5",
			Doc: "Messages to an address in an hour that nobody answered.",
			at:  func(c *Config) any { return &c.Limits.Messages }},
		{Name: "limits.network_failures", Default: "30",
			Doc: "Wrong passwords, and as many wrong codes, from a network (an IPv4 address, an IPv6 /64) in limits.network_window.",
			at:  func(c *Config) any { return &c.Limits.NetworkFailures }},
		{Name: "limits.network_messages", Default: "30",
			Doc: "Messages that a network asked for in an hour and nobody answered.",
			at:  func(c *Config) any { return &c.Limits.NetworkMessages }},
		{Name: "limits.sms", Default: "200",
			Doc: "SMS in an hour, to everybody together. Whoever sends to expensive numbers on purpose gets no further.",
			at:  func(c *Config) any { return &c.Limits.SMS }},
		{Name: "limits.browser_attempts", Default: "10",
			Doc: "Unfinished sign-ins of a browser; one more ends the oldest.",
			at:  func(c *Config) any { return &c.Limits.BrowserAttempts }},
		{Name: "limits.network_attempts", Default: "200",
			Doc: "Unfinished sign-ins of a network, after which only browsers that somebody signed in on begin another.",
			at:  func(c *Config) any { return &c.Limits.NetworkAttempts }},
		{Name: "limits.network_window", Default: "5m",
			Doc: "How long failures of a network count.",
			at:  func(c *Config) any { return &c.Limits.NetworkWindow }},
		{Name: "limits.registrations", Default: "10",
			Doc: "Apps that may register themselves from a network in an hour where registration is open.",
			at:  func(c *Config) any { return &c.Limits.Registrations }},
	}
}

// Config is how this process runs. Load fills and completes it; Validate judges it.
type Config struct {
	Environment            string
	Name                   string
	Listen                 string
	Issuer                 string
	Origins                []string
	WebFingerHosts         []string
	Passkeys               Passkeys
	DataDir                string
	DatabaseURL            secret.String
	DatabaseMaxConnections int
	Migrate                string
	MasterKey              secret.String
	SMTPURL                secret.String
	MailFrom               string
	MailReplyTo            string
	SMS                    SMS
	TLS                    TLS
	TrustedProxies         []string
	OutboundAllow          []string
	BreachedPasswords      BreachedPasswords
	BotCheck               BotCheck
	GeoIPFile              string
	MetricsListen          string
	Log                    Log
	TemplatesDir           string
	Registration           string
	SessionManagement      bool // as written; WatchedSessions says whether it is possible
	Limits                 Limits

	origins map[string]Origin
	file    string // the YAML file that was read, or ""
}

// TLS names the files of a certificate; both or none.
type TLS struct{ CertificateFile, KeyFile string }

// BreachedPasswords says where passwords known from breaches are looked up: Check is off,
// online or file.
type BreachedPasswords struct{ Check, URL, File string }

// Passkeys says which domain passkeys are bound to, and who else may use them.
type Passkeys struct {
	RPID    string
	Origins []string
}

// BotCheck says who makes bot checks, and how much failure is borne without one.
type BotCheck struct {
	Provider, SiteKey string
	Secret            secret.String
	WrongPasswords    int
	NetworkFailures   int
	NetworkMessages   int
}

// Log says how much is logged and how it looks.
type Log struct{ Level, Format string }

// Limits say how much failure is borne; see login.Limits.
type Limits struct {
	WrongPasswords  int
	Lock            time.Duration
	WrongCodes      int
	Messages        int
	NetworkFailures int
	NetworkMessages int
	SMS             int
	BrowserAttempts int
	NetworkAttempts int
	NetworkWindow   time.Duration
	Registrations   int
}

// Development reports whether settings that are only safe on one's own machine are fine.
func (c Config) Development() bool { return c.Environment == "development" }
