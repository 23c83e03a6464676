package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"idp/internal/secret"
	"idp/provider"
	"idp/token"
)

// clientFlags are what create and update may say of a client.
type clientFlags struct {
	metadata                           string // a file, or "-"
	name, kind, auth                   string
	redirects, logouts                 []string
	scopes, audience, grants, answers  []string
	keys, frontchannel, backchannel    string
	public, firstParty, introspect     bool
	requirePKCE, requirePAR, allClaims bool
	idTemplate, accessTemplate, format string
	accessAlgorithm                    string
}

const maxMetadata = 64 << 10

func (f *clientFlags) on(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&f.metadata, "metadata", "", "JSON `file` with metadata as in RFC 7591, - for standard input; other flags win over what it says")
	_ = cmd.MarkFlagFilename("metadata", "json") // fails only for a flag that is not there
	flags.StringVar(&f.name, "name", "", "what people see")
	oneOf(cmd, &f.kind, "type", "web", "what it is", "web", "spa", "native", "machine")
	flags.BoolVar(&f.public, "public", false, "it cannot keep a secret")
	flags.StringVar(&f.auth, "auth-method", "", "how it proves itself, like private_key_jwt; otherwise by its secret, basic or post")
	flags.StringVar(&f.keys, "jwks-uri", "", "where its own keys are")
	flags.StringArrayVar(&f.redirects, "redirect-uri", nil, "where people are sent back to, exactly; may be repeated")
	flags.StringArrayVar(&f.logouts, "post-logout-redirect-uri", nil, "where people are sent after signing out; may be repeated")
	flags.StringVar(&f.backchannel, "backchannel-logout-uri", "", "where we tell it that somebody signed out")
	flags.StringVar(&f.frontchannel, "frontchannel-logout-uri", "", "what the browser opens when somebody signs out")
	flags.StringArrayVar(&f.scopes, "scope", nil, "a scope it may ask for; may be repeated")
	flags.StringArrayVar(&f.audience, "audience", nil, "an API it may name; may be repeated")
	flags.StringArrayVar(&f.grants, "grant-type", nil, "a grant it may use; may be repeated")
	flags.StringArrayVar(&f.answers, "response-type", nil, "how it is answered, like \"code id_token\"; may be repeated; grants follow")
	flags.BoolVar(&f.firstParty, "first-party", false, "it is your own: people are not asked for consent")
	flags.BoolVar(&f.introspect, "may-introspect", false, "it is an API: it may ask about tokens of other apps")
	flags.BoolVar(&f.allClaims, "id-token-claims", false, "what scopes give is in the ID token too, for apps that never ask userinfo")
	flags.StringVar(&f.idTemplate, "id-token-template", "", "token `template` whose claims its ID tokens have too; empty for none")
	oneOf(cmd, &f.format, "access-token-format", "opaque", "what its access tokens are: jwt can be verified without asking us (RFC 9068)", "opaque", "jwt")
	oneOf(cmd, &f.accessAlgorithm, "access-token-alg", token.ES256, "what signs its JWT access tokens", token.SigningAlgorithms...)
	flags.StringVar(&f.accessTemplate, "access-token-template", "", "token `template` whose claims its JWT access tokens have too; empty for none")
	flags.BoolVar(&f.requirePKCE, "require-pkce", false, "it must use PKCE although it has a secret")
	flags.BoolVar(&f.requirePAR, "require-par", false, "it must push its requests first (RFC 9126)")
}

