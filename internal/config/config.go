// Package config reads how a process runs: where it listens, what it is called, where it
// keeps its data. There are three layers, each stronger than the one before: defaults, one
// YAML file, and the environment (IDP_ and the key in capitals, parts joined by "_"; for a
// secret also …_FILE, the name of a file that holds it).
//
// The file is read strictly: a key that nobody knows is an error with its line. An unknown
// IDP_ variable is only a warning, since orchestrators put such there. Every value knows
// where it came from, which `idp config explain` prints.
//
// What an operator changes while running (who may sign up, how long sessions last) is not
// here but in the database.
package config

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"idp/internal/secret"
)

// Source is where Load looks. The zero value reads nothing but defaults.
type Source struct {
	File    string   // YAML file, "" for none
	Environ []string // as os.Environ returns it
}

// Origin says where a value came from: "default", "idp.yaml:3", "IDP_LISTEN" or
// "IDP_MASTER_KEY_FILE (/run/secrets/key)".
type Origin string

// Load reads all layers. Warnings are for a person to read; err names every mistake found.
// Whether the values are safe to run with is for Validate to say.
func Load(from Source) (c Config, warnings []string, err error) {
	c = Config{origins: map[string]Origin{}, file: from.File}
	for _, k := range Keys() {
		c.origins[k.Name] = "default"
		if k.Default != "" {
			if err := set(k.at(&c), k, k.Default); err != nil {
				return c, nil, fmt.Errorf("default of %s: %w", k.Name, err)
			}
		}
	}
	var wrong []error
	if from.File != "" {
		text, err := os.ReadFile(from.File)
		if err != nil {
			return c, nil, fmt.Errorf("read configuration: %w", err)
		}
		wrong = append(wrong, c.readYAML(text)...)
	}
	warnings, mistakes := c.readEnvironment(from.Environ)
	c.complete()
	return c, warnings, errors.Join(append(wrong, mistakes...)...)
}

// readEnvironment applies IDP_… variables.
func (c *Config) readEnvironment(environ []string) (warnings []string, wrong []error) {
	found := map[string]string{}
	for _, pair := range environ {
		if name, value, ok := strings.Cut(pair, "="); ok && value != "" && strings.HasPrefix(name, "IDP_") {
			found[name] = value // compose and the like set empty ones for "not said"
		}
	}
	for _, k := range Keys() {
		value, given := found[k.Env()]
		delete(found, k.Env())
		if given {
			if err := set(k.at(c), k, value); err != nil {
				wrong = append(wrong, fmt.Errorf("%s: %w", k.Env(), err))
			}
			c.origins[k.Name] = Origin(k.Env())
		}
		if !k.Secret {
			continue
		}
		file, named := found[k.Env()+"_FILE"]
		delete(found, k.Env()+"_FILE")
		switch {
		case named && given:
			wrong = append(wrong, fmt.Errorf("%s and %s_FILE are both set; leave one", k.Env(), k.Env()))
		case named:
			if err := c.readSecret(k, file, k.Env()+"_FILE"); err != nil {
				wrong = append(wrong, err)
			}
		}
	}
	for name := range found {
		if !slices.Contains(elsewhere, name) {
			warnings = append(warnings, name+" is set, but there is no such setting"+likely(name, envNames()))
		}
	}
	slices.Sort(warnings)
	return warnings, wrong
}

// elsewhere are variables that are read by others: the command line and the tests.
var elsewhere = []string{"IDP_CONFIG", "IDP_TEST_POSTGRES"}

// readSecret takes a secret from the file that holds it.
func (c *Config) readSecret(k Key, file, by string) error {
	text, err := os.ReadFile(file) //nolint:gosec // the operator names the file
	if err != nil {
		return fmt.Errorf("%s: %w", by, err)
	}
	value := strings.TrimRight(string(text), "\r\n")
	if value == "" {
		return fmt.Errorf("%s: %s is empty", by, file)
	}
	if err := set(k.at(c), k, value); err != nil {
		return fmt.Errorf("%s: %w", by, err)
	}
	c.origins[k.Name] = Origin(by + " (" + file + ")")
	return nil
}

