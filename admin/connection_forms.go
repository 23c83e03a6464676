package admin

import (
	"bytes"
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"idp/event"
	"idp/federation"
	"idp/internal/problem"
	"idp/internal/secret"
)

// connectionForm is what an operator fills in about a connection. The secret never is in it.
type connectionForm struct {
	federation.Connection

	New       bool
	Asked     string // a name that could not be taken
	Known     federation.Preset
	Told      []Told
	Choices   []option
	ScopeList string // with spaces between
	Lines     string // of domains
	ClaimList string // "email = mail", one a line
	Trusts    []federation.EmailTrust
	Lengthy   bool // the secret is a text of several lines
	HasSecret bool
	Linked    int
	Stranded  int
	Last      bool // nobody has another way in
	JSON      string
	Saved     bool
	Made      bool
	Report    *federation.Report // of a test just made
	Refusals  []event.Event      // the last, with why
}

// option is a field of a preset's own.
type option struct {
	Name, Value, Usual string
	Needed             bool
}

// draft is the form of a connection that is not made yet.
func (p *Pages) draft(x federation.Connection) connectionForm {
	f := connectionForm{New: true}
	f.show(x)
	if x.Name != "" {
		f.Told = p.Connections.Told(x)
	}
	return f
}

// presentConnection is the form of one that is there.
func (p *Pages) presentConnection(r *http.Request) (connectionForm, federation.Connection, error) {
	x, err := p.Connections.Get(r.Context(), r.PathValue("connection"))
	if err != nil {
		return connectionForm{}, x.Connection, err
	}
	stranded, err := p.Connections.Stranded(r.Context(), x.Connection)
	if err != nil {
		return connectionForm{}, x.Connection, err
	}
	f := connectionForm{Told: p.Connections.Told(x.Connection), Linked: x.Linked, Stranded: stranded, HasSecret: !x.ClientSecret.Empty()}
	if err := p.Connections.notLast(r.Context(), x.Connection, false); err != nil {
		if f.Last = errors.Is(err, errConnectionLast); !f.Last {
			return f, x.Connection, err
		}
	}
	if f.Refusals, err = p.Connections.Store.Refusals(r.Context(), x.Name); err != nil {
		return f, x.Connection, err
	}
	f.show(x.Connection)
	text, err := json.Marshal(f.Connection)
	if err != nil {
		return f, x.Connection, err
	}
	var spaced bytes.Buffer
	err = json.Indent(&spaced, text, "", "  ")
	f.JSON = spaced.String()
	return f, x.Connection, err
}

// show fills in what the connection says.
func (f *connectionForm) show(x federation.Connection) {
	x.ClientSecret = secret.String{}
	f.Connection = x
	for _, known := range federation.Presets() {
		if known.Name == x.Preset {
			f.Known = known
		}
	}
	f.Known.Help = strings.ReplaceAll(f.Known.Help, "`", "")
	f.Choices = nil
	for _, name := range f.Known.Needs {
		f.Choices = append(f.Choices, option{Name: name, Value: x.Options[name], Needed: true})
	}
	for _, name := range slices.Sorted(maps.Keys(f.Known.Options)) {
		f.Choices = append(f.Choices, option{Name: name, Value: x.Options[name], Usual: f.Known.Options[name]})
	}
	f.Lengthy = slices.Contains(f.Known.Needs, "key_id")
	f.ScopeList, f.Lines = strings.Join(x.Scopes, " "), strings.Join(x.Domains, "\n")
	var claims []string
	for _, key := range slices.Sorted(maps.Keys(x.Claims)) {
		claims = append(claims, key+" = "+x.Claims[key])
	}
	f.ClaimList = strings.Join(claims, "\n")
	f.Trusts = []federation.EmailTrust{"", federation.TrustNever, federation.TrustDomains}
	if x.Type != federation.SAML {
		f.Trusts = slices.Insert(f.Trusts, 2, federation.TrustClaim)
	}
}

// typed keeps lists as they came, so that a mistake is where it was made.
func (f *connectionForm) typed(r *http.Request) {
	f.ScopeList, f.Lines, f.ClaimList = r.PostFormValue("scopes"), r.PostFormValue("domains"), r.PostFormValue("claims")
}

// readConnection returns old with what the form says. Its secret is what was typed, and none if
// nothing was.
func readConnection(r *http.Request, old federation.Connection) (federation.Connection, error) {
	x := old
	said := func(field string) string { return strings.TrimSpace(r.PostFormValue(field)) }
	x.Title, x.Hidden, x.KeepTokens = said("title"), ticked(r, "hidden"), ticked(r, "keep_tokens")
	x.Domains, x.Enforce = lines(r.PostFormValue("domains")), ticked(r, "enforce_sso")
	x.Trust = federation.Trust{Email: federation.EmailTrust(said("trust.email")), MFA: ticked(r, "trust.mfa")}
	x.ClientSecret = secret.NewString(said("client_secret"))
	x.Version, _ = strconv.Atoi(said("version")) // what is no number is no version
	switch {
	case x.Type == federation.SAML:
		x.MetadataURL, x.Metadata, x.IDPInitiated = said("metadata_url"), said("metadata"), ticked(r, "idp_initiated")
		x.EntityID, x.EntryPoint, x.Certificate = said("entity_id"), said("entry_point"), said("certificate")
	case x.Preset == "":
		x.Issuer = said("issuer")
		x.AuthorizationEndpoint, x.TokenEndpoint, x.UserinfoEndpoint = said("authorization_endpoint"), said("token_endpoint"), said("userinfo_endpoint")
		fallthrough
	default:
		x.ClientID, x.Scopes = said("client_id"), strings.Fields(r.PostFormValue("scopes"))
		if x.Preset != "" {
			x.Options = chosen(r)
		}
	}
	x.Claims = map[string]string{}
	for _, line := range lines(r.PostFormValue("claims")) {
		key, at, ok := strings.Cut(line, "=")
		if !ok {
			return x, problem.New(problem.Invalid, "connection_invalid", "Write one claim a line, like email = mail.").On("claims")
		}
		x.Claims[strings.TrimSpace(key)] = strings.TrimSpace(at)
	}
	return x, nil
}

// chosen returns the options of a preset that were filled in.
func chosen(r *http.Request) map[string]string {
	all := map[string]string{}
	for field := range r.PostForm {
		if name, ok := strings.CutPrefix(field, "options."); ok {
			if v := strings.TrimSpace(r.PostFormValue(field)); v != "" {
				all[name] = v
			}
		}
	}
	return all
}

// inForm says of a claim that was refused which field it stands in.
func inForm(err error) error {
	var e *problem.Error
	if errors.As(err, &e) && strings.HasPrefix(e.Field, "claims.") {
		return e.On("claims")
	}
	return err
}
