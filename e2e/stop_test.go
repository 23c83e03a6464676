package e2e

import (
	"errors"
	"net/http"
	"net/url"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

func TestStoppingUnderLoadCutsNoAnswerAndExitsWithZero(t *testing.T) {
	eachEngine(t, func(t *testing.T, i *instance) {
		p := i.Start()
		rp := newRelyingParty(t, i, i.Client("--name", "Robot", "--type", "machine"))
		form := url.Values{"grant_type": {"client_credentials"}}
		var answered, refused atomic.Int64
		var workers sync.WaitGroup
		stop := make(chan struct{})
		for range 8 {
			workers.Go(func() {
				transport := &http.Transport{}
				defer transport.CloseIdleConnections()
				for {
					select {
					case <-stop:
						return
					default:
					}
					a, err := sendBy(transport, rp.tokenRequest(p.URL, form))
					switch {
					case err == nil && a.Status == 200:
						answered.Add(1)
					case errors.Is(err, syscall.ECONNREFUSED):
						refused.Add(1) // a load balancer takes the next process
						return
					default:
						t.Errorf("an answer was cut: %d %v", a.Status, err)
						return
					}
				}
			})
		}
		time.Sleep(300 * time.Millisecond)
		before := answered.Load()
		began := time.Now()
		if code := p.Stop(); code != 0 {
			t.Errorf("exit code %d", code)
		}
		if took := time.Since(began); took > 20*time.Second {
			t.Errorf("stopping took %s", took)
		}
		close(stop)
		workers.Wait()
		if before < 50 || refused.Load() == 0 {
			t.Errorf("there was no load to speak of: %d answers, %d refused", before, refused.Load())
		}
		t.Logf("%d answers before the signal, %d after it, none cut; %s to stop", before, answered.Load()-before, time.Since(began).Round(time.Millisecond))
	})
}
