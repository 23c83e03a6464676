package federation

import (
	"maps"
	"regexp"
	"slices"
	"strings"
)

// This file is what a preset is; presets_table.go has them all. A preset saves an operator the
// endpoints, and says, with the document that justifies it, when the provider's word about an
// e-mail address is worth something. docs/operate/connections-presets.md follows from the table.

// Preset is a provider that we know.
type Preset struct {
	Name  string
	Title string // on buttons
	Type  Type

	// Issuer names whose subjects they are. For OpenID Connect it is where discovery begins, too.
	// In it and in the endpoints {name} stands for an option of the connection.
	Issuer                string
	AuthorizationEndpoint string // OAuth 2.0
	TokenEndpoint         string
	UserinfoEndpoint      string
	Scopes                []string
	Dialect               Dialect

	Claims  map[string]string // where values are, as in Connection.Claims
	Picture string            // where the picture is if no claim says so: {name} is a claim
	Emails  List              // if addresses come as a list: which one is meant

	Rule  Rule // when its word about the address counts; with Emails, about the entry that is meant
	Claim Rule // what it says where Rule believes nothing: for an operator who trusts the claim nevertheless
	Doc   Source

	// Own are the domains whose addresses the provider hands out itself, Hosted is the claim that names
	// the organization for which it hands out addresses. With either, Rule counts for the addresses of
	// Own, and of whoever has Hosted: of any other one the provider knows only that it was checked once.
	Own    []string
	Hosted string

	Needs   []string          // options without which it does not work
	Options map[string]string // options that have a value if none is given; "": may be left out
	Console string            // where an operator registers us
	Help    string            // one line on what to do there
}

// List says how to read a list of addresses.
type List struct {
	In      string // where the list is
	Address string // of an entry: its address
	Primary string // of an entry: true if it is the one that is meant
}

// Source is the public page that justifies a rule, and what it says, in our words.
type Source struct{ URL, Says string }

// preset returns one by its name.
func preset(name string) (Preset, bool) {
	i := slices.IndexFunc(presets, func(p Preset) bool { return p.Name == name })
	if name == "" || i < 0 {
		return Preset{}, false
	}
	return presets[i], true
}

// Presets returns all of them, by name.
func Presets() []Preset {
	return slices.SortedFunc(slices.Values(presets), func(a, b Preset) int { return strings.Compare(a.Name, b.Name) })
}

// Known reports whether there is such a preset or, without one, such a type.
func Known(name string, t Type) bool {
	if name == "" {
		return t == OIDC || t == OAuth2 || t == SAML
	}
	p, ok := preset(name)
	return ok && p.Type == t
}

// preset returns that of the connection; the zero Preset departs from nothing.
func (c Connection) preset() Preset {
	p, _ := preset(c.Preset)
	return p
}

// filled returns the connection with what its preset supplies. Where people go is the preset's
// and not the operator's, since what we believe is about that provider and no other.
func (c Connection) filled() Connection {
	p, ok := preset(c.Preset)
	if !ok {
		return c
	}
	c.Type = p.Type
	if c.Title == "" {
		c.Title = p.Title
	}
	if len(c.Scopes) == 0 {
		c.Scopes = slices.Clone(p.Scopes)
	}
	c.Issuer = c.expand(p.Issuer)
	c.AuthorizationEndpoint, c.TokenEndpoint, c.UserinfoEndpoint = c.expand(p.AuthorizationEndpoint), c.expand(p.TokenEndpoint), c.expand(p.UserinfoEndpoint)
	return c
}

// dialect is how the connection's provider talks, by its preset or, without one, by what an operator
// found out.
func (c Connection) dialect() Dialect {
	p, ok := preset(c.Preset)
	if !ok {
		return Dialect{
			NoPKCE: c.Options["pkce"] == "no", NoMaxAge: c.Options["max_age"] == "no", Auth: Auth(c.Options["token_auth"]),
		}
	}
	d := p.Dialect
	d.More = slices.Clone(d.More)
	for i := range d.More {
		d.More[i].URL = c.expand(d.More[i].URL)
	}
	return d
}

