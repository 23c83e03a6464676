package login

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"net/url"
	"slices"
	"time"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/protocol/webauthncose"
	"github.com/go-webauthn/webauthn/webauthn"

	"idp/identity"
	"idp/internal/problem"
)

// Passkeys and security keys are both WebAuthn credentials (W3C Web Authentication Level 3).
// A passkey is discoverable and its device checked that it is its owner: it proves both
// categories in one gesture. A security key proves possession and nothing more, whatever it
// says of itself.
//
// What the browser answers is checked against a challenge of the attempt, once: right or
// wrong, it is used up. We ask for no attestation and believe none.

// The problems of passkeys and security keys.
var (
	ErrKeySpent      = problem.New(problem.Gone, "key_spent", "That took too long, or was tried before. Please try again.")
	ErrKeyUnreadable = problem.New(problem.Invalid, "key_unreadable", "The browser's answer could not be read. Please try again.")
	ErrKeyRefused    = problem.New(problem.Invalid, "key_refused", "That did not work. Please try again, or choose another way.")
	ErrKeyUnverified = problem.New(problem.Invalid, "key_unverified", "Your device did not check that it is you. Please confirm with your fingerprint, your face or the PIN.")
	ErrKeyUnknown    = problem.New(problem.Invalid, "key_unknown", "We do not know that passkey. Perhaps it was removed from your account. Please sign in another way.")
	ErrKeyForeign    = problem.New(problem.Invalid, "key_foreign", "That is not on this account. Please use another one.")
	ErrKeyCloned     = problem.New(problem.Invalid, "key_cloned", "That was refused: there seems to be a copy of it. We have told you by email. Please use another way.")
	ErrKeyTaken      = problem.New(problem.Conflict, "key_taken", "That is set up already. Please use another one.")
	ErrKeyWeak       = problem.New(problem.Invalid, "key_weak", "That kind of key is not safe enough here. Please use another one.")
	ErrKeyLimit      = problem.New(problem.Conflict, "key_limit", "You have as many passkeys and security keys as one account can have. Please remove one first.")
)

const (
	keyLife   = 5 * time.Minute // of a challenge, by our own clock
	keyAnswer = 64 << 10        // bytes of a browser's answer
	keyName   = 1023            // bytes of a credential's id (WebAuthn §5.8.3)
	keyLimit  = 20              // per person
	rsaLeast  = 2048            // bits
)

// WebAuthn is the site that passkeys and security keys are made for.
type WebAuthn struct {
	// Also says of more origins within the domain that they may use the same passkeys, which
	// browsers need not be told; nil: of none.
	Also func(origin string) bool

	lib     *webauthn.WebAuthn
	id      string
	origins []string
}

// NewWebAuthn makes the site: its id is a domain, the issuer's host or a parent of it; the
// name is what people are shown; the issuer's origin comes first, and others that may use the
// same passkeys after it.
func NewWebAuthn(id, name string, origins []string) (*WebAuthn, error) {
	for _, o := range origins {
		if u, err := url.Parse(o); err != nil || u.Host == "" || o != u.Scheme+"://"+u.Host {
			return nil, fmt.Errorf("passkeys: %q is no origin", o)
		}
	}
	lib, err := webauthn.New(&webauthn.Config{
		RPID: id, RPDisplayName: name, RPOrigins: origins, AttestationPreference: protocol.PreferNoAttestation,
		// Password managers answer with outputs that nobody asked for. We use none.
		ExtensionsUnsolicitedOutputPolicy: protocol.UnsolicitedOutputPolicyIgnore,
		Timeouts: webauthn.TimeoutsConfig{
			Login:        webauthn.TimeoutConfig{Timeout: keyLife, TimeoutUVD: keyLife},
			Registration: webauthn.TimeoutConfig{Timeout: keyLife, TimeoutUVD: keyLife},
		},
	})
	if err != nil {
		return nil, fmt.Errorf("passkeys: %w", err)
	}
	return &WebAuthn{lib: lib, id: id, origins: slices.Clone(origins)}, nil
}

// ID is the domain that passkeys are bound to.
func (w *WebAuthn) ID() string { return w.id }

// ceremony is what an answer is checked against; it waits in Challenge.Ceremony.
type ceremony struct {
	Kind    protocol.CeremonyType `json:"kind"`
	Session webauthn.SessionData  `json:"session"`
}

