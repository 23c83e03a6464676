package provider

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"slices"
	"strings"

	"github.com/ory/fosite"

	"idp/internal/problem"
	"idp/provider/partykeys"
)

const maxObject = 32 << 10 // characters of a request object

// opened is a request object that was decrypted, and whose signature was checked if it has one.
type opened struct {
	typ    string // lower case, without "application/"
	signed bool
	claims json.RawMessage
}

func errObject(hint string, args ...any) error {
	return fosite.ErrInvalidRequestObject.WithHintf(hint, args...)
}

// openObject decrypts a request object and checks who made it. The client's registration
// says how it signs; one that did not say may use any algorithm there is, but none.
func (p *Provider) openObject(ctx context.Context, c Client, raw string) (opened, error) {
	if len(raw) > maxObject {
		return opened{}, errObject("A request object has at most 32 KiB.")
	}
	if strings.Count(raw, ".") == 4 {
		plain, err := p.decryptObject(ctx, c, raw)
		if err != nil {
			return opened{}, err
		}
		raw = plain
	}
	header, ok := headerOf(raw)
	if !ok {
		return opened{}, errObject("The request object is not a readable JWT.")
	}
	if header.Algorithm == unsigned {
		return bareObject(c, raw, header)
	}
	return p.verifyObject(ctx, c, raw)
}

// decryptObject opens what is encrypted to us, with the algorithms that the client
// registered if it did.
func (p *Provider) decryptObject(ctx context.Context, c Client, raw string) (string, error) {
	header, ok := headerOf(raw)
	if !ok {
		return "", errObject("The request object is not a readable JWT.")
	}
	if jwe := c.RequestObject.JWE; jwe != "" && jwe != header.Algorithm {
		return "", errObject("The request object is not encrypted as this client registered.")
	}
	if enc := c.RequestObject.Enc; enc != "" && enc != header.Content {
		return "", errObject("The request object is not encrypted as this client registered.")
	}
	plain, err := p.Keys.Decrypt(ctx, raw)
	if err != nil {
		return "", fosite.ErrInvalidRequestObject.WithHint("The request object cannot be decrypted.").WithWrap(err)
	}
	return string(plain), nil
}

// verifyObject checks the signature.
func (p *Provider) verifyObject(ctx context.Context, c Client, raw string) (opened, error) {
	algorithms := slices.Concat(partykeys.SigningAlgorithms, partykeys.HMACAlgorithms)
	if c.RequestObject.JWS != "" {
		algorithms = []string{c.RequestObject.JWS}
	}
	signed, err := p.parties.Verify(ctx, c.owner(p.Now()), raw, algorithms)
	if problem.Is(err, problem.Unauthenticated) {
		return opened{}, fosite.ErrInvalidRequestObject.WithHint("The request object is not signed with a key and algorithm of this client.").WithWrap(err)
	}
	if err != nil {
		return opened{}, err
	}
	return opened{typ: typOf(signed.Type), signed: true, claims: signed.Claims}, nil
}

// bareObject lets request objects without a signature pass for those who registered that.
func bareObject(c Client, raw string, header objectHeader) (opened, error) {
	if c.RequestObject.JWS != unsigned || c.RequireSignedRequest {
		return opened{}, fosite.ErrRequestNotSupported.WithHint("Unsigned request objects are not taken from this client.")
	}
	parts := strings.Split(raw, ".")
	if len(parts) != 3 || parts[2] != "" {
		return opened{}, errObject("An unsigned request object has no signature.")
	}
	claims, err := base64.RawURLEncoding.Strict().DecodeString(parts[1])
	if err != nil {
		return opened{}, errObject("The request object is not a readable JWT.")
	}
	return opened{typ: typOf(header.Type), claims: claims}, nil
}

// objectHeader is what we look at before anything is checked.
type objectHeader struct{ Algorithm, Content, Type string }

// headerOf reads the first part of a JWT strictly. What it does not understand but must, it refuses.
func headerOf(raw string) (h objectHeader, ok bool) {
	first, _, found := strings.Cut(raw, ".")
	text, err := base64.RawURLEncoding.Strict().DecodeString(first)
	if err != nil || !found {
		return h, false
	}
	members, err := readMembers(text)
	if err != nil || members["crit"] != nil || members["b64"] != nil || members["zip"] != nil {
		return h, false
	}
	for name, into := range map[string]*string{"alg": &h.Algorithm, "enc": &h.Content, "typ": &h.Type} {
		switch v := members[name].(type) {
		case nil:
		case string:
			*into = v
		default:
			return h, false
		}
	}
	return h, h.Algorithm != ""
}

func typOf(header string) string {
	return strings.TrimPrefix(strings.ToLower(header), "application/")
}
