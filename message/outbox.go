package message

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"idp/event"
	"idp/identity"
	"idp/internal/secret"
	"idp/job"
	"idp/templates"
)

// JobKind is the kind of job that delivers one message.
const JobKind = "message.send"

// attempts is how often delivery is tried; with the queue's backoff that is about six hours.
const attempts = 10

// Outbox takes messages in and sees them delivered.
type Outbox struct {
	Queue  job.Queue
	Box    *secret.Box // seals waiting messages
	Render Render
	Sender Sender
	Text   Text   // draws what goes to phones
	Phones Sender // nil: nothing can be sent to a phone
	Events event.Recorder
	Now    func() time.Time
}

// Render draws the subject, text and HTML of a kind of message; templates.Set.Mail does.
type Render func(kind, locale string, l templates.Letter) (subject, text, html string, err error)

// Text draws the text of a kind of SMS; templates.Set.SMS does.
type Text func(kind, locale string, l templates.Letter) (string, error)

// sealed is what a waiting job holds. ID is the letter's for ever: a letter sent twice by a
// crash is recognisable as the same one.
type sealed struct {
	ID     string `json:"id"`
	Kind   Kind   `json:"kind"`
	Sealed string `json:"sealed"`
}

// waiting is what sealed holds.
type waiting struct {
	To        string            `json:"to"`
	SMS       bool              `json:"sms,omitempty"`
	Locale    string            `json:"locale,omitempty"`
	Digits    string            `json:"code,omitempty"`
	Link      string            `json:"link,omitempty"`
	Words     map[string]string `json:"words,omitempty"`
	Notice    *Notice           `json:"notice,omitempty"`
	ExpiresAt time.Time         `json:"expires_at,omitzero"`
}

// Post queues a message, urgently, in the caller's transaction: if that rolls back, nothing
// is sent.
func (o *Outbox) Post(ctx context.Context, m Message) error {
	body, err := json.Marshal(waits(m))
	if err != nil {
		return fmt.Errorf("post message: %w", err)
	}
	id := secret.NewID("msg")
	args, err := json.Marshal(sealed{ID: id, Kind: m.Kind, Sealed: o.Box.Seal(place(id), body)})
	if err != nil {
		return fmt.Errorf("post message: %w", err)
	}
	if err := o.Queue.Enqueue(ctx, job.Job{Kind: JobKind, Args: args, Priority: job.High, Attempts: attempts}); err != nil {
		return fmt.Errorf("post message: %w", err)
	}
	return nil
}

func waits(m Message) waiting {
	return waiting{
		To: m.To.Value, SMS: m.To.Kind == identity.Phone, Locale: m.Locale,
		Digits: m.Code.Reveal(), Link: m.Link.Reveal(), Words: m.Words, Notice: m.Notice, ExpiresAt: m.ExpiresAt,
	}
}

// send hands a letter to who delivers its sort.
func (o *Outbox) send(ctx context.Context, l Letter) error {
	switch {
	case !l.SMS:
		return o.Sender.Send(ctx, l)
	case o.Phones == nil:
		return &Failed{SMS: true, Final: true, Said: "sms.gateway is off"}
	}
	return o.Phones.Send(ctx, l)
}

func place(id string) string { return "message:" + id }

// Deliver is the job.Handler of JobKind. A message that expired while it waited is dropped,
// not sent late. A refusal that will not change is recorded and done with; any other
// trouble is recorded and returned, so that the queue tries again.
func (o *Outbox) Deliver(ctx context.Context, args json.RawMessage) error {
	var s sealed
	if err := json.Unmarshal(args, &s); err != nil {
		return fmt.Errorf("read message job: %w", err)
	}
	plain, err := o.Box.Open(place(s.ID), s.Sealed)
	if err != nil {
		return fmt.Errorf("open message: %w", err)
	}
	var w waiting
	if err := json.Unmarshal(plain, &w); err != nil {
		return fmt.Errorf("read message: %w", err)
	}
	if !w.ExpiresAt.IsZero() && !o.Now().Before(w.ExpiresAt) {
		return o.fail(ctx, s, "expired")
	}
	letter, err := o.letter(s, w)
	if err != nil {
		return err
	}
	err = o.send(ctx, letter)
	if err == nil {
		return nil
	}
	var failed *Failed
	if errors.As(err, &failed) && failed.Final {
		return o.fail(ctx, s, failed.Error())
	}
	return errors.Join(fmt.Errorf("send message %s: %w", s.ID, err), o.fail(ctx, s, "not sent yet: "+err.Error()))
}

// SendNow renders and sends a message at once and says what the sender says; for `idp mail test`
// and `idp sms test`.
func (o *Outbox) SendNow(ctx context.Context, m Message) error {
	s := sealed{ID: secret.NewID("msg"), Kind: m.Kind}
	letter, err := o.letter(s, waits(m))
	if err != nil {
		return err
	}
	return o.send(ctx, letter)
}

func (o *Outbox) letter(s sealed, w waiting) (Letter, error) {
	// The address was parsed before it was posted; parse it again, since it becomes a header.
	parse := identity.ParseEmail
	if w.SMS {
		parse = identity.ParsePhone
	}
	to, err := parse(w.To)
	if err != nil || to.Value != w.To {
		return Letter{}, fmt.Errorf("message %s: its address does not parse", s.ID)
	}
	drawn := templates.Letter{To: w.To, Code: secret.NewString(w.Digits), Link: secret.NewString(w.Link), Words: map[string]string{}}
	for name, said := range w.Words {
		drawn.Words[name] = tame(said)
	}
	if w.Notice != nil {
		drawn.Notice = templates.Notice(w.Notice.tamed())
	}
	if !w.ExpiresAt.IsZero() {
		drawn.Valid = w.ExpiresAt.Sub(o.Now())
	}
	l := Letter{ID: s.ID, To: w.To, Kind: s.Kind, SMS: w.SMS, Code: w.Digits, Link: w.Link, SentAt: o.Now()}
	if w.SMS {
		l.Text, err = o.Text(string(s.Kind), w.Locale, drawn)
		l.Subject, _, _ = strings.Cut(l.Text, "\n")
	} else {
		l.Subject, l.Text, l.HTML, err = o.Render(string(s.Kind), w.Locale, drawn)
	}
	if err != nil {
		return Letter{}, fmt.Errorf("render message %s: %w", s.ID, err)
	}
	return l, nil
}

func (o *Outbox) fail(ctx context.Context, s sealed, why string) error {
	return o.Events.Record(ctx, event.Event{
		Kind: event.MessageFailed, Actor: "system", Detail: map[string]string{"message": s.ID, "kind": string(s.Kind), "reason": why},
	})
}
