package config

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/mail"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"idp/internal/secret"
)

const refuseNoMasterKey = "master_key is missing: make one with \"openssl rand -base64 32\", keep it safe, and give it as IDP_MASTER_KEY_FILE"

// Validate returns every reason not to start with this configuration, a line each that says
// what to do; nil if there is none. Production demands more than development does.
func (c Config) Validate() error {
	var r reasons
	c.judgeIssuer(&r)
	c.judgeOrigins(&r)
	c.judgeWebFinger(&r)
	c.judgePasskeys(&r)
	c.judgeListening(&r)
	c.judgeProxies(&r)
	c.judgeOutbound(&r)
	c.judgeBreachedPasswords(&r)
	c.judgeBotCheck(&r)
	c.judgeDatabase(&r)
	c.judgeMail(&r)
	c.judgeSMS(&r)
	c.judgeFiles(&r)
	c.judgeMasterKey(&r)
	c.judgeLimits(&r)
	return errors.Join(r...)
}

type reasons []error

func (r *reasons) add(format string, args ...any) { *r = append(*r, fmt.Errorf(format, args...)) }

func (c Config) judgeIssuer(r *reasons) {
	if c.Issuer == "" {
		r.add("issuer is missing: set it to the public URL of this instance, like https://id.example.com")
		return
	}
	u, err := url.Parse(c.Issuer)
	switch {
	case err != nil || u.Hostname() == "" || u.Scheme != "http" && u.Scheme != "https":
		r.add("issuer %q is not a URL: spell it like https://id.example.com", c.Issuer)
	case u.User != nil || u.RawQuery != "" || u.ForceQuery || u.Fragment != "" || strings.Contains(c.Issuer, "#"):
		r.add("issuer %q has a user, query or fragment: leave only scheme, host, port and perhaps a path", c.Issuer)
	case strings.HasSuffix(u.Path, "/"):
		r.add("issuer %q ends in a slash: leave it out", c.Issuer)
	case u.Path != "" && !plainPath.MatchString(u.EscapedPath()):
		r.add("issuer %q has a path that is not plain: use letters, digits, - and _, with dots only inside a name, like /auth", c.Issuer)
	case u.Host != strings.ToLower(u.Host) || c.Issuer != u.Scheme+"://"+u.Host+u.Path || u.Port() == defaultPort[u.Scheme]:
		r.add("issuer %q is not in its plain form: lower case, without the default port", c.Issuer)
	case u.Scheme == "http" && !c.Development():
		r.add("issuer %q is not https: production needs a public https URL (give tls.certificate_file and tls.key_file, or put a proxy with TLS in front)", c.Issuer)
	case u.Scheme == "http" && !loopback(u.Hostname()):
		r.add("issuer %q: http is only for localhost; use https, also in development", c.Issuer)
	}
}

func (c Config) judgeWebFinger(r *reasons) {
	for _, host := range c.WebFingerHosts {
		if u, err := url.Parse("https://" + host); err != nil || u.Host != host || u.Host != strings.ToLower(host) || u.User != nil {
			r.add("webfinger_hosts: %q is no host: spell it like example.com, in lower case", host)
		}
	}
}

// plainPath is what needs no escaping anywhere, leaves /.well-known alone and is no way up.
var plainPath = regexp.MustCompile(`^(/[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*)+$`)

var defaultPort = map[string]string{"http": "80", "https": "443"}

func loopback(host string) bool {
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || strings.HasSuffix(host, ".localhost") || err == nil && ip.IsLoopback()
}

func (c Config) judgeListening(r *reasons) {
	if _, _, err := net.SplitHostPort(c.Listen); err != nil {
		r.add("listen %q is not an address and port: spell it like 127.0.0.1:8080 or :8080", c.Listen)
	}
	if (c.TLS.CertificateFile == "") != (c.TLS.KeyFile == "") {
		r.add("tls.certificate_file and tls.key_file go together: set both or neither")
	}
	if c.TLS.CertificateFile != "" && strings.HasPrefix(c.Issuer, "http:") {
		r.add("issuer %q is http, but a certificate is given: make it https", c.Issuer)
	}
	if c.MetricsListen == "" {
		return
	}
	_, port, err := net.SplitHostPort(c.MetricsListen)
	if err != nil {
		r.add("metrics_listen %q is not an address and port: spell it like 127.0.0.1:9090", c.MetricsListen)
	} else if _, own, err := net.SplitHostPort(c.Listen); err == nil && own == port && port != "0" {
		r.add("metrics_listen %q has the port of listen: metrics are for operators, give them a port of their own", c.MetricsListen)
	}
}

func (c Config) judgeProxies(r *reasons) {
	for _, s := range c.TrustedProxies {
		p, err := network(s)
		switch {
		case err != nil:
			r.add("trusted_proxies: %q is no address or network: spell it like 10.0.0.5 or 10.0.0.0/24", s)
		case p.Bits() == 0:
			r.add("trusted_proxies: %s believes everybody, and anybody could pretend to be anywhere: name the proxies' own addresses", s)
		case !p.Addr().IsPrivate() && !p.Addr().IsLoopback() && p.Bits() < 8 && !c.Development():
			r.add("trusted_proxies: %s is wider than any proxy's network: name the proxies' own addresses", s)
		}
	}
}

