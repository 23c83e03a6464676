package message_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"idp/event"
	"idp/identity"
	"idp/internal/secret"
	"idp/job"
	"idp/message"
	"idp/storage"
	"idp/storage/storagetest"
	"idp/templates"
)

// post is an outbox on a real database, with a clock and a sender of the test's own.
type post struct {
	*message.Outbox
	db     *storage.DB
	queue  *storage.Queue
	jobs   []job.Job // what was enqueued, also what rolled back
	sent   []message.Letter
	answer error // what the sender says
	now    time.Time
}

func newPost(t *testing.T, db *storage.DB) *post {
	t.Helper()
	queue, err := storage.NewQueue(db, nil)
	if err != nil {
		t.Fatal(err)
	}
	p := &post{db: db, queue: queue, now: time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)}
	p.Outbox = &message.Outbox{
		Queue: p, Box: storagetest.Box(), Events: storage.NewEvents(db), Sender: p, Now: func() time.Time { return p.now },
		Render: func(kind, _ string, l templates.Letter) (string, string, string, error) {
			return kind, "Code " + l.Code.Reveal() + " link " + l.Link.Reveal() + " for " + l.Valid.String(), "", nil
		},
	}
	return p
}

func (p *post) Enqueue(ctx context.Context, j job.Job) error {
	p.jobs = append(p.jobs, j)
	return p.queue.Enqueue(ctx, j)
}

func (p *post) Send(_ context.Context, l message.Letter) error {
	if p.answer == nil {
		p.sent = append(p.sent, l)
	}
	return p.answer
}

func (p *post) failures(t *testing.T) []event.Event {
	t.Helper()
	all, err := storage.NewEvents(p.db).List(t.Context(), storage.EventFilter{Kind: event.MessageFailed})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func (p *post) waiting(t *testing.T) []job.State {
	t.Helper()
	all, err := p.queue.Jobs(t.Context(), "", 10)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func code(at time.Time) message.Message {
	return message.Message{
		Kind: message.SignIn, To: identity.Identifier{Kind: identity.Email, Value: "ann@example.com"},
		Code: secret.NewString("314159"), Link: secret.NewString("https://id.example/x?token=abcdef"), ExpiresAt: at.Add(10 * time.Minute),
	}
}

func TestMessageLivesOrDiesWithItsTransaction(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *storage.DB) {
		p := newPost(t, db)
		lost := errors.New("something else failed")
		err := db.InTx(t.Context(), func(ctx context.Context) error {
			return errors.Join(p.Post(ctx, code(p.now)), lost)
		})
		if !errors.Is(err, lost) || len(p.waiting(t)) != 0 {
			t.Fatalf("%v left %d jobs", err, len(p.waiting(t)))
		}
		if err := db.InTx(t.Context(), func(ctx context.Context) error { return p.Post(ctx, code(p.now)) }); err != nil {
			t.Fatal(err)
		}
		if all := p.waiting(t); len(all) != 1 || all[0].Kind != message.JobKind || all[0].Priority != job.High {
			t.Fatalf("waiting: %+v", all)
		}
	})
}

func TestWaitingMessageShowsNothingToWhoReadsTheDatabase(t *testing.T) {
	p := newPost(t, storagetest.Open(t))
	if err := p.Post(t.Context(), code(p.now)); err != nil {
		t.Fatal(err)
	}
	for _, hidden := range []string{"314159", "abcdef", "ann", "example.com"} {
		if strings.Contains(string(p.jobs[0].Args), hidden) {
			t.Errorf("the job shows %q: %s", hidden, p.jobs[0].Args)
		}
	}
	if err := p.Deliver(t.Context(), p.jobs[0].Args); err != nil {
		t.Fatal(err)
	}
	if len(p.sent) != 1 || p.sent[0].To != "ann@example.com" || p.sent[0].Text != "Code 314159 link https://id.example/x?token=abcdef for 10m0s" {
		t.Fatalf("sent %+v", p.sent)
	}
}

