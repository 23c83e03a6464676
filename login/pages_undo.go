package login

import (
	"net/http"

	"idp/identity"
	"idp/internal/problem"
	"idp/internal/secret"
	"idp/internal/web"
	"idp/session"
)

// undoPage is the data of the page "undo".
type undoPage struct {
	ID     UndoID
	Bearer string // the link's token, for the form
	State  string
	Undo   Undo
	Masked string // the address that changed
	Place  string
	Title  string // of the connection that it is about, "" if it is about none
	Voids  bool   // the password is voided, whatever the person says
	Asks   bool   // the person says whether the password is voided
}

// undonePage is the data of the page "undone".
type undonePage struct {
	Voided  bool
	Attempt AttemptID // a reset that was begun, "" if none was
	Mailbox string    // where its code went, masked
	Missing []string  // addresses that could not be put back, masked
}

func (p *Pages) undoOf(r *http.Request, bearer string) (undoPage, error) {
	id := UndoID(r.PathValue("undo"))
	v, err := p.Engine.LookUndo(r.Context(), id, secret.NewString(bearer))
	return undoPage{
		ID: id, Bearer: bearer, State: v.State, Undo: v.Undo, Masked: v.Undo.Address.Mask(), Place: v.Place, Title: v.Title,
		Voids: v.Voids, Asks: v.Has && !v.Voids,
	}, err
}

func (p *Pages) drawUndo(w http.ResponseWriter, r *http.Request, page undoPage) error {
	status := http.StatusOK
	switch page.State {
	case UndoUnknown:
		status = http.StatusNotFound
	case UndoUsed, UndoOld:
		status = http.StatusGone
	}
	return p.Web.Show(w, r, status, "undo", page)
}

// AskUndo answers GET /undo/{undo}?token=: what changed, and a button that takes it back,
// because mail scanners open links too. A link that is good for nothing explains itself.
func (p *Pages) AskUndo(w http.ResponseWriter, r *http.Request) error {
	page, err := p.undoOf(r, r.URL.Query().Get("token"))
	if err != nil {
		return err
	}
	return p.drawUndo(w, r, page)
}

// Undo answers POST /undo/{undo}: the change is taken back. It signs nobody in; where the
// password is void now, it begins a reset in this browser.
func (p *Pages) Undo(w http.ResponseWriter, r *http.Request) error {
	bearer := r.PostFormValue("token")
	at := At{Network: web.Network(r), UserAgent: session.Clip(r.UserAgent()), Locale: p.Web.Locale(r)}
	done, err := p.Engine.Undo(r.Context(), at, UndoID(r.PathValue("undo")), secret.NewString(bearer), r.PostFormValue("void") != "")
	if problem.Is(err, problem.Gone) || problem.Is(err, problem.NotFound) {
		page, err := p.undoOf(r, bearer)
		if err != nil {
			return err
		}
		return p.drawUndo(w, r, page)
	}
	if err != nil {
		return err
	}
	page := undonePage{Voided: done.Voided}
	for _, i := range done.Missing {
		page.Missing = append(page.Missing, i.Mask())
	}
	if done.Voided && !done.Mailbox.None() && p.Engine.Settings().Password {
		if page.Attempt, err = p.beginReset(w, r, at, done.Mailbox); err != nil {
			return err
		}
		page.Mailbox = done.Mailbox.Mask()
	}
	return p.Web.Show(w, r, http.StatusOK, "undone", page)
}

// beginReset starts to choose a new password for who has that mailbox. If no message may be
// sent there just now, the attempt is where another one can be asked for.
func (p *Pages) beginReset(w http.ResponseWriter, r *http.Request, at At, mailbox identity.Identifier) (AttemptID, error) {
	b, err := p.Sessions.Ensure(w, r)
	if err != nil {
		return "", err
	}
	at.Browser = b
	v, err := p.Engine.Start(r.Context(), Beginning{Browser: b, Goal: SignIn, Locale: at.Locale, Network: at.Network, UserAgent: at.UserAgent})
	if err != nil {
		return "", err
	}
	at.Attempt = v.ID
	if _, err = p.Engine.Identify(r.Context(), at, mailbox.Value); err != nil {
		return "", err
	}
	if _, err = p.Engine.Forgot(r.Context(), at); err != nil && !problem.Is(err, problem.TooMany) {
		return "", err
	}
	return v.ID, nil
}
