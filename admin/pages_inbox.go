package admin

import (
	"net/http"
	"strings"
	"time"

	"idp/internal/web"
	"idp/message"
)

// The development inbox shows what would have been sent. Its routes exist in development
// only, where whoever reaches the machine may read everything anyway.

// letterRow is a letter in the list.
type letterRow struct {
	ID, To, Subject, Digits, Link string
	SMS                           bool
	SentAt                        time.Time
}

func rowOf(l message.Letter) letterRow {
	return letterRow{l.ID, l.To, l.Subject, l.Code, l.Link, l.SMS, l.SentAt}
}

func (p *Pages) letters(r *http.Request) (to string, all []message.Letter, err error) {
	to = strings.ToLower(strings.TrimSpace(r.URL.Query().Get("to")))
	all, err = p.Inbox.Letters(r.Context(), to)
	return to, all, err
}

// ListLetters answers GET /dev/inbox?to=.
func (p *Pages) ListLetters(w http.ResponseWriter, r *http.Request) error {
	to, all, err := p.letters(r)
	if err != nil {
		return err
	}
	data := struct {
		To      string
		Now     time.Time
		Letters []letterRow
	}{To: to, Now: p.Now()}
	for _, l := range all {
		data.Letters = append(data.Letters, rowOf(l))
	}
	return p.Web.Show(w, r, http.StatusOK, "inbox", data)
}

// LettersJSON answers GET /dev/inbox.json?to= with the letters, newest first; for tests.
func (p *Pages) LettersJSON(w http.ResponseWriter, r *http.Request) error {
	_, all, err := p.letters(r)
	if err != nil {
		return err
	}
	if all == nil {
		all = []message.Letter{}
	}
	w.Header().Set("Cache-Control", "no-store")
	return web.WriteJSON(w, http.StatusOK, all)
}

// Letter answers GET /dev/inbox/{letter}.
func (p *Pages) Letter(w http.ResponseWriter, r *http.Request) error {
	all, err := p.Inbox.Letters(r.Context(), "")
	if err != nil {
		return err
	}
	for _, l := range all {
		if l.ID == r.PathValue("letter") {
			return p.Web.Show(w, r, http.StatusOK, "letter", struct {
				letterRow
				Text string
				Now  time.Time
			}{rowOf(l), l.Text, p.Now()})
		}
	}
	return web.ErrNoPage
}

// EmptyInbox answers POST /dev/inbox/empty.
func (p *Pages) EmptyInbox(w http.ResponseWriter, r *http.Request) error {
	if err := p.Inbox.Empty(r.Context()); err != nil {
		return err
	}
	return web.Redirect(w, r, "/dev/inbox")
}
