package federation_test

import (
	"sync"
	"testing"
	"time"

	"idp/federation"
	"idp/internal/problem"
	"idp/storage"
	"idp/storage/storagetest"
)

// Whoever can have a provider sign as much as they like, be it their own, fills nothing here.
func TestSAMLAnswersToOneRequestAreKeptThreeTimesAtMost(t *testing.T) {
	storagetest.EachURL(t, func(t *testing.T, at string) {
		h := samlHouseOn(t, storagetest.OpenURL(t, at, nil))
		second := h.replica()
		second.Store, second.SAML = storage.NewConnections(storagetest.OpenURL(t, at, nil)), storage.NewSAML(storagetest.OpenURL(t, at, nil))
		h.f.Patience, second.Patience = time.Minute, time.Minute
		for _, f := range []*federation.Federation{h.f, second} { // our key, at leisure
			_, err := f.ServiceMetadata(t.Context(), h.c)
			h.must(err)
		}
		r := h.asked()
		var wait sync.WaitGroup
		var mu sync.Mutex
		var honest []federation.Answer
		for i := range 12 {
			form := h.idp.Answer(r)
			f := []*federation.Federation{h.f, second}[i%2]
			wait.Go(func() {
				state, arrival, err := f.Accept(t.Context(), h.c, form)
				mu.Lock()
				defer mu.Unlock()
				switch {
				case err == nil:
					honest = append(honest, federation.Answer{State: state, Arrival: arrival})
				case !problem.HasCode(err, federation.ErrRefused.Code):
					t.Error(err)
				}
			})
		}
		wait.Wait()
		if n := storagetest.Rows(t, h.db, "arrivals"); n != 3 || len(honest) != 3 {
			t.Fatalf("%d of 12 are kept, %d accepted", n, len(honest))
		}
		for _, a := range honest { // none of them stands in another's way
			if x, err := h.f.Finish(t.Context(), h.c, h.d, a); err != nil || x.Account.Subject != "ada-7" {
				t.Errorf("%+v, %v", x, err)
			}
		}
		if _, _, err := h.f.Accept(t.Context(), h.c, h.idp.Answer(r)); !problem.HasCode(err, federation.ErrRefused.Code) || storagetest.Rows(t, h.db, "arrivals") != 0 {
			t.Errorf("one after what was fetched: %v", err)
		}
		if _, err := h.signIn(); err != nil {
			t.Errorf("another request has no place of its own: %v", err)
		}
	})
}

func TestSAMLAnswerWaitsForTwoMinutes(t *testing.T) {
	h := newSAMLHouse(t)
	state, arrival, err := h.f.Accept(t.Context(), h.c, h.idp.Answer(h.asked()))
	h.must(err)
	h.clock.Add(2 * time.Minute)
	x, err := h.f.Finish(t.Context(), h.c, h.d, federation.Answer{State: state, Arrival: arrival})
	if !problem.HasCode(err, "arrival_gone") || x.Account.Subject != "" {
		t.Errorf("%+v, %v", x, err)
	}
}
