package message_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"

	"idp/identity"
	"idp/internal/outbound"
	"idp/internal/secret"
	"idp/message"
	"idp/storage"
	"idp/storage/storagetest"
	"idp/templates"
)

const number = "+447400123456"

func text(at time.Time) message.Message {
	return message.Message{
		Kind: message.PhoneCode, To: identity.Identifier{Kind: identity.Phone, Value: number},
		Code: secret.NewString("314159"), ExpiresAt: at.Add(10 * time.Minute),
	}
}

// gateway is a server that notes what it was asked and answers as told.
type gateway struct {
	*httptest.Server
	status int
	answer string
	header http.Header
	path   string
	body   string
	calls  int
}

func newGateway(t *testing.T, status int, answer string) *gateway {
	g := &gateway{status: status, answer: answer}
	g.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		g.calls++
		g.header, g.path, g.body = r.Header, r.URL.Path, string(body)
		if g.status/100 == 3 {
			w.Header().Set("Location", "/elsewhere")
		}
		w.WriteHeader(g.status)
		_, _ = io.WriteString(w, g.answer)
	}))
	t.Cleanup(g.Close)
	return g
}

func local() *outbound.Client { return outbound.New(outbound.Options{Loopback: true}) }

func twilio(g *gateway) *message.Twilio {
	w := &message.Twilio{Account: "AC0123", Key: secret.NewString("hunter2"), From: "+15005550006", Outbound: local()}
	w.At(g.URL)
	return w
}

func sms() message.Letter {
	return message.Letter{ID: "msg_1", To: number, Kind: message.PhoneCode, Text: "314159 is your Äcme & Co code.", SMS: true}
}

func TestTwilioIsAskedAsItWantsToBe(t *testing.T) {
	g := newGateway(t, http.StatusCreated, `{"sid":"SM1"}`)
	w := twilio(g)
	if err := w.Send(t.Context(), sms()); err != nil {
		t.Fatal(err)
	}
	r := http.Request{Header: g.header}
	user, word, _ := r.BasicAuth()
	if g.path != "/2010-04-01/Accounts/AC0123/Messages.json" || user != "AC0123" || word != "hunter2" ||
		g.header.Get("Content-Type") != "application/x-www-form-urlencoded" ||
		g.body != "Body=314159+is+your+%C3%84cme+%26+Co+code.&From=%2B15005550006&To=%2B447400123456" {
		t.Errorf("%s by %s:%s with %s", g.path, user, word, g.body)
	}
	w.Service = "MG42"
	if err := w.Send(t.Context(), sms()); err != nil || !strings.Contains(g.body, "MessagingServiceSid=MG42") || strings.Contains(g.body, "From=") {
		t.Errorf("by a service: %v, %s", err, g.body)
	}
}

func TestTwiliosRefusalIsFinalIfItIsAboutTheNumber(t *testing.T) {
	for _, c := range []struct {
		why    string
		status int
		answer string
		code   int
		final  bool
	}{
		{"no such number", 400, `{"code":21211,"message":"The 'To' number +447400123456 is not valid","status":400}`, 21211, true},
		{"its owner said STOP", 400, `{"code":21610,"message":"unsubscribed"}`, 21610, true},
		{"a landline", 400, `{"code":21614,"message":"not a mobile number"}`, 21614, true},
		{"a country that the account is not for", 400, `{"code":21408,"message":"permission"}`, 21408, true},
		{"the operator's key is wrong", 401, `{"code":20003,"message":"Authenticate"}`, 20003, false},
		{"the operator's sender is not theirs", 400, `{"code":21606,"message":"From"}`, 21606, false},
		{"too fast", 429, `{"code":20429,"message":"Too many requests"}`, 20429, false},
		{"it is down", 503, `<html>`, 503, false},
		{"it points elsewhere", 307, ``, 307, false},
	} {
		g := newGateway(t, c.status, c.answer)
		err := twilio(g).Send(t.Context(), sms())
		var failed *message.Failed
		if !errors.As(err, &failed) || failed.Code != c.code || failed.Final != c.final || g.calls != 1 {
			t.Errorf("%s: %#v after %d calls", c.why, err, g.calls)
			continue
		}
		if err.Error() != fmt.Sprintf("the SMS gateway answered %d", c.code) || strings.Contains(failed.Said, "hunter2") {
			t.Errorf("%s: says %q, %q", c.why, err, failed.Said)
		}
	}
}