// option returns the value of an option: the operator's, or the preset's.
func (c Connection) option(name string) string {
	if v := c.Options[name]; v != "" {
		return v
	}
	return c.preset().Options[name]
}

var blank = regexp.MustCompile(`\{[a-z_]+\}`)

// expand replaces {name} by the option of that name.
func (c Connection) expand(template string) string {
	return blank.ReplaceAllStringFunc(template, func(s string) string {
		name := strings.Trim(s, "{}")
		if _, ours := optionSpelling[name]; !ours {
			return s
		}
		return c.option(name)
	})
}

// optionSpelling says how each option is spelled. What is put into addresses must not be able to
// lead elsewhere.
var optionSpelling = map[string]*regexp.Regexp{
	"tenant":    regexp.MustCompile(`^(common|organizations|consumers|` + guid + `)$`),
	"domain":    regexp.MustCompile(`^` + host + `$`),
	"host":      regexp.MustCompile(`^` + host + `(:[0-9]{1,5})?$`),
	"my_domain": regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,60}(--[a-z0-9]+\.sandbox)?$`),
	"realm":     regexp.MustCompile(`^[A-Za-z0-9_-]{1,100}$`),
	"team_id":   regexp.MustCompile(`^[A-Z0-9]{10}$`),
	"key_id":    regexp.MustCompile(`^[A-Z0-9]{10}$`),
}

const (
	guid = `[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}`
	host = `(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)*`
)

// checkPreset says what is wrong with the part of a connection that its preset looks at: a preset
// that we do not know, options that are missing, unknown or misspelled, or an endpoint that the
// preset decides.
func (c Connection) checkPreset() error {
	if c.Preset == "" {
		return nil
	}
	p, ok := preset(c.Preset)
	switch {
	case !ok:
		return wrong("preset", "There is no preset of that name.")
	case c.Type != "" && c.Type != p.Type:
		return wrong("type", "The preset %s is of type %s.", p.Name, p.Type)
	case c.Issuer != "" || c.AuthorizationEndpoint != "" || c.TokenEndpoint != "" || c.UserinfoEndpoint != "":
		return wrong("issuer", "The preset %s says where people go. Leave issuer and endpoints out.", p.Name)
	}
	for _, name := range p.Needs {
		if c.option(name) == "" {
			return wrong("options."+name, "The preset %s needs the option %s.", p.Name, name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(c.Options)) {
		if _, may := p.Options[name]; !may && !slices.Contains(p.Needs, name) {
			return wrong("options."+name, "The preset %s knows no option %s.", p.Name, name)
		}
		if !optionSpelling[name].MatchString(c.Options[name]) {
			return wrong("options."+name, "The option %s is misspelled.", name)
		}
	}
	if p.Issuer == appleIssuer {
		if _, err := appleKey(c.ClientSecret); err != nil {
			return wrong("client_secret", "Give the whole content of the .p8 file, from its first line, BEGIN PRIVATE KEY, to its last.")
		}
	}
	return nil
}

// consumers is the one tenant of Microsoft's personal accounts.
const consumers = "9188040d-6c67-4c5b-b112-36a304b66dad"

var anyGUID = regexp.MustCompile(`^` + guid + `$`)

// issuedBy returns who must have issued what makes these claims, "" if nobody may: the filled
// connection's issuer or, where each tenant issues by itself, that of the tenant they name.
func (c Connection) issuedBy(claims map[string]any) string {
	issued := c.dialect().Issued
	if issued == "" {
		return c.filled().Issuer
	}
	tid, _ := claims["tid"].(string)
	if !anyGUID.MatchString(tid) {
		return ""
	}
	switch tenant := c.option("tenant"); {
	case tenant == "organizations" && tid == consumers,
		tenant == "consumers" && tid != consumers,
		anyGUID.MatchString(tenant) && tid != tenant:
		return ""
	}
	return strings.ReplaceAll(issued, "{tenantid}", tid)
}
