package main

import (
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// A flood is many workers that type wrong passwords without pause, each time for another
// address and from another network, so that no budget slows them down and every try costs a
// hash, unless the machine refuses it. Beside it two relying parties go on: one reads
// discovery all the time, one asks for tokens.

// flooded is what the others saw meanwhile.
type flooded struct {
	Engine              string
	Workers             int
	Discovery, Token    []time.Duration
	Failures            int // of discovery and token endpoint
	Checked, Busy, Slow int // passwords that were looked at; refused with 503; with 429
	Other               int
	Bare                int // refused without Retry-After
	Seconds             float64
}

func runFlood(out io.Writer, engines []string, d time.Duration) error {
	dir, err := os.MkdirTemp("", "idp-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	binary, _, err := build(dir)
	if err != nil {
		return err
	}
	fmt.Fprintln(out, "| engine | logins at once | discovery p50 ms | p99 ms | max ms | token p50 ms | p99 ms | failures of both | passwords checked/s | refused 503/s | 429/s |")
	fmt.Fprintln(out, "|---|---|---|---|---|---|---|---|---|---|---|")
	for _, engine := range engines {
		i, err := newInstance(binary, dir, engine)
		if err != nil {
			return err
		}
		if err := i.flood(out, d); err != nil {
			return fmt.Errorf("%s: %w", engine, err)
		}
	}
	return nil
}

// flood measures one engine: at rest, at 16 workers and at 500.
func (i *instance) flood(out io.Writer, d time.Duration) error {
	i.extra = []string{"IDP_TRUSTED_PROXIES=127.0.0.1/32"} // each worker's X-Forwarded-For counts
	if _, err := i.start(); err != nil {
		return err
	}
	defer func() { _ = i.stop() }()
	id, key, err := i.register("--name", "Robot", "--type", "machine")
	if err != nil {
		return err
	}
	for _, workers := range []int{0, 16, 500} {
		f := i.under(workers, d, id, key)
		at := func(of []time.Duration, p float64) float64 {
			if len(of) == 0 {
				return 0
			}
			slices.Sort(of)
			return float64(of[int(p*float64(len(of)-1))].Microseconds()) / 1000
		}
		fmt.Fprintf(out, "| %s | %d | %.1f | %.1f | %.1f | %.1f | %.1f | %d | %.0f | %.0f | %.0f |\n", i.engine, workers,
			at(f.Discovery, .5), at(f.Discovery, .99), at(f.Discovery, 1), at(f.Token, .5), at(f.Token, .99), f.Failures,
			float64(f.Checked)/f.Seconds, float64(f.Busy)/f.Seconds, float64(f.Slow)/f.Seconds)
		if f.Other > 0 || f.Bare > 0 {
			fmt.Fprintf(os.Stderr, "%s %d: %d odd answers, %d refusals without Retry-After\n", i.engine, workers, f.Other, f.Bare)
		}
	}
	return nil
}

// under runs the flood for that long and asks discovery and token endpoint meanwhile.
func (i *instance) under(workers int, d time.Duration, id, key string) *flooded {
	f := &flooded{Engine: i.engine, Workers: workers}
	var all sync.WaitGroup
	var checked, busy, slow, other, bare, failures atomic.Int64
	transport := &http.Transport{MaxIdleConnsPerHost: workers + 1}
	defer transport.CloseIdleConnections()
	end := time.Now().Add(d)
	for w := range workers {
		all.Go(func() {
			l := &guesser{issuer: i.issuer, http: &http.Client{Transport: transport}, worker: w}
			for time.Now().Before(end) {
				res, err := l.guess() //nolint:bodyclose // send has read it to its end
				switch {
				case err != nil:
					other.Add(1)
				case res.StatusCode == http.StatusServiceUnavailable, res.StatusCode == http.StatusTooManyRequests:
					if res.StatusCode == http.StatusServiceUnavailable {
						busy.Add(1)
					} else {
						slow.Add(1)
					}
					if res.Header.Get("Retry-After") == "" {
						bare.Add(1)
					}
				case res.StatusCode < http.StatusInternalServerError:
					checked.Add(1)
				default:
					other.Add(1)
				}
			}
		})
	}
	began := time.Now()
	time.Sleep(d / 5) // until the queue is full
	probe := func(pause time.Duration, into *[]time.Duration, ask func(c *http.Client) (*http.Response, error)) {
		c := &http.Client{Transport: &http.Transport{}}
		for time.Now().Before(end) {
			t := time.Now()
			res, err := ask(c)
			if err == nil {
				_, err = io.Copy(io.Discard, res.Body)
				_ = res.Body.Close()
			}
			if err != nil || res.StatusCode != http.StatusOK {
				failures.Add(1)
			} else {
				*into = append(*into, time.Since(t))
			}
			time.Sleep(pause)
		}
		c.CloseIdleConnections()
	}
	all.Go(func() {
		probe(5*time.Millisecond, &f.Discovery, func(c *http.Client) (*http.Response, error) {
			return c.Get(i.issuer + "/.well-known/openid-configuration")
		})
	})
	all.Go(func() {
		probe(20*time.Millisecond, &f.Token, func(c *http.Client) (*http.Response, error) {
			req, err := http.NewRequest("POST", i.issuer+"/oauth2/token", strings.NewReader("grant_type=client_credentials"))
			if err != nil {
				return nil, err
			}
			req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			req.SetBasicAuth(url.QueryEscape(id), url.QueryEscape(key))
			return c.Do(req)
		})
	})
	all.Wait()
	f.Seconds, f.Failures = time.Since(began).Seconds(), int(failures.Load())
	f.Checked, f.Busy, f.Slow, f.Other, f.Bare = int(checked.Load()), int(busy.Load()), int(slow.Load()), int(other.Load()), int(bare.Load())
	return f
}

// guesser types wrong passwords, each for another address from another network.
type guesser struct {
	issuer      string
	http        *http.Client
	worker, try int
	token       string
}

var formToken = regexp.MustCompile(`name="form_token" value="([^"]+)"`)

func (l *guesser) guess() (*http.Response, error) {
	if l.token == "" {
		jar, err := cookiejar.New(nil)
		if err != nil {
			return nil, err
		}
		l.http = &http.Client{Transport: l.http.Transport, Jar: plainJar{jar}, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
		res, body, err := l.send("GET", "/sign-in", nil)
		if err != nil {
			return nil, err
		}
		found := formToken.FindStringSubmatch(body)
		if found == nil {
			return nil, fmt.Errorf("no form: %s", res.Status)
		}
		l.token = found[1]
	}
	l.try++
	res, _, err := l.send("POST", "/sign-in", url.Values{
		"form_token": {l.token}, "identifier": {fmt.Sprintf("nobody%d.%d@example.com", l.worker, l.try)}, "password": {"wrong " + strconv.Itoa(l.try)},
	})
	return res, err
}

func (l *guesser) send(method, path string, form url.Values) (*http.Response, string, error) {
	req, err := http.NewRequest(method, l.issuer+path, strings.NewReader(form.Encode()))
	if err != nil {
		return nil, "", err
	}
	req.Header.Set("X-Forwarded-For", fmt.Sprintf("10.%d.%d.%d", l.worker/250, l.worker%250, l.try%250))
	if form != nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		req.Header.Set("Origin", l.issuer)
		req.Header.Set("Sec-Fetch-Site", "same-origin")
	}
	res, err := l.http.Do(req)
	if err != nil {
		return nil, "", err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	return res, string(body), err
}
