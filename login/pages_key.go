package login

import (
	"net/http"

	"idp/identity"
	"idp/internal/web"
)

// keyPage is the data of the pages "key" and "enroll_key".
type keyPage struct {
	Party     *identity.Party
	Attempt   AttemptID
	Method    identity.Method
	Second    bool
	Others    bool // there is another way
	TrustDays int  // the browser may be trusted for so long, 0: it may not
	Trust     bool
}

func isKeyMethod(m identity.Method) bool { return m == identity.Passkey || m == identity.SecurityKey }

// key shows how to prove oneself with a passkey or security key. The page's script asks for
// the challenge when the button is pressed.
func (p *Pages) key(w http.ResponseWriter, r *http.Request, v View, m identity.Method, trouble error) error {
	return p.draw(w, r, trouble, "key", keyPage{
		Party: v.Party, Attempt: v.ID, Method: m, Second: v.Step == NeedsSecondFactor,
		Others: len(v.Methods) > 1 || v.Step == NeedsIdentifier, TrustDays: v.TrustDays, Trust: r.PostFormValue("trust") != "",
	})
}

// enterByKey begins an attempt for a passkey, which names its person, and leads to its page.
func (p *Pages) enterByKey(w http.ResponseWriter, r *http.Request, ask Ask, public bool) error {
	v, _, err := p.begin(w, r, ask, public)
	if err != nil {
		return err
	}
	return web.Redirect(w, r, attemptPath(v.ID)+"?method="+string(identity.Passkey))
}

// Related answers GET /.well-known/webauthn at the root of the host: which origins may use the
// passkeys of this one (WebAuthn Level 3 §5.11.1).
func (w *WebAuthn) Related(rw http.ResponseWriter, _ *http.Request) error {
	if w == nil || len(w.origins) < 2 {
		return web.ErrNoPage
	}
	return web.WriteJSON(rw, http.StatusOK, struct {
		Origins []string `json:"origins"`
	}{w.origins})
}

// enrollKey shows how to set up a passkey or security key.
func (p *Pages) enrollKey(w http.ResponseWriter, r *http.Request, v View, trouble error) error {
	return p.draw(w, r, trouble, "enroll_key", keyPage{
		Party: v.Party, Attempt: v.ID, Method: v.Enrollment.Method, Others: len(v.Methods) > 1,
	})
}
