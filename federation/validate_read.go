package federation

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"
	"time"

	"idp/internal/problem"
	"idp/internal/secret"
)

const maxConnection = 512 << 10 // octets of JSON

// ReadConnection reads what an operator wrote in JSON: the members of Connection, and
// client_secret, which is never printed. A member that there is none of is problem.Invalid on
// it, so that a slip of the pen is not a setting that silently does nothing. When the
// connection was made is not theirs to say, and left out. Whether it makes sense, Check says.
func ReadConnection(raw []byte) (Connection, error) {
	var c Connection
	if len(raw) > maxConnection {
		return c, wrong("", "A connection has at most %d bytes.", maxConnection)
	}
	said, err := members(raw, "", reflect.TypeFor[Connection](), secretMember)
	if err != nil {
		return c, err
	}
	if trust, ok := said["trust"]; ok && string(trust) != "null" {
		if _, err := members(trust, "trust.", reflect.TypeFor[Trust]()); err != nil {
			return c, err
		}
	}
	if err := json.Unmarshal(raw, &c); err != nil {
		return Connection{}, unreadable(err)
	}
	if text, ok := said[secretMember]; ok {
		var plain string
		if err := json.Unmarshal(text, &plain); err != nil {
			return Connection{}, wrong(secretMember, "Give the client secret as a text.")
		}
		c.ClientSecret = secret.NewString(plain)
	}
	c.CreatedAt, c.UpdatedAt = time.Time{}, time.Time{}
	return c.Tidy(), nil
}

const secretMember = "client_secret"

// members returns what an object says, by name. Names that the type does not have, and those
// that come twice, are problem.Invalid.
func members(raw []byte, within string, t reflect.Type, more ...string) (map[string]json.RawMessage, error) {
	known := map[string]bool{}
	for _, name := range more {
		known[name] = true
	}
	for f := range t.Fields() {
		if name, _, _ := strings.Cut(f.Tag.Get("json"), ","); name != "-" {
			known[name] = true
		}
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	if open, err := d.Token(); err != nil || open != json.Delim('{') {
		return nil, wrong(strings.TrimSuffix(within, "."), "Write one JSON object, in braces.")
	}
	said := map[string]json.RawMessage{}
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return nil, unreadable(err)
		}
		name, _ := key.(string) // an object's keys are texts
		switch {
		case !known[name]:
			return nil, wrong(within+name, "There is no member %q here. Is it spelled right?", within+name)
		case said[name] != nil:
			return nil, wrong(within+name, "The member %q is there twice.", within+name)
		}
		var value json.RawMessage
		if err := d.Decode(&value); err != nil {
			return nil, unreadable(err)
		}
		said[name] = value
	}
	if _, err := d.Token(); err != nil {
		return nil, unreadable(err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, wrong("", "There is something after the closing brace.")
	}
	return said, nil
}

// unreadable says of JSON what is wrong with it.
func unreadable(err error) error {
	var kind *json.UnmarshalTypeError
	var syntax *json.SyntaxError
	switch {
	case errors.As(err, &kind) && kind.Field != "":
		return wrong(kind.Field, "%s cannot be a %s.", kind.Field, kind.Value)
	case errors.As(err, &syntax):
		return wrong("", "That is no JSON: %v, at byte %d.", err, syntax.Offset)
	}
	return problem.New(problem.Invalid, "connection_invalid", fmt.Sprintf("That is no JSON: %v.", err)).Because(err)
}

// Tidy returns the connection in the spelling that we keep: of its preset's type, no space around values, domains
// in lower case and ASCII, certificates in PEM. What has no such spelling stays for Check to refuse.
func (c Connection) Tidy() Connection {
	for _, text := range []*string{
		&c.Name, &c.Preset, &c.Title, &c.Issuer, &c.ClientID, &c.AuthorizationEndpoint, &c.TokenEndpoint, &c.UserinfoEndpoint,
		&c.MetadataURL, &c.Metadata, &c.EntityID, &c.EntryPoint,
	} {
		*text = strings.TrimSpace(*text)
	}
	c.Type = cmp.Or(c.Type, c.preset().Type)
	c.ClientSecret = secret.NewString(strings.TrimSpace(c.ClientSecret.Reveal()))
	c.Certificate = asPEM(c.Certificate)
	if c.Certificate != "" && !strings.HasSuffix(c.Certificate, "\n") {
		c.Certificate += "\n"
	}
	var domains []string
	for _, d := range c.Domains {
		domains = append(domains, canonicalDomain(d))
	}
	c.Domains = domains
	return c
}

// Replacing returns the connection as it takes the place of an older one: with its name, type,
// age and version, which never change by writing, and with its secret, unless a new one is
// given. The secret is not kept where it would go to somebody else, or is of another client.
func (c Connection) Replacing(old Connection) (Connection, error) {
	switch {
	case c.Name != "" && c.Name != old.Name:
		return c, wrong("name", "The name of a connection never changes. This is %s; make another one instead.", old.Name)
	case c.Type != "" && c.Type != old.Type:
		return c, wrong("type", "The type of a connection never changes. This is %s; make another one instead.", old.Type)
	}
	c.Name, c.Type, c.CreatedAt, c.Version = old.Name, old.Type, old.CreatedAt, old.Version
	if c.ClientSecret.Empty() && !old.ClientSecret.Empty() {
		if !c.sameClient(old) {
			return c, wrong(secretMember, "Give the client secret again: the one on file was for another client, or another provider.")
		}
		c.ClientSecret = old.ClientSecret
	}
	return c, nil
}

// sameClient reports whether a secret of old is one of c's, too: the same client, at the same provider.
func (c Connection) sameClient(old Connection) bool {
	c, old = c.filled(), old.filled()
	return c.Preset == old.Preset && c.Issuer == old.Issuer && c.ClientID == old.ClientID && c.TokenEndpoint == old.TokenEndpoint
}
