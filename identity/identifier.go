package identity

import (
	"net/mail"
	"strings"
	"time"
	"unicode"

	"golang.org/x/net/idna"
	"golang.org/x/text/unicode/norm"

	"idp/internal/problem"
)

// Kind says what sort of identifier it is.
type Kind string

// The kinds there are. A phone number is on file for relying parties to know; nobody signs
// in with one.
const (
	Email Kind = "email"
	Phone Kind = "phone"
)

// Identifier is an address that is one person's, in its one canonical spelling.
type Identifier struct {
	Kind  Kind
	Value string // canonical: what is compared, counted and mailed to
}

// None reports whether nothing was given.
func (i Identifier) None() bool { return i.Value == "" }

const maxEmail = 254 // octets, RFC 5321 §4.5.3.1.3 less the angle brackets

// ErrEmail is what a person reads who typed something that is no e-mail address.
var ErrEmail = problem.New(problem.Invalid, "email_invalid", "Enter an email address like name@example.com.").On("identifier")

// ParseEmail returns the canonical form of one bare addr-spec: NFC, lower case, the
// domain in ASCII (IDNA). Quoted local parts, comments, display names, control
// characters and more than one @ are refused with ErrEmail, so that what is mailed
// to is exactly what was compared.
func ParseEmail(typed string) (Identifier, error) {
	s := norm.NFC.String(strings.TrimSpace(typed))
	if s == "" || len(s) > maxEmail || strings.Count(s, "@") != 1 || strings.ContainsFunc(s, unwelcome) {
		return Identifier{}, ErrEmail
	}
	local, domain, _ := strings.Cut(s, "@")
	domain, err := idna.Lookup.ToASCII(domain)
	if err != nil || local == "" || !strings.Contains(domain, ".") && domain != "localhost" {
		return Identifier{}, ErrEmail
	}
	canonical := strings.ToLower(local) + "@" + strings.ToLower(domain)
	parsed, err := mail.ParseAddress(canonical)
	if err != nil || parsed.Address != canonical || parsed.Name != "" || len(canonical) > maxEmail {
		return Identifier{}, ErrEmail
	}
	return Identifier{Kind: Email, Value: canonical}, nil
}

// unwelcome reports characters that no plain address needs and that parsers disagree about.
func unwelcome(r rune) bool {
	return unicode.IsControl(r) || unicode.IsSpace(r) || unicode.Is(unicode.Cf, r) ||
		strings.ContainsRune("\"(),:;<>[]\\", r) || r == unicode.ReplacementChar
}

// Mask hides most of an identifier for a screen that anyone might be looking at:
// "j•••@example.com", "•••56".
func (i Identifier) Mask() string {
	if i.Kind == Phone {
		return "•••" + i.Value[max(0, len(i.Value)-2):]
	}
	local, domain, ok := strings.Cut(i.Value, "@")
	if !ok || local == "" {
		return ""
	}
	first := []rune(local)[:1]
	return string(first) + "•••@" + domain
}

// HoldingID names an address on file.
type HoldingID string

// Holding is an identifier on a person's file. Until VerifiedAt is set it proves
// nothing, signs nobody in, and gives way to whoever proves it.
type Holding struct {
	ID         HoldingID
	UserID     UserID
	Identifier Identifier
	Primary    bool
	VerifiedAt time.Time // zero: unverified
	VerifiedBy Method    // how it was proven
	Source     string    // SourceSelf, SourceOperator, SourceImport or a connection's name
	CreatedAt  time.Time
}

// Who put an address on file.
const (
	SourceSelf     = "self"
	SourceOperator = "operator"
	SourceImport   = "import"
)

// Assigned reports whether the holder is found by the address: somebody proved it, or an
// operator said whose it is. An address that was only assigned must still answer before
// anybody is signed in with it.
func (h Holding) Assigned() bool { return h.Verified() || h.Source == SourceOperator }

// Verified reports whether somebody proved that they receive what is sent there.
func (h Holding) Verified() bool { return !h.VerifiedAt.IsZero() }