// set puts a value, as written, where it belongs.
func set(at any, k Key, value string) error {
	if strings.ContainsRune(value, 0) {
		return errors.New("a value cannot contain a zero byte")
	}
	if len(k.Allowed) > 0 && !slices.Contains(k.Allowed, value) {
		return fmt.Errorf("%q is none of %s", value, strings.Join(k.Allowed, ", "))
	}
	switch at := at.(type) {
	case *string:
		*at = value
	case *secret.String:
		*at = secret.NewString(value)
	case *int:
		n, err := strconv.Atoi(value)
		if err != nil {
			return fmt.Errorf("%q is not a whole number", value)
		}
		*at = n
	case *bool:
		*at = value == "true" // Allowed judged it
	case *time.Duration:
		d, err := time.ParseDuration(value)
		if err != nil {
			return fmt.Errorf("%q is not a time like 90s, 5m or 1h", value)
		}
		*at = d
	case *[]string:
		*at = nil
		for part := range strings.SplitSeq(value, ",") {
			if part = strings.TrimSpace(part); part != "" {
				*at = append(*at, part)
			}
		}
	default:
		return fmt.Errorf("no way to read a %T", at)
	}
	return nil
}

// complete derives what was not said from what was.
func (c *Config) complete() {
	derive := func(at *string, value string) {
		if *at == "" {
			*at = value
		}
	}
	derive(&c.Log.Format, map[bool]string{true: "text", false: "json"}[c.Development()])
	derive(&c.Registration, map[bool]string{true: "open", false: "token"}[c.Development()])
	derive(&c.BreachedPasswords.Check, map[bool]string{true: "off", false: "online"}[c.Development()])
	defer func() { derive(&c.Passkeys.RPID, c.passkeyHost()) }()
	if !c.Development() {
		return
	}
	scheme := "http"
	if c.TLS.CertificateFile != "" {
		scheme = "https"
	}
	if _, port, err := net.SplitHostPort(c.Listen); err == nil && port != "0" {
		derive(&c.Issuer, scheme+"://"+net.JoinHostPort("localhost", port))
	}
	derive(&c.MailFrom, "no-reply@localhost")
}

// Database is the URL of the database: database_url, or the SQLite file in data_dir.
func (c Config) Database() string {
	if c.DatabaseURL.Empty() {
		return "sqlite:" + filepath.Join(c.DataDir, "idp.db")
	}
	return c.DatabaseURL.Reveal()
}

// DatabaseName says where data lives, in words that may be shown: the file, or PostgreSQL's
// host and database without user and password.
func (c Config) DatabaseName() string {
	if path, ok := strings.CutPrefix(c.Database(), "sqlite:"); ok {
		if whole, err := filepath.Abs(path); err == nil {
			return whole
		}
		return path
	}
	u, err := url.Parse(c.Database())
	if err != nil {
		return "PostgreSQL"
	}
	return "PostgreSQL, " + u.Host + u.Path
}

// Box returns what seals under the master key. In development without one, the key in
// data_dir is used, and made at the first call; MakeDataDir goes first.
func (c Config) Box() (*secret.Box, error) {
	if !c.MasterKey.Empty() {
		box, err := secret.ParseMasterKey(c.MasterKey)
		if err != nil {
			return nil, fmt.Errorf("master_key: %w", err)
		}
		return box, nil
	}
	if !c.Development() {
		return nil, errors.New(refuseNoMasterKey)
	}
	return secret.OwnMasterKey(c.DataDir)
}

// MakeDataDir makes data_dir, for nobody else to read, if it is absent.
func (c Config) MakeDataDir() error {
	if err := os.MkdirAll(c.DataDir, 0o700); err != nil {
		return fmt.Errorf("make data_dir: %w", err)
	}
	return nil
}

// Proxies returns trusted_proxies as networks. Validate said whether they parse.
func (c Config) Proxies() []netip.Prefix {
	var nets []netip.Prefix
	for _, s := range c.TrustedProxies {
		if p, err := network(s); err == nil {
			nets = append(nets, p)
		}
	}
	return nets
}

func network(s string) (netip.Prefix, error) {
	if !strings.Contains(s, "/") {
		ip, err := netip.ParseAddr(s)
		if err != nil {
			return netip.Prefix{}, err
		}
		ip = ip.Unmap().WithZone("")
		return netip.PrefixFrom(ip, ip.BitLen()), nil
	}
	p, err := netip.ParsePrefix(s)
	return p.Masked(), err
}

// WatchedSessions reports whether session management is offered: it is on, and the issuer
// is https.
func (c Config) WatchedSessions() bool {
	return c.SessionManagement && c.IssuerURL().Scheme == "https"
}

// IssuerURL returns the issuer parsed. Validate said whether it does.
func (c Config) IssuerURL() *url.URL {
	u, err := url.Parse(c.Issuer)
	if err != nil {
		return &url.URL{}
	}
	return u
}
