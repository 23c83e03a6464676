package login

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"idp/internal/outbound"
	"idp/internal/secret"
)

// Provider is who makes the bot check.
type Provider string

// The providers.
const (
	OwnWork   Provider = "work" // ourselves, by proof of work
	Turnstile Provider = "turnstile"
	HCaptcha  Provider = "hcaptcha"
)

// Captcha is a third party that makes the check in a widget of its own and tells us what came
// of it. It is told nothing about the visitor by us; what its widget learns is between it and them.
type Captcha struct {
	Provider Provider
	SiteKey  string
	Secret   secret.String
	Host     string // the issuer's; a widget elsewhere says so
	URL      string // of siteverify, "" for the provider's
	Outbound *outbound.Client
}

var verifiers = map[Provider]string{
	Turnstile: "https://challenges.cloudflare.com/turnstile/v0/siteverify",
	HCaptcha:  "https://api.hcaptcha.com/siteverify",
}

// ourFault are error codes that say nothing about the visitor: then nobody was asked.
var ourFault = []string{"internal-error", "missing-input-secret", "invalid-input-secret", "bad-request", "sitekey-secret-mismatch"}

const (
	longestCaptcha = 8 << 10  // bytes of a widget's answer
	longestVerdict = 16 << 10 // bytes of what the provider says
	captchaLife    = 5 * time.Minute
	skew           = 30 * time.Second
)

// verdict is what siteverify answers.
type verdict struct {
	Success  bool      `json:"success"`
	Solved   time.Time `json:"challenge_ts"`
	Hostname string    `json:"hostname"`
	Action   string    `json:"action"` // Turnstile; hCaptcha knows none
	Errors   []string  `json:"error-codes"`
}

// verify asks the provider about a widget's answer: it must have been given on our host, for
// this action, a moment ago. Their word that it was used once is not enough for us; the
// digest is.
func (c *Captcha) verify(ctx context.Context, act Action, answer secret.String, now time.Time) (solution secret.Digest, until time.Time, err error) {
	if answer.Empty() || len(answer.Reveal()) > longestCaptcha {
		return "", until, ErrHuman
	}
	at := c.URL
	if at == "" {
		at = verifiers[c.Provider]
	}
	form := url.Values{"secret": {c.Secret.Reveal()}, "response": {answer.Reveal()}, "sitekey": {c.SiteKey}}.Encode()
	status, body, err := c.Outbound.Post(ctx, at, http.Header{"Content-Type": {"application/x-www-form-urlencoded"}}, []byte(form), longestVerdict)
	if err != nil {
		return "", until, ErrHumanUnreachable.Because(err)
	}
	if status != http.StatusOK {
		return "", until, ErrHumanUnreachable.Because(fmt.Errorf("%s answers with status %d", c.Provider, status))
	}
	var v verdict
	if err := json.Unmarshal(body, &v); err != nil {
		return "", until, ErrHumanUnreachable.Because(err)
	}
	age := now.Sub(v.Solved)
	switch {
	case slices.ContainsFunc(v.Errors, func(code string) bool { return slices.Contains(ourFault, code) }):
		return "", until, ErrHumanUnreachable
	case !v.Success, !strings.EqualFold(v.Hostname, c.Host), age > captchaLife+skew, age < -skew:
		return "", until, ErrHuman
	case c.Provider == Turnstile && v.Action != string(act):
		return "", until, ErrHuman
	}
	return secret.DigestOf(string(c.Provider) + " " + answer.Reveal()), now.Add(2 * captchaLife), nil
}

// Sources are what a page with the widget may load beside our own, by directive of its
// Content-Security-Policy. Nil without a widget.
func (c *Check) Sources() map[string]string {
	if c == nil {
		return nil
	}
	switch c.Provider {
	case Turnstile:
		const from = "https://challenges.cloudflare.com"
		return map[string]string{"script-src": from, "frame-src": from}
	case HCaptcha:
		const from = "https://hcaptcha.com https://*.hcaptcha.com"
		return map[string]string{"script-src": from, "frame-src": from, "style-src": from, "connect-src": from}
	case OwnWork:
	}
	return nil
}
