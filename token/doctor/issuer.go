package doctor

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/go-jose/go-jose/v4"
)

const maxAnswer = 256 << 10

// discovery is what is read of the issuer's metadata.
type discovery struct {
	Issuer     string   `json:"issuer"`
	JWKS       string   `json:"jwks_uri"`
	Algorithms []string `json:"id_token_signing_alg_values_supported"`
}

// keys is the issuer's key set as it is served.
type keys struct {
	set    *jose.JSONWebKeySet // nil: not to be had
	header http.Header
}

var errStatus = errors.New("not answered with status 200")

// fetch reads a document of the issuer's as a backend would.
func (x *exam) fetch(ctx context.Context, uri string) ([]byte, http.Header, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, uri, nil)
	if err != nil {
		return nil, nil, err
	}
	req.Header.Set("Accept", "application/json")
	res, err := x.Outbound.HTTP().Do(req)
	if err != nil {
		return nil, nil, err
	}
	defer res.Body.Close() //nolint:errcheck // nothing was written
	if res.StatusCode != http.StatusOK {
		return nil, nil, fmt.Errorf("%w but %d", errStatus, res.StatusCode)
	}
	body, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer))
	return body, res.Header, err
}

// atIssuer goes where the target goes for keys.
func (x *exam) atIssuer(ctx context.Context) {
	x.address()
	where := strings.TrimSuffix(x.issuer, "/") + "/.well-known/openid-configuration"
	body, _, err := x.fetch(ctx, where)
	if err != nil {
		x.fail("discovery", where+" cannot be fetched from here"+why(err)+".", "Start idp serve, and see that the address leads to it. If it is on a private network, name its host in outbound_allow.")
		return
	}
	if err := json.Unmarshal(body, &x.found); err != nil {
		x.fail("discovery", where+" answers with something else than JSON.", "See what answers there: a proxy, or another service?")
		return
	}
	x.sameIssuer()
	if x.found.JWKS == "" {
		x.fail("jwks", "Discovery names no jwks_uri.", "See what answers at "+where+": this is not what idp says.")
		return
	}
	x.report.JWKS = x.found.JWKS
	x.keySet(ctx)
}

// why tells of a failed call what can be told.
func why(err error) string {
	if errors.Is(err, errStatus) {
		return ": " + err.Error()
	}
	return ""
}

// address judges where the issuer is, seen from the target.
func (x *exam) address() {
	u, err := url.Parse(x.issuer)
	if err != nil {
		x.fail("issuer", "The issuer is no URL.", "Correct issuer in the configuration.")
		return
	}
	local := u.Hostname() == "localhost" || strings.HasSuffix(u.Hostname(), ".localhost") || strings.HasPrefix(u.Hostname(), "127.") || u.Hostname() == "::1"
	switch {
	case x.place == hosted && (local || u.Scheme != "https"):
		x.fail("issuer", x.title+" fetches keys over the Internet, and "+x.issuer+" cannot be reached from there.", "Run idp at a public https address for this, or tunnel to it and make the tunnel's address the issuer.")
	case x.place == secured && u.Scheme != "https":
		x.fail("issuer", x.title+" takes only an issuer with https.", "Serve idp by https, with a certificate that the target trusts.")
	case x.place == anywhere && local:
		x.warn("issuer", x.issuer+" means this machine: a target in a container or elsewhere finds nothing there.", "Give the target an address of this machine that it can reach, and make that the issuer.")
	default:
		x.fine("issuer", x.issuer)
	}
}

func (x *exam) sameIssuer() {
	switch {
	case x.found.Issuer == x.issuer:
		x.fine("discovery", "Its issuer is the configured one, to the letter.")
	case strings.TrimSuffix(x.found.Issuer, "/") == strings.TrimSuffix(x.issuer, "/"):
		x.fail("discovery", fmt.Sprintf("Discovery says %q and the configuration %q: they differ by a slash.", x.found.Issuer, x.issuer), "Spell issuer without the last slash, everywhere.")
	default:
		x.fail("discovery", fmt.Sprintf("Discovery says that the issuer is %q, and the configuration %q.", x.found.Issuer, x.issuer), "See that the address leads to this instance, and that all its processes have the same issuer.")
	}
}

// keySet fetches the published keys and judges them.
func (x *exam) keySet(ctx context.Context) {
	body, h, err := x.fetch(ctx, x.found.JWKS)
	if err != nil {
		x.fail("jwks", x.found.JWKS+" cannot be fetched"+why(err)+".", "See that the address leads to idp serve.")
		return
	}
	var set jose.JSONWebKeySet
	if err := json.Unmarshal(body, &set); err != nil || len(set.Keys) == 0 {
		x.fail("jwks", x.found.JWKS+" holds no keys.", "See what answers there: this is not what idp says.")
		return
	}
	if slices.ContainsFunc(set.Keys, func(k jose.JSONWebKey) bool { return !k.IsPublic() }) {
		x.fail("jwks", "The key set holds a private key.", "Take it off the network at once, and rotate: idp keys rotate --now")
		return
	}
	x.keys = keys{&set, h}
	x.fine("jwks", fmt.Sprintf("%d public keys at %s.", len(set.Keys), x.found.JWKS))
	cache := h.Get("Cache-Control")
	if strings.Contains(cache, "max-age=") && !strings.Contains(cache, "no-store") {
		x.fine("cache", cache+".")
	} else {
		x.warn("cache", fmt.Sprintf("The keys are served with Cache-Control %q: %s asks for them more often than it has to, or keeps them for too long.", cache, x.title), "Let the proxy in front of idp pass Cache-Control on as it is.")
	}
}
