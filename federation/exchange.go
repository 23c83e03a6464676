package federation

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"

	"idp/identity"
	"idp/internal/outbound"
	"idp/internal/secret"
)

// granted is the answer of a token endpoint (RFC 6749 §5.1, OIDC Core §3.1.3.3).
type granted struct {
	access, refresh, id secret.String
	scope               string
	expires             time.Time
}

// tokens is what is kept of it.
func (g granted) tokens() identity.Tokens {
	return identity.Tokens{Access: g.access.Reveal(), Refresh: g.refresh.Reveal(), Scope: g.scope, ExpiresAt: g.expires}
}

// exchange sends a grant to a token endpoint.
func (f *Federation) exchange(ctx context.Context, c Connection, uri string, how Auth, grant url.Values) (granted, error) {
	proof, err := c.credential(f.Now())
	if err != nil {
		return granted{}, ErrSetup.Because(err)
	}
	header := http.Header{"Accept": {"application/json"}}
	switch how {
	case AuthBasic: // both halves are form-encoded first, RFC 6749 §2.3.1
		r := http.Request{Header: header}
		r.SetBasicAuth(url.QueryEscape(c.ClientID), url.QueryEscape(proof.Reveal()))
	case AuthPost:
		grant.Set("client_id", c.ClientID)
		grant.Set("client_secret", proof.Reveal())
	case AuthNone:
		grant.Set("client_id", c.ClientID)
	default:
		return granted{}, ErrSetup.Because(fmt.Errorf("client authentication %q is not spoken here", how))
	}
	body, kind := []byte(grant.Encode()), "application/x-www-form-urlencoded"
	if c.dialect().Body {
		flat := map[string]string{}
		for name := range grant {
			flat[name] = grant.Get(name)
		}
		if body, err = json.Marshal(flat); err != nil {
			return granted{}, err
		}
		kind = "application/json"
	}
	header.Set("Content-Type", kind)
	for name, value := range c.header() {
		header.Set(name, value)
	}
	status, answer, err := f.Outbound.Post(ctx, uri, header, body, maxAnswer+1)
	switch {
	case err != nil:
		return granted{}, ErrAway.Because(fmt.Errorf("ask the token endpoint: %w", cause(err)))
	case len(answer) > maxAnswer:
		return granted{}, refuse("the token endpoint answered with more than we read")
	case status >= http.StatusInternalServerError || status == http.StatusTooManyRequests:
		return granted{}, ErrAway.Because(fmt.Errorf("the token endpoint answered with status %d", status))
	}
	return readGranted(status, answer, f.Now())
}

// errGrant says that the provider is well and knows us, but not the code or token that somebody
// brought: anybody can bring one.
var errGrant = errors.New("no grant of theirs")

// readGranted reads an answer of a token endpoint. Some say an error with status 200.
func readGranted(status int, answer []byte, now time.Time) (granted, error) {
	said, err := object(answer)
	if err != nil {
		return granted{}, refuse("the token endpoint answered with status %d and what is no JSON object", status)
	}
	if name, bad := trouble(said); bad {
		cause := fmt.Errorf("error %s", name)
		if name == "invalid_grant" || name == "bad_verification_code" {
			cause = fmt.Errorf("%w: %w", errGrant, cause)
		}
		if name == "invalid_client" || name == "unauthorized_client" {
			return granted{}, ErrSetup.Because(&reason{"the token endpoint does not accept our client id or secret, it says " + name, nil})
		}
		return granted{}, refuseFor(cause, "the token endpoint answered with status %d and %s", status, plainly(name))
	}
	if status != http.StatusOK && status != http.StatusCreated {
		return granted{}, refuse("the token endpoint answered with status %d", status)
	}
	if list, is := said["scope"].([]any); is { // as Twitch sends it
		said["scope"] = strings.Join(texts(list), " ")
	}
	for _, name := range []string{"access_token", "refresh_token", "id_token", "scope", "token_type"} {
		if _, is := said[name].(string); !is && said[name] != nil {
			return granted{}, refuse("%s is no text", name)
		}
	}
	word := func(name string) string { s, _ := said[name].(string); return s }
	if kind := word("token_type"); kind != "" && !strings.EqualFold(kind, "bearer") {
		return granted{}, refuse("the token is of a type that is not spoken here")
	}
	if word("access_token") == "" {
		return granted{}, refuse("no access token")
	}
	return granted{
		access: secret.NewString(word("access_token")), refresh: secret.NewString(word("refresh_token")), id: secret.NewString(word("id_token")),
		scope: word("scope"), expires: expiry(said["expires_in"], now),
	}, nil
}