func TestGatewayGetsNumberTextAndTheIdThatStays(t *testing.T) {
	g := newGateway(t, http.StatusAccepted, "")
	w := &message.Gateway{URL: g.URL + "/send", Key: secret.NewString("hunter2"), Outbound: local()}
	if err := w.Send(t.Context(), sms()); err != nil {
		t.Fatal(err)
	}
	var got map[string]any
	if err := json.Unmarshal([]byte(g.body), &got); err != nil {
		t.Fatal(err)
	}
	if len(got) != 3 || got["to"] != number || got["text"] != sms().Text || got["id"] != "msg_1" {
		t.Errorf("body %s", g.body)
	}
	if g.header.Get("Authorization") != "Bearer hunter2" || g.header.Get("Idempotency-Key") != "msg_1" || g.header.Get("Content-Type") != "application/json" {
		t.Errorf("header %v", g.header)
	}
	w.Key = secret.String{}
	if err := w.Send(t.Context(), sms()); err != nil || g.header.Get("Authorization") != "" {
		t.Errorf("without a token: %v, %v", err, g.header)
	}
}

func TestGatewaysRefusalIsFinalIfItIsAboutTheMessage(t *testing.T) {
	for status, final := range map[int]bool{400: true, 410: true, 422: true, 401: false, 403: false, 404: false, 429: false, 500: false, 302: false, 307: false} {
		g := newGateway(t, status, "hunter2 is not known to "+number)
		err := (&message.Gateway{URL: g.URL, Key: secret.NewString("hunter2"), Outbound: local()}).Send(t.Context(), sms())
		var failed *message.Failed
		if !errors.As(err, &failed) || failed.Final != final || failed.Code != status || g.calls != 1 || err.Error() != fmt.Sprintf("the SMS gateway answered %d", status) {
			t.Errorf("%d: %#v after %d calls", status, err, g.calls)
		}
	}
}

func TestSilentGatewayIsLeftInTimeAndTriedAgain(t *testing.T) {
	stop := make(chan struct{})
	g := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		select {
		case <-stop:
		case <-r.Context().Done():
		}
	}))
	t.Cleanup(func() { close(stop); g.Close() })
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	began := time.Now()
	err := (&message.Gateway{URL: g.URL + "/hunter2", Key: secret.NewString("hunter2"), Outbound: local()}).Send(ctx, sms())
	var failed *message.Failed
	if !errors.As(err, &failed) || failed.Final || failed.Code != 0 || time.Since(began) > 4*time.Second {
		t.Fatalf("after %v: %#v", time.Since(began), err)
	}
	if strings.Contains(failed.Said+err.Error(), "hunter2") || strings.Contains(failed.Said, number) {
		t.Errorf("says %q, %q", err, failed.Said)
	}
}

func TestGatewayInsideTheNetworkIsNotReachedUnlessAllowed(t *testing.T) {
	g := newGateway(t, http.StatusOK, "")
	strict := outbound.New(outbound.Options{})
	err := (&message.Gateway{URL: g.URL, Outbound: strict}).Send(t.Context(), sms())
	if err == nil || g.calls != 0 {
		t.Fatalf("%v after %d calls", err, g.calls)
	}
}

func TestSMSLiesSealedAndGoesToPhonesOnly(t *testing.T) {
	p := newPost(t, storagetest.Open(t))
	set, err := templates.Load("")
	if err != nil {
		t.Fatal(err)
	}
	set.Brand, set.Host = "Acme", "id.example.com"
	inbox := storage.NewInbox(p.db)
	p.Text, p.Phones = set.SMS, message.Keep{Inbox: inbox}
	if err := p.Post(t.Context(), text(p.now)); err != nil {
		t.Fatal(err)
	}
	for _, hidden := range []string{"314159", "7400", "phone\""} {
		if strings.Contains(string(p.jobs[0].Args), hidden) {
			t.Errorf("the job shows %q: %s", hidden, p.jobs[0].Args)
		}
	}
	for range 2 { // the process died between sending and saying so
		if err := p.Deliver(t.Context(), p.jobs[0].Args); err != nil {
			t.Fatal(err)
		}
	}
	kept, err := inbox.Letters(t.Context(), number)
	if err != nil || len(kept) != 1 || len(p.sent) != 0 {
		t.Fatalf("kept %+v, mailed %d, %v", kept, len(p.sent), err)
	}
	if l := kept[0]; !l.SMS || l.Code != "314159" || l.HTML != "" || !strings.HasSuffix(l.Text, "\n@id.example.com #314159") {
		t.Errorf("kept %+v", l)
	}
	p.now = p.now.Add(10 * time.Minute)
	if err := p.Deliver(t.Context(), p.jobs[0].Args); err != nil || p.failures(t)[0].Detail["reason"] != "expired" {
		t.Errorf("late: %v, %+v", err, p.failures(t))
	}
}