// algorithms are those that keys may use, best first.
var algorithms = []webauthncose.COSEAlgorithmIdentifier{webauthncose.AlgES256, webauthncose.AlgEdDSA, webauthncose.AlgRS256}

// creation asks the browser to make a credential.
func (w *WebAuthn) creation(m identity.Method, who holder) (options, session json.RawMessage, err error) {
	var params []protocol.CredentialParameter
	for _, a := range algorithms {
		params = append(params, protocol.CredentialParameter{Type: protocol.PublicKeyCredentialType, Algorithm: a})
	}
	required := m == identity.Passkey
	choice := protocol.AuthenticatorSelection{
		AuthenticatorAttachment: protocol.CrossPlatform, RequireResidentKey: &required,
		ResidentKey: protocol.ResidentKeyRequirementDiscouraged, UserVerification: protocol.VerificationDiscouraged,
	}
	hints := []protocol.PublicKeyCredentialHints{protocol.PublicKeyCredentialHintSecurityKey}
	if required {
		choice.AuthenticatorAttachment, hints = "", nil
		choice.ResidentKey, choice.UserVerification = protocol.ResidentKeyRequirementRequired, protocol.VerificationRequired
	}
	made, data, err := w.lib.BeginRegistration(who,
		webauthn.WithCredentialParameters(params), webauthn.WithAuthenticatorSelection(choice),
		webauthn.WithPublicKeyCredentialHints(hints), webauthn.WithConveyancePreference(protocol.PreferNoAttestation),
		webauthn.WithExclusions(webauthn.Credentials(who.keys).CredentialDescriptors()))
	if err != nil {
		return nil, nil, fmt.Errorf("ask for a new credential: %w", err)
	}
	return pack(made, ceremony{protocol.CreateCeremony, *data})
}

// request asks the browser for one of the holder's credentials, or with nobody in mind for
// any that it has.
func (w *WebAuthn) request(m identity.Method, who *holder) (options, session json.RawMessage, err error) {
	verification := protocol.VerificationDiscouraged
	if m == identity.Passkey {
		verification = protocol.VerificationRequired
	}
	var asked *protocol.CredentialAssertion
	var data *webauthn.SessionData
	if who == nil {
		asked, data, err = w.lib.BeginDiscoverableLogin(webauthn.WithUserVerification(verification))
	} else {
		asked, data, err = w.lib.BeginLogin(*who, webauthn.WithUserVerification(verification))
	}
	if err != nil {
		return nil, nil, fmt.Errorf("ask for a credential: %w", err)
	}
	return pack(asked, ceremony{protocol.AssertCeremony, *data})
}

func pack(options any, c ceremony) (shown, kept json.RawMessage, err error) {
	if shown, err = json.Marshal(options); err != nil {
		return nil, nil, err
	}
	kept, err = json.Marshal(c)
	return shown, kept, err
}

// registered checks that the answer made the credential that was asked for.
func (w *WebAuthn) registered(c ceremony, who holder, answer []byte) (made *webauthn.Credential, err error) {
	err = w.guarded(c, protocol.CreateCeremony, answer, func() error {
		parsed, err := protocol.ParseCredentialCreationResponseBytes(answer)
		if err != nil {
			return ErrKeyUnreadable.Because(err)
		}
		if err := w.fits(parsed.Response.CollectedClientData); err != nil {
			return err
		}
		auth := parsed.Response.AttestationObject.AuthData
		if err := verified(c, auth.Flags); err != nil {
			return err
		}
		if len(auth.AttData.CredentialID) > keyName {
			return ErrKeyWeak
		}
		if err := strong(auth.AttData.CredentialPublicKey); err != nil {
			return err
		}
		// We asked for no attestation, so whatever statement there is says nothing.
		parsed.Response.AttestationObject.Format = string(protocol.AttestationFormatNone)
		parsed.Response.AttestationObject.AttStatement, parsed.Response.AttestationObject.SubStatements = nil, nil
		made, err = w.at(parsed.Response.CollectedClientData).CreateCredential(who, c.Session, parsed)
		return err
	})
	return made, err
}

