package main

import (
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// result is what one run of one operation measured.
type result struct {
	N, Errors  int
	OpsPerS    float64
	P50, P99   float64 // ms
	CPU, DBCPU float64 // ms per operation, of the server and of the database
	Driver     float64 // ms per operation, of this process
	Requests   float64 // round trips per operation
	Busy       float64 // share of all cores that was busy, with anybody's work
	First      string  // text of the first error
}

func bench(c *config, name string) (*result, error) {
	s, err := newSession(c)
	if err != nil {
		return nil, err
	}
	do, err := s.prepare(name)
	if err != nil {
		return nil, err
	}
	if c.warmup > 0 && !s.finite {
		drive(c.concurrency, c.warmup, c.max, do)
	}
	limit, duration := c.max, c.duration
	if s.finite {
		limit, duration = s.supply, 10*time.Minute
	}
	server, db, self := cpuTime(c.pids), cpuTime(c.dbPids), cpuTime("self")
	busy, requests := machineTime(), s.requests.Load()
	start := time.Now()
	lat, errs, first := drive(c.concurrency, duration, limit, do)
	wall := time.Since(start)

	n := float64(max(len(lat), 1))
	ms := func(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
	r := &result{
		N: len(lat), Errors: errs, First: first,
		OpsPerS:  float64(len(lat)) / wall.Seconds(),
		CPU:      ms(cpuTime(c.pids)-server) / n,
		DBCPU:    ms(cpuTime(c.dbPids)-db) / n,
		Driver:   ms(cpuTime("self")-self) / n,
		Requests: float64(s.requests.Load()-requests) / n,
		Busy:     busy.until(machineTime()),
	}
	if len(lat) > 0 {
		slices.Sort(lat)
		at := func(p float64) float64 { return ms(lat[int(p*float64(len(lat)-1))]) }
		r.P50, r.P99 = at(.5), at(.99)
	}
	return r, nil
}

// drive calls do from c workers until the time is up or limit operations have
// begun, and returns the latencies of those that succeeded.
func drive(c int, d time.Duration, limit int, do func(worker int) error) (lat []time.Duration, errs int, first string) {
	var (
		mu    sync.Mutex
		wg    sync.WaitGroup
		begun atomic.Int64
		end   = time.Now().Add(d)
	)
	for w := range c {
		wg.Go(func() {
			var mine []time.Duration
			failures, text := 0, ""
			for time.Now().Before(end) && failures < 1000 {
				if begun.Add(1) > int64(limit) && limit > 0 {
					break
				}
				t := time.Now()
				if err := do(w); err != nil {
					if failures++; text == "" {
						text = err.Error()
					}
					continue
				}
				mine = append(mine, time.Since(t))
			}
			mu.Lock()
			defer mu.Unlock()
			lat, errs = append(lat, mine...), errs+failures
			if first == "" {
				first = text
			}
		})
	}
	wg.Wait()
	return lat, errs, first
}