func TestWithoutGatewayAnSMSIsGivenUpAndSaid(t *testing.T) {
	p := newPost(t, storagetest.Open(t))
	p.Text = func(string, string, templates.Letter) (string, error) { return "text", nil }
	if err := p.Post(t.Context(), text(p.now)); err != nil {
		t.Fatal(err)
	}
	if err := p.Deliver(t.Context(), p.jobs[0].Args); err != nil {
		t.Fatalf("it would be tried again: %v", err)
	}
	if f := p.failures(t); len(f) != 1 || f[0].Detail["kind"] != "phone_code" || len(p.sent) != 0 {
		t.Fatalf("failures %+v, mailed %d", f, len(p.sent))
	}
}

func TestFailureOfAGatewayTellsTheAuditTrailNoSecret(t *testing.T) {
	p := newPost(t, storagetest.Open(t))
	p.Text = func(string, string, templates.Letter) (string, error) { return "text", nil }
	g := newGateway(t, 500, "hunter2 "+number)
	p.Phones = &message.Gateway{URL: g.URL, Key: secret.NewString("hunter2"), Outbound: local()}
	if err := p.Post(t.Context(), text(p.now)); err != nil {
		t.Fatal(err)
	}
	err := p.Deliver(t.Context(), p.jobs[0].Args)
	said := fmt.Sprint(err, p.failures(t))
	if err == nil || len(p.failures(t)) != 1 || strings.Contains(said, "hunter2") || strings.Contains(said, "7400") || strings.Contains(said, "314159") {
		t.Fatalf("says %s", said)
	}
}

func TestSMSGoesOnlyToWhatIsOneNumber(t *testing.T) {
	p := newPost(t, storagetest.Open(t))
	p.Text = func(string, string, templates.Letter) (string, error) { return "text", nil }
	p.Phones = p
	for _, to := range []string{"+447400123456,+447400123457", "+44 7400 123456", "447400123456", "ann@example.com", "+447400123456\n", ""} {
		m := text(p.now)
		m.To.Value = to
		if err := p.SendNow(t.Context(), m); err == nil || len(p.sent) != 0 {
			t.Errorf("%q: %v, sent %d", to, err, len(p.sent))
		}
	}
}

// boundCode is the last line that browsers read (WICG origin-bound one-time codes).
var boundCode = regexp.MustCompile(`^@[a-z0-9.-]+ #[0-9]{6}$`)

func TestEverySMSFitsInOnePart(t *testing.T) {
	set, err := templates.Load("")
	if err != nil {
		t.Fatal(err)
	}
	set.Brand, set.Host = "Northwind Traders", "accounts.northwind.example"
	for kind, coded := range map[message.Kind]bool{message.PhoneCode: true, message.PhoneProof: true, message.PhoneHeld: false, message.Test: false} {
		text, err := set.SMS(string(kind), "", templates.Letter{To: number, Code: secret.NewString("314159"), Valid: 10 * time.Minute})
		if err != nil {
			t.Errorf("%s: %v", kind, err)
			continue
		}
		lines := strings.Split(text, "\n")
		if n := message.Parts(text); n != 1 || strings.Contains(text, "sms.") || !strings.Contains(text, "Northwind") {
			t.Errorf("%s is %d parts, %d characters: %q", kind, n, len(text), text)
		}
		if coded && (!boundCode.MatchString(lines[len(lines)-1]) || !strings.Contains(lines[0], "314159") || !strings.Contains(lines[0], "10 minutes")) {
			t.Errorf("%s: %q", kind, text)
		}
	}
}

func TestPartsAreCountedAsNetworksDo(t *testing.T) {
	for _, c := range []struct {
		why  string
		text string
		want int
	}{
		{"full", strings.Repeat("a", 160), 1},
		{"one too many", strings.Repeat("a", 161), 2},
		{"a character of the extension table is two", strings.Repeat("a", 159) + "€", 2},
		{"letters of the alphabet with marks", strings.Repeat("ä", 160), 1},
		{"three", strings.Repeat("a", 307), 3},
		{"another script", strings.Repeat("ж", 70), 1},
		{"too much of it", strings.Repeat("ж", 71), 2},
		{"one curly quote", "’" + strings.Repeat("a", 70), 2},
		{"outside the basic plane", strings.Repeat("😀", 35), 1},
		{"and one more", strings.Repeat("😀", 35) + "a", 2},
	} {
		if got := message.Parts(c.text); got != c.want {
			t.Errorf("%s: %d parts", c.why, got)
		}
	}
}