func TestLetterSentTwiceHasOneID(t *testing.T) {
	p := newPost(t, storagetest.Open(t))
	if err := p.Post(t.Context(), code(p.now)); err != nil {
		t.Fatal(err)
	}
	for range 2 { // the process died between sending and saying so
		if err := p.Deliver(t.Context(), p.jobs[0].Args); err != nil {
			t.Fatal(err)
		}
	}
	if p.sent[0].ID != p.sent[1].ID || p.sent[0].ID == "" {
		t.Fatalf("ids %q and %q", p.sent[0].ID, p.sent[1].ID)
	}
}

func TestExpiredCodeIsDroppedNotSentLate(t *testing.T) {
	p := newPost(t, storagetest.Open(t))
	if err := p.Post(t.Context(), code(p.now)); err != nil {
		t.Fatal(err)
	}
	p.answer = &message.Failed{Code: 421}
	for range 3 { // the mail server is down
		if err := p.Deliver(t.Context(), p.jobs[0].Args); err == nil {
			t.Fatal("a message that was not sent counts as delivered")
		}
	}
	p.answer, p.now = nil, p.now.Add(10*time.Minute)
	if err := p.Deliver(t.Context(), p.jobs[0].Args); err != nil || len(p.sent) != 0 {
		t.Fatalf("sent %d late, %v", len(p.sent), err)
	}
	failures := p.failures(t)
	if len(failures) != 4 || failures[0].Detail["reason"] != "expired" {
		t.Fatalf("failures: %+v", failures)
	}
}

func TestFinalRefusalIsRecordedAndNotTriedAgain(t *testing.T) {
	p := newPost(t, storagetest.Open(t))
	if err := p.Post(t.Context(), code(p.now)); err != nil {
		t.Fatal(err)
	}
	p.answer = &message.Failed{Code: 550, Final: true, Said: "ann@example.com is unknown"}
	if err := p.Deliver(t.Context(), p.jobs[0].Args); err != nil {
		t.Fatalf("it would be tried again: %v", err)
	}
	failures := p.failures(t)
	if len(failures) != 1 || failures[0].Detail["kind"] != "sign_in" || failures[0].Detail["reason"] != "the mail server answered 550" {
		t.Fatalf("failures: %+v", failures)
	}
}

func TestTamperedJobIsAnErrorNotAMail(t *testing.T) {
	p := newPost(t, storagetest.Open(t))
	for range 2 {
		if err := p.Post(t.Context(), code(p.now)); err != nil {
			t.Fatal(err)
		}
	}
	var one, two map[string]string
	_ = json.Unmarshal(p.jobs[0].Args, &one)
	_ = json.Unmarshal(p.jobs[1].Args, &two)
	one["sealed"] = two["sealed"] // another message's content under this one's id
	moved, _ := json.Marshal(one)
	for _, args := range []string{string(moved), "null", "{}", "[", `{"id":"msg_1","sealed":"v1.AAAA"}`} {
		if err := p.Deliver(t.Context(), json.RawMessage(args)); err == nil || len(p.sent) != 0 {
			t.Errorf("%s: %v, sent %d", args, err, len(p.sent))
		}
	}
}

func TestDevelopmentKeepsLettersWithTheirCodes(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *storage.DB) {
		p := newPost(t, db)
		p.Sender = message.Keep{Inbox: storage.NewInbox(db)}
		if err := p.SendNow(t.Context(), code(p.now)); err != nil {
			t.Fatal(err)
		}
		kept, err := storage.NewInbox(db).Letters(t.Context(), "ann@example.com")
		if err != nil || len(kept) != 1 || kept[0].Code != "314159" || kept[0].Link != "https://id.example/x?token=abcdef" {
			t.Fatalf("kept %+v, %v", kept, err)
		}
	})
}
