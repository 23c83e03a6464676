package e2e

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

// A hundred and fifty at once, each for another address from another network, so that only the machine refuses.
func TestAFloodOfSignInsLeavesRelyingPartiesAlone(t *testing.T) {
	eachEngine(t, func(t *testing.T, i *instance) {
		i.env = append(i.env, "IDP_TRUSTED_PROXIES=127.0.0.1/32")
		p := i.Start()
		robot := i.Client("--name", "Robot", "--type", "machine")
		var guessers, probes sync.WaitGroup
		var over atomic.Bool
		var refused, checked, asked atomic.Int64
		for n := range 150 {
			guessers.Go(func() {
				for range 3 {
					req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, p.URL+"/frontend/v1/attempts", strings.NewReader(`{"goal":"sign_in"}`))
					if err != nil {
						t.Error(err)
						return
					}
					req.Header.Set("Content-Type", "application/json")
					req.Header.Set("Origin", i.Issuer)
					req.Header.Set("Sec-Fetch-Site", "same-origin")
					req.Header.Set("X-Forwarded-For", fmt.Sprintf("10.9.%d.%d", n/200, n%200))
					res, err := http.DefaultClient.Do(req)
					if err != nil {
						t.Error(err)
						return
					}
					_ = res.Body.Close()
					switch {
					case res.StatusCode == http.StatusCreated:
						checked.Add(1)
					case res.StatusCode == http.StatusServiceUnavailable && res.Header.Get("Retry-After") != "":
						refused.Add(1)
					default:
						t.Errorf("a step of signing in was answered %d, Retry-After %q", res.StatusCode, res.Header.Get("Retry-After"))
					}
				}
			})
		}
		probe := func(request func() (*http.Request, error)) {
			for n := 0; n < 5 || !over.Load(); n++ {
				req, err := request()
				if err != nil {
					t.Error(err)
					return
				}
				res, err := http.DefaultClient.Do(req)
				if err != nil {
					t.Error(err)
					return
				}
				_ = res.Body.Close()
				if res.StatusCode != http.StatusOK {
					t.Errorf("%s was answered %d", req.URL.Path, res.StatusCode)
				}
				asked.Add(1)
			}
		}
		probes.Go(func() {
			probe(func() (*http.Request, error) {
				return http.NewRequestWithContext(t.Context(), http.MethodGet, p.URL+"/.well-known/openid-configuration", nil)
			})
		})
		probes.Go(func() {
			probe(func() (*http.Request, error) {
				req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, p.URL+"/oauth2/token", strings.NewReader("grant_type=client_credentials"))
				if err == nil {
					req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
					req.SetBasicAuth(url.QueryEscape(robot.ID), url.QueryEscape(robot.Secret))
				}
				return req, err
			})
		})
		guessers.Wait()
		over.Store(true)
		probes.Wait()
		if checked.Load() == 0 || checked.Load()+refused.Load() != 450 {
			t.Errorf("%d steps were taken, %d refused", checked.Load(), refused.Load())
		}
		t.Logf("%d taken, %d refused, %d asked meanwhile", checked.Load(), refused.Load(), asked.Load())
	})
}
