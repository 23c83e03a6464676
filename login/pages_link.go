package login

import (
	"net/http"

	"idp/identity"
	"idp/internal/secret"
)

// linkPage is the data of the page "link".
type linkPage struct {
	Party   *identity.Party
	Attempt AttemptID
	Bearer  string // the link's token, for the form
	Same    bool   // this browser asked for the link
	Digits  string // elsewhere: the code to type there
	Spent   bool
	Reset   bool
}

func (p *Pages) linkOf(r *http.Request, bearer string) (linkPage, LinkView, At, error) {
	at, err := p.at(r)
	if err != nil {
		return linkPage{}, LinkView{}, at, err
	}
	l, err := p.Engine.Link(r.Context(), at, secret.NewString(bearer))
	return linkPage{
		Party: l.View.Party, Attempt: at.Attempt, Bearer: bearer, Same: l.SameBrowser, Digits: spaced(l.Code.Reveal()),
		Spent: l.Spent, Reset: l.Method == identity.ResetCode,
	}, l, at, err
}

// spaced makes six digits easier to carry over.
func spaced(code string) string {
	if len(code) != 6 {
		return code
	}
	return code[:3] + "\u2009" + code[3:]
}

// Link answers GET /sign-in/{attempt}/link?token=: a page with a button, because mail
// scanners open links too. In another browser it shows the code to type where the sign-in
// was begun; a used link explains itself. Nothing is used up.
func (p *Pages) Link(w http.ResponseWriter, r *http.Request) error {
	page, _, _, err := p.linkOf(r, r.URL.Query().Get("token"))
	if err != nil {
		return err
	}
	return p.Web.Show(w, r, http.StatusOK, "link", page)
}

// FollowLink answers POST /sign-in/{attempt}/link: the button was pressed.
func (p *Pages) FollowLink(w http.ResponseWriter, r *http.Request) error {
	bearer := r.PostFormValue("token")
	page, l, at, err := p.linkOf(r, bearer)
	if err != nil {
		return err
	}
	if l.Spent || !l.SameBrowser {
		return p.Web.Show(w, r, http.StatusOK, "link", page)
	}
	v, err := p.Engine.Prove(r.Context(), at, l.Method, secret.NewString(bearer))
	if err != nil {
		return p.Web.Again(w, r, err, "link", page)
	}
	return p.advance(w, r, v)
}
