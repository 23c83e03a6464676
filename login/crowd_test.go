package login_test

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"idp/internal/secret"
	"idp/login"
)

func TestWhoFindsNoPlaceInTheCrowdIsRefusedBeforeAnythingIsDone(t *testing.T) {
	crowd := login.NewCrowd(2, time.Millisecond)
	in, out, done := make(chan struct{}), make(chan struct{}), make(chan error)
	slow := crowd.Bounded(func(http.ResponseWriter, *http.Request) error {
		in <- struct{}{}
		<-out
		return nil
	})
	for range 2 {
		go func() { done <- slow(httptest.NewRecorder(), httptest.NewRequest(http.MethodPost, "/", nil)) }()
		<-in
	}
	refused := crowd.Bounded(func(http.ResponseWriter, *http.Request) error {
		t.Error("a third found a place")
		return nil
	})
	if err := refused(httptest.NewRecorder(), httptest.NewRequest(http.MethodPost, "/", nil)); !errors.Is(err, secret.ErrBusy) || secret.ErrBusy.Retry <= 0 {
		t.Errorf("answered %v", err)
	}
	close(out)
	for range 2 {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	read := ""
	if err := crowd.Bounded(func(_ http.ResponseWriter, r *http.Request) error {
		body, err := io.ReadAll(r.Body)
		read = string(body)
		return err
	})(httptest.NewRecorder(), httptest.NewRequest(http.MethodPost, "/", strings.NewReader("what was sent"))); err != nil || read != "what was sent" {
		t.Errorf("read %q, %v", read, err)
	}
}

func TestWhoSendsSlowlyHoldsNoPlace(t *testing.T) {
	crowd := login.NewCrowd(1, time.Minute)
	slowly, sender := io.Pipe()
	stuck := make(chan error)
	go func() {
		stuck <- crowd.Bounded(func(http.ResponseWriter, *http.Request) error { return nil })(httptest.NewRecorder(), httptest.NewRequest(http.MethodPost, "/", slowly))
	}()
	_, err := sender.Write([]byte("{")) // it is being read
	if err != nil {
		t.Fatal(err)
	}
	ran := false
	if err := crowd.Bounded(func(http.ResponseWriter, *http.Request) error { ran = true; return nil })(httptest.NewRecorder(), httptest.NewRequest(http.MethodPost, "/", nil)); err != nil || !ran {
		t.Errorf("somebody else waited: %v", err)
	}
	_ = sender.Close()
	if err := <-stuck; err != nil {
		t.Error(err)
	}
}