// expiry is when a token ends, zero if that is not told. Some write the seconds as a text.
func expiry(in any, now time.Time) time.Time {
	var text string
	switch v := in.(type) {
	case json.Number:
		text = v.String()
	case string:
		text = v
	}
	const most = 10 * 365 * 24 * 60 * 60
	seconds, err := strconv.ParseInt(text, 10, 64)
	if err != nil || seconds <= 0 {
		return time.Time{}
	}
	return now.Add(time.Duration(min(seconds, most)) * time.Second)
}

// trouble finds an error in an answer, whatever its status was.
func trouble(said map[string]any) (name string, bad bool) {
	switch e := said["error"].(type) {
	case nil:
	case string:
		if e != "" {
			return named(e), true
		}
	case bool:
		return "unnamed", e
	default:
		return "unnamed", true
	}
	if ok, is := said["ok"].(bool); is && !ok {
		return "unnamed", true
	}
	return "", false
}

var errorName = regexp.MustCompile(`^[A-Za-z_.-]{1,64}$`)

// named is the name of an error, for the log; what does not look like one is not repeated.
func named(e string) string {
	if errorName.MatchString(e) {
		return e
	}
	return "unnamed"
}

// object reads one JSON object. Numbers stay as they were written, so that ids lose nothing.
func object(body []byte) (map[string]any, error) {
	var said map[string]any
	if err := value(body, &said); err != nil {
		return nil, err
	}
	if said == nil {
		return nil, errors.New("no object")
	}
	return said, nil
}

// value reads one JSON value and nothing behind it.
func value(body []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	if err := d.Decode(into); err != nil {
		return errors.New("not the JSON that was expected") // the decoder's words repeat some of the answer
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errors.New("something behind the JSON")
	}
	return nil
}

// ask gets an answer of the provider's interface with the access token.
func (f *Federation) ask(ctx context.Context, c Connection, uri string, token secret.String, into any) error {
	header := http.Header{"Accept": {"application/json"}, "Authorization": {"Bearer " + token.Reveal()}}
	for name, value := range c.header() {
		header.Set(name, value)
	}
	if c.dialect().Proof {
		var err error
		if uri, err = c.proved(uri, token); err != nil {
			return err
		}
	}
	body, err := f.Outbound.GetWith(ctx, uri, header, maxAnswer)
	if err != nil {
		return ErrAway.Because(fmt.Errorf("ask who it is: %w", cause(err)))
	}
	if err := value(body, into); err != nil {
		return refuseFor(err, "the answer to who it is cannot be read")
	}
	return nil
}

// proved adds the proof that the access token is used by whom it was given to.
func (c Connection) proved(uri string, token secret.String) (string, error) {
	u, err := url.Parse(uri)
	if err != nil {
		return "", ErrSetup.Because(err)
	}
	mac := hmac.New(sha256.New, []byte(c.ClientSecret.Reveal()))
	mac.Write([]byte(token.Reveal()))
	q := u.Query()
	q.Set("appsecret_proof", hex.EncodeToString(mac.Sum(nil)))
	u.RawQuery = q.Encode()
	return u.String(), nil
}

// header are the fields that the provider wants with every call.
func (c Connection) header() map[string]string {
	fields := map[string]string{}
	for name, value := range c.dialect().Header {
		fields[name] = strings.ReplaceAll(value, "{client_id}", c.ClientID)
	}
	return fields
}

// cause is why a call failed, which is for the log alone.
func cause(err error) error {
	var failed *outbound.Error
	if errors.As(err, &failed) {
		return failed.Unwrap()
	}
	return err
}