// put writes what was said into a client and leaves the rest: metadata first, by read, then
// the flags.
func (f *clientFlags) put(c *cli, cmd *cobra.Command, to *provider.Client, read func([]byte, provider.Client) (provider.Client, error)) error {
	if f.metadata != "" {
		text, err := c.readFile(f.metadata)
		if err != nil {
			return err
		}
		if *to, err = read(text, *to); err != nil {
			return err
		}
	}
	said := cmd.Flags().Changed
	for flag, write := range map[string]func(){
		"name":                     func() { to.Name = f.name },
		"type":                     func() { to.Type = provider.ClientType(f.kind) },
		"auth-method":              func() { to.AuthMethod = f.auth },
		"jwks-uri":                 func() { to.JWKSURI, to.JWKS = f.keys, nil },
		"redirect-uri":             func() { to.RedirectURIs = f.redirects },
		"post-logout-redirect-uri": func() { to.PostLogoutRedirectURIs = f.logouts },
		"backchannel-logout-uri":   func() { to.BackchannelLogoutURI = f.backchannel },
		"frontchannel-logout-uri":  func() { to.FrontchannelLogoutURI = f.frontchannel },
		"scope":                    func() { to.Scopes = f.scopes },
		"audience":                 func() { to.Audience = f.audience },
		"response-type":            func() { to.AnswerWith(f.answers) },
		"first-party":              func() { to.FirstParty = f.firstParty },
		"may-introspect":           func() { to.MayIntrospect = f.introspect },
		"id-token-claims":          func() { to.IDTokenClaims = f.allClaims },
		"id-token-template":        func() { to.IDTokenTemplate = f.idTemplate },
		"access-token-format":      func() { to.AccessTokenFormat = provider.AccessTokenFormat(f.format) },
		"access-token-alg":         func() { to.AccessTokenAlgorithm = f.accessAlgorithm },
		"access-token-template":    func() { to.AccessTokenTemplate = f.accessTemplate },
		"require-pkce":             func() { to.RequirePKCE = f.requirePKCE },
		"require-par":              func() { to.RequirePAR = f.requirePAR },
	} {
		if said(flag) {
			write()
		}
	}
	if said("grant-type") { // whatever the response types made of them
		to.GrantTypes = f.grants
	}
	if said("public") && f.public {
		to.AuthMethod = "none"
	}
	return nil
}

// readFile reads a file, or standard input for "-".
func (c *cli) readFile(name string) ([]byte, error) {
	from := c.in
	if name != "-" {
		file, err := os.Open(name) //nolint:gosec // the operator names the file
		if err != nil {
			return nil, fmt.Errorf("read metadata: %w", err)
		}
		defer file.Close() //nolint:errcheck // nothing was written
		from = file
	}
	text, err := io.ReadAll(io.LimitReader(from, maxMetadata+1))
	if err != nil {
		return nil, fmt.Errorf("read metadata: %w", err)
	}
	return text, nil
}

// describe is a client as commands print it: its metadata, the secret where it is new, and
// how it stands.
func describe(x provider.Client, key secret.String) (json.RawMessage, error) {
	more := map[string]any{"disabled": x.Disabled, "created_at": x.CreatedAt}
	if !key.Empty() {
		more["client_secret"] = key.Reveal()
	}
	var ends []time.Time
	for _, s := range x.Secrets {
		if !s.ExpiresAt.IsZero() {
			ends = append(ends, s.ExpiresAt)
		}
	}
	if len(ends) > 0 {
		more["old_secret_expires_at"] = ends
	}
	return x.Describe(more)
}

// showClient prints a client: as JSON if that was asked for, and otherwise a line for each member.
func (c *cli) showClient(x provider.Client, key secret.String) error {
	text, err := describe(x, key)
	if err != nil {
		return err
	}
	pairs, err := members(text)
	if err != nil {
		return err
	}
	if err := c.fields(text, pairs...); err != nil {
		return err
	}
	if !key.Empty() {
		c.note("The secret cannot be shown again.")
	}
	return nil
}

// members lists the members of a JSON object and their values, in the order they have there.
func members(text []byte) ([]string, error) {
	d := json.NewDecoder(bytes.NewReader(text))
	if _, err := d.Token(); err != nil {
		return nil, fmt.Errorf("print client: %w", err)
	}
	var pairs []string
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return nil, fmt.Errorf("print client: %w", err)
		}
		var value json.RawMessage
		if err := d.Decode(&value); err != nil {
			return nil, fmt.Errorf("print client: %w", err)
		}
		pairs = append(pairs, fmt.Sprint(name), inWords(value))
	}
	return pairs, nil
}

// inWords writes a JSON value for people: false is nothing, a list is its parts.
func inWords(value json.RawMessage) string {
	var text string
	var list []string
	switch {
	case string(value) == "false":
		return ""
	case string(value) == "true":
		return "yes"
	case json.Unmarshal(value, &text) == nil:
		return text
	case json.Unmarshal(value, &list) == nil:
		return strings.Join(list, ", ")
	}
	return string(value)
}
