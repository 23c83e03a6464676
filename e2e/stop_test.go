package e2e

import (
	"net/http"
	"net/url"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// Eight callers go on until the one who watches /readyz, as a load balancer does, sends
// them elsewhere. None of them may see anything but an answer.
func TestStoppingUnderLoadCutsNoAnswerAndExitsWithZero(t *testing.T) {
	eachEngine(t, func(t *testing.T, i *instance) {
		p := i.Start()
		rp := newRelyingParty(t, i, i.Client("--name", "Robot", "--type", "machine"))
		form := url.Values{"grant_type": {"client_credentials"}}
		var answered atomic.Int64
		var elsewhere atomic.Bool
		var workers sync.WaitGroup
		for range 8 {
			workers.Go(func() {
				transport := &http.Transport{}
				defer transport.CloseIdleConnections()
				for !elsewhere.Load() {
					a, err := sendBy(transport, rp.tokenRequest(p.URL, form))
					if err != nil || a.Status != 200 {
						t.Errorf("an answer was cut: %d %v", a.Status, err)
						return
					}
					answered.Add(1)
				}
			})
		}
		workers.Go(func() {
			watch := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
			for !elsewhere.Load() {
				res, err := watch.Get(p.URL + "/readyz")
				if err != nil {
					t.Errorf("idp was gone before it said so: %v", err)
				} else {
					_ = res.Body.Close()
				}
				elsewhere.Store(err != nil || res.StatusCode != http.StatusOK)
				time.Sleep(50 * time.Millisecond)
			}
		})
		for answered.Load() < 50 && !t.Failed() { // under load
			time.Sleep(10 * time.Millisecond)
		}
		before, began := answered.Load(), time.Now()
		code := p.Stop()
		took := time.Since(began).Round(time.Millisecond)
		workers.Wait()
		if code != 0 {
			t.Errorf("exit code %d", code)
		}
		if took > 20*time.Second {
			t.Errorf("stopping took %s", took)
		}
		t.Logf("%d answers before the signal, %d after it, none cut; %s to stop", before, answered.Load()-before, took)
	})
}