// hostName is what outbound_allow takes for one: no scheme, port, path or pattern.
var hostName = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?$`)

func (c Config) judgeOutbound(r *reasons) {
	for _, s := range c.OutboundAllow {
		p, err := network(s)
		switch {
		case err != nil && (!hostName.MatchString(s) || len(s) > 253):
			r.add("outbound_allow: %q is no network, address or host name: spell it like 10.1.0.0/16 or keys.internal", s)
		case err == nil && p.Bits() == 0:
			r.add("outbound_allow: %s is everything, also what only this machine should reach: name what is needed", s)
		}
	}
}

func (c Config) judgeBreachedPasswords(r *reasons) {
	switch b := c.BreachedPasswords; b.Check {
	case "file":
		if b.File == "" {
			r.add("breached_passwords.check is file, but breached_passwords.file names none")
		}
	case "online":
		u, err := url.Parse(b.URL)
		if err != nil || u.Hostname() == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" ||
			u.Scheme != "https" && (u.Scheme != "http" || !c.Development() || !loopback(u.Hostname())) {
			r.add("breached_passwords.url %q is no https URL without query: five digits are put behind it", b.URL)
		}
	}
}

func (c Config) judgeBotCheck(r *reasons) {
	b := c.BotCheck
	switch {
	case b.Provider != "work" && (b.SiteKey == "" || b.Secret.Empty()):
		r.add("bot_check.provider is %s, which needs its bot_check.site_key and bot_check.secret", b.Provider)
	case b.Provider == "work" && (b.SiteKey != "" || !b.Secret.Empty()):
		r.add("bot_check has keys, but bot_check.provider is work, which needs none: choose turnstile or hcaptcha, or leave the keys out")
	}
}

func (c Config) judgeDatabase(r *reasons) {
	scheme, _, _ := strings.Cut(c.Database(), ":")
	switch scheme {
	case "sqlite", "postgres", "postgresql":
	default:
		r.add("database_url starts with neither postgres:// nor sqlite: (it may hold a password, so it is not shown)")
	}
	if c.DatabaseMaxConnections < 0 || c.DatabaseMaxConnections > 1000 {
		r.add("database_max_connections is %d: choose 1 to 1000, or 0 for a fitting number", c.DatabaseMaxConnections)
	}
	if c.DataDir == "" {
		r.add("data_dir is empty: name a directory")
		return
	}
	dir := c.DataDir
	if path, ok := strings.CutPrefix(c.Database(), "sqlite:"); ok {
		dir = filepath.Dir(path)
	}
	if info, err := os.Stat(dir); err == nil && !c.Development() && info.Mode().Perm()&0o007 != 0 {
		r.add("everybody on this machine may enter %s, where the database is: run chmod 750 %s", dir, dir)
	} else if err == nil && !info.IsDir() {
		r.add("%s is not a directory: it is to hold the database", dir)
	}
}

func (c Config) judgeMail(r *reasons) {
	if c.SMTPURL.Empty() {
		if !c.Development() {
			r.add("smtp_url is missing: the development inbox shows everybody's codes, so production needs a mail server, like smtps://user:password@mail.example.com")
		}
	} else if u, err := url.Parse(c.SMTPURL.Reveal()); err != nil || u.Hostname() == "" || u.Scheme != "smtp" && u.Scheme != "smtps" {
		r.add("smtp_url is spelled smtp://user:password@host:587 or smtps://user:password@host:465 (it may hold a password, so it is not shown)")
	} else if !c.Development() && u.Scheme == "smtp" && !loopback(u.Hostname()) && u.Query().Has("starttls") && u.Query().Get("starttls") != "required" {
		r.add("smtp_url lets mail travel in the clear: drop starttls= from it, or use smtps://")
	}
	if c.MailFrom == "" {
		r.add("mail_from is missing: say who mail comes from, like \"Acme <no-reply@acme.example>\"")
	} else if _, err := mail.ParseAddress(c.MailFrom); err != nil {
		r.add("mail_from %q is no mail address: spell it like \"Acme <no-reply@acme.example>\"", c.MailFrom)
	}
	if c.MailReplyTo != "" {
		if _, err := mail.ParseAddress(c.MailReplyTo); err != nil {
			r.add("mail_reply_to %q is no mail address", c.MailReplyTo)
		}
	}
}

func (c Config) judgeFiles(r *reasons) {
	for key, file := range map[string]string{"tls.certificate_file": c.TLS.CertificateFile, "tls.key_file": c.TLS.KeyFile, "templates_dir": c.TemplatesDir, "breached_passwords.file": c.BreachedPasswords.File, "geoip_file": c.GeoIPFile} {
		if file == "" {
			continue
		}
		if _, err := os.Stat(file); err != nil {
			r.add("%s: %s cannot be read: %w", key, file, reason(err))
		}
	}
	if c.Development() {
		return
	}
	for _, k := range Keys() {
		if !k.Secret {
			continue
		}
		if file := c.secretFile(k); file != "" && openToAll(file) {
			r.add("everybody on this machine may read %s, which holds %s: run chmod 640 %s", file, k.Name, file)
		}
	}
	if c.TLS.KeyFile != "" && openToAll(c.TLS.KeyFile) {
		r.add("everybody on this machine may read %s, the certificate's private key: run chmod 640 %s", c.TLS.KeyFile, c.TLS.KeyFile)
	}
}

// secretFile is the file a secret came from, or "" if it came from the environment.
func (c Config) secretFile(k Key) string {
	origin := string(c.origins[k.Name])
	if _, file, ok := strings.Cut(origin, " ("); ok {
		return strings.TrimSuffix(file, ")")
	}
	if c.file != "" && strings.HasPrefix(origin, filepath.Base(c.file)+":") {
		return c.file
	}
	return ""
}

func openToAll(file string) bool {
	info, err := os.Stat(file)
	return err == nil && info.Mode().Perm()&0o004 != 0
}

func reason(err error) error {
	var p *fs.PathError
	if errors.As(err, &p) {
		return p.Err
	}
	return err
}

func (c Config) judgeMasterKey(r *reasons) {
	if c.MasterKey.Empty() {
		if !c.Development() {
			r.add(refuseNoMasterKey)
		}
		return
	}
	if _, err := secret.ParseMasterKey(c.MasterKey); err != nil {
		r.add("master_key: %w", err)
	}
}

const (
	mostLimit         = 1_000_000
	mostWrongPassword = 100 // NIST SP 800-63B-4 §3.2.2
)

func (c Config) judgeLimits(r *reasons) {
	for _, l := range c.limits() {
		if *l.at(&c).(*int) < 1 || *l.at(&c).(*int) > mostLimit { //nolint:forcetypeassert // limits picks those
			r.add("%s is out of bounds: choose 1 to %d", l.Name, mostLimit)
		}
	}
	for name, d := range map[string]time.Duration{"limits.lock": c.Limits.Lock, "limits.network_window": c.Limits.NetworkWindow} {
		if d < time.Second || d > 30*24*time.Hour {
			r.add("%s is out of bounds: choose 1s to 720h", name)
		}
	}
	if c.Limits.WrongPasswords > mostWrongPassword && !c.Development() {
		r.add("limits.wrong_passwords is %d: more than %d lets passwords be guessed", c.Limits.WrongPasswords, mostWrongPassword)
	}
}

// limits are the keys that count failures.
func (c Config) limits() []Key {
	return slices.DeleteFunc(Keys(), func(k Key) bool {
		_, count := k.at(&c).(*int)
		return !count || !strings.HasPrefix(k.Name, "limits.") && !strings.HasPrefix(k.Name, "bot_check.")
	})
}

// Warnings are what an operator should know although it is no reason not to start.
func (c Config) Warnings() []string {
	var w []string
	host, _, err := net.SplitHostPort(c.Listen)
	wide := err == nil && !loopback(host)
	if c.Development() && wide && c.Inbox() {
		w = append(w, "development on "+c.Listen+": whoever reaches it can read everybody's codes at /dev/inbox")
	}
	if !c.Development() && c.TLS.CertificateFile == "" && len(c.TrustedProxies) == 0 {
		w = append(w, "no certificate and no trusted_proxies: if a proxy is in front, all callers look like one, and share its limits")
	}
	if !c.Development() && c.SMS.Gateway != "off" && len(c.SMS.Countries) == 0 {
		w = append(w, "sms.countries is empty: SMS go to every country, also to those where fraud is paid per message")
	}
	if c.SessionManagement && !c.WatchedSessions() {
		w = append(w, "session_management is on, but not offered: browsers keep the cookie it needs only for an https issuer")
	}
	for _, o := range c.Origins {
		if !c.SameSite(o) {
			w = append(w, "origins: "+o+" is another site than the issuer: browsers keep the cookie from it, so that people are never signed in there. Put both under one domain, or make that app a relying party")
		}
	}
	if c.Passkeys.RPID == "" {
		w = append(w, "issuer "+c.Issuer+" is a bare address: browsers bind passkeys and security keys to a name, so there are none")
	}
	if !c.Development() && c.Registration == "open" {
		w = append(w, "registration is open: anybody may register relying parties")
	}
	if !c.Development() && c.BreachedPasswords.Check == "off" {
		w = append(w, "breached_passwords.check is off: passwords that attackers try first may be chosen")
	}
	for _, l := range c.limits() {
		if now := *l.at(&c).(*int); !c.Development() && now > number(l.Default) { //nolint:forcetypeassert // limits picks those
			w = append(w, fmt.Sprintf("%s is %d, more than the %s that are safe", l.Name, now, l.Default))
		}
	}
	return w
}

func number(s string) int {
	n, err := strconv.Atoi(s)
	if err != nil {
		return 0
	}
	return n
}