// answered is an answer that was read and belongs to a person, not yet checked.
type answered struct {
	Credential string // id in base64url
	Handle     []byte
	parsed     *protocol.ParsedCredentialAssertionData
}

// read takes apart what the browser answered to a request.
func (w *WebAuthn) read(c ceremony, answer []byte) (a answered, err error) {
	err = w.guarded(c, protocol.AssertCeremony, answer, func() error {
		parsed, err := protocol.ParseCredentialRequestResponseBytes(answer)
		if err != nil {
			return ErrKeyUnreadable.Because(err)
		}
		if len(parsed.RawID) > keyName {
			return ErrKeyUnreadable
		}
		a = answered{Credential: encoding.EncodeToString(parsed.RawID), Handle: parsed.Response.UserHandle, parsed: parsed}
		return w.fits(parsed.Response.CollectedClientData)
	})
	return a, err
}

// asserted checks that the holder's credential signed the challenge. The credential it
// returns has the new counter, or CloneWarning.
func (w *WebAuthn) asserted(c ceremony, who holder, a answered) (used *webauthn.Credential, err error) {
	err = w.guarded(c, protocol.AssertCeremony, nil, func() error {
		if err := verified(c, a.parsed.Response.AuthenticatorData.Flags); err != nil {
			return err
		}
		for _, k := range who.keys {
			if encoding.EncodeToString(k.ID) != a.Credential {
				continue
			}
			if err := strong(k.PublicKey); err != nil {
				return err // by today's rules, not by those of when it was made
			}
		}
		if len(c.Session.UserID) > 0 {
			used, err = w.at(a.parsed.Response.CollectedClientData).ValidateLogin(who, c.Session, a.parsed)
			return err
		}
		_, used, err = w.at(a.parsed.Response.CollectedClientData).ValidatePasskeyLogin(func([]byte, []byte) (webauthn.User, error) { return who, nil }, c.Session, a.parsed)
		return err
	})
	return used, err
}

// guarded runs the library on what a stranger sent: any refusal is a problem, a panic too.
func (w *WebAuthn) guarded(c ceremony, kind protocol.CeremonyType, answer []byte, do func() error) (err error) {
	defer func() {
		if cause := recover(); cause != nil {
			err = ErrKeyUnreadable.Because(fmt.Errorf("webauthn: %v", cause))
		}
		var known *problem.Error
		if err != nil && !errors.As(err, &known) {
			err = ErrKeyRefused.Because(err)
		}
	}()
	switch {
	case len(answer) > keyAnswer:
		return ErrKeyUnreadable
	case c.Kind != kind:
		return ErrKeyRefused
	}
	return do()
}

// fits checks where the browser says it was. The library compares origins more loosely.
func (w *WebAuthn) fits(c protocol.CollectedClientData) error {
	known := slices.Contains(w.origins, c.Origin) || w.Also != nil && w.Also(c.Origin)
	if !known || c.CrossOrigin || c.TopOrigin != "" {
		return ErrKeyRefused
	}
	return nil
}

// at is the library for an answer that fits.
func (w *WebAuthn) at(c protocol.CollectedClientData) *webauthn.WebAuthn {
	here := *w.lib.Config
	here.RPOrigins = []string{c.Origin}
	return &webauthn.WebAuthn{Config: &here}
}

func verified(c ceremony, flags protocol.AuthenticatorFlags) error {
	if c.Session.UserVerification == protocol.VerificationRequired && !flags.HasUserVerified() {
		return ErrKeyUnverified
	}
	return nil
}

// strong refuses keys that we do not trust to be unforgeable.
func strong(cose []byte) error {
	parsed, err := webauthncose.ParsePublicKey(cose)
	if err != nil {
		return ErrKeyWeak.Because(err)
	}
	var alg int64
	switch k := parsed.(type) {
	case webauthncose.EC2PublicKeyData:
		alg = k.Algorithm
	case webauthncose.OKPPublicKeyData:
		alg = k.Algorithm
	case webauthncose.RSAPublicKeyData:
		alg = k.Algorithm
		if new(big.Int).SetBytes(k.Modulus).BitLen() < rsaLeast {
			return ErrKeyWeak
		}
	}
	if !slices.Contains(algorithms, webauthncose.COSEAlgorithmIdentifier(alg)) {
		return ErrKeyWeak
	}
	return nil
}
