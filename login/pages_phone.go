package login

import (
	"net/http"
	"time"

	"idp/identity"
)

// wantsPhone reports whether the page about a phone number is asked for: it was picked from
// the list, or a number waits for its code.
func wantsPhone(r *http.Request, v View) bool {
	if r.URL.Query().Has("other") {
		return false
	}
	drafted := v.Enrollment != nil && v.Enrollment.Method == identity.PhoneCode
	return drafted || identity.Method(r.FormValue("method")) == identity.PhoneCode
}

// enrollPhone asks for a number, or for the code that was sent to it.
func (p *Pages) enrollPhone(w http.ResponseWriter, r *http.Request, v View, o Option, trouble error) error {
	target := ""
	if v.Enrollment != nil && v.Enrollment.Method == identity.PhoneCode && !r.URL.Query().Has("change") && r.PostFormValue("detail") == "" {
		target = v.Enrollment.Target
	}
	return p.draw(w, r, trouble, "enroll_phone", struct {
		Party          *identity.Party
		Attempt        AttemptID
		Number, Target string
		Wait           int // seconds until another message may be sent
		Others         bool
	}{
		v.Party, v.ID, r.PostFormValue("detail"), target,
		max(0, int(o.ResendAt.Sub(p.Engine.Now()).Round(time.Second).Seconds())), len(v.Methods) > 1,
	})
}
