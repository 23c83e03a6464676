package web

import (
	"maps"
	"net/http"
	"slices"
	"strings"
)

// The policies of pages. There is no form-action: Chromium applies it to the redirects
// that follow a form, and ours end at relying parties.
const (
	pagePolicy  = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; frame-ancestors 'none'"
	otherPolicy = "default-src 'none'; base-uri 'none'; frame-ancestors 'none'"
	permissions = "accelerometer=(), camera=(), geolocation=(), gyroscope=(), magnetometer=(), microphone=(), payment=(), publickey-credentials-create=(self), publickey-credentials-get=(self), usb=()"
)

// headers are on every answer, whatever becomes of the request.
func (f *Faces) headers(h http.Header, s *state, face Face) {
	h.Set("X-Request-Id", s.trace)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Content-Security-Policy", otherPolicy)
	// Libraries that sign in in a pop-up read the answer through window.opener. One page on
	// the way with this policy, a redirect included, would cut that for good.
	if face == Page {
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
	}
	if face.html() || face == Protocol {
		h.Set("Permissions-Policy", permissions)
	}
	if face != Document && face != Plain {
		h.Set("Cache-Control", "no-store")
	}
	if f.lasting() {
		h.Set("Strict-Transport-Security", "max-age=31536000")
	}
}

// headers turn an answer into a page: it may use our own style and script. Who shares the
// host with others, below a path, does not run what those serve.
func (p *Pages) headers(h http.Header) {
	policy := pagePolicy
	if p.Base != "" {
		assets := p.Origin + p.Base + "/assets/"
		policy = strings.NewReplacer("style-src 'self'", "style-src "+assets, "script-src 'self'", "script-src "+assets).Replace(policy)
	}
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", policy)
	h.Set("Cache-Control", "no-store")
}

// allow adds what one page may load from elsewhere to a policy, by directive.
func allow(policy string, sources map[string]string) string {
	for _, directive := range slices.Sorted(maps.Keys(sources)) {
		if strings.Contains(policy, directive+" ") {
			policy = strings.Replace(policy, directive+" ", directive+" "+sources[directive]+" ", 1)
		} else {
			policy += "; " + directive + " " + sources[directive]
		}
	}
	return policy
}
