package main

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"fmt"
	"io"
	"runtime"
	"slices"
	"time"

	"golang.org/x/crypto/argon2"
)

// goals are the most CPU an operation may cost, server and PostgreSQL together, in ms.
var goals = map[string]float64{
	"cc": 0.30, "introspect": 0.16, "userinfo": 0.15, "mint": 0.20, "template": 0.22, "exchange": 1.5, "code": 2.0, "refresh": 1.4, "login": 20, "jwks": 0.02, "discovery": 0.02,
}

var titles = map[string]string{
	"cc": "client credentials", "introspect": "introspection", "userinfo": "userinfo", "mint": "session token (ES256)", "template": "token from a template (ES256)", "exchange": "code to tokens (RS256)",
	"code": "authorization to tokens, signed in", "refresh": "refresh, rotating (RS256)", "login": "the same, password typed", "jwks": "JWKS", "discovery": "discovery",
}

func report(w io.Writer, engines, ops []string, results map[string]map[string][]*result, process []figures, size int64, c int) {
	fmt.Fprintf(w, "%d cores, %s, %s, %d workers.\n\n", runtime.NumCPU(), runtime.Version(), time.Now().UTC().Format(time.DateOnly), c)
	fmt.Fprintln(w, "| operation | engine | CPU ms | of it database | at most | ops/s | p50 ms | p99 ms | errors |")
	fmt.Fprintln(w, "|---|---|---|---|---|---|---|---|---|")
	for _, op := range ops {
		for _, engine := range engines {
			all := results[engine][op]
			of := func(f func(*result) float64) float64 { return median(all, f) }
			server, db := of(func(r *result) float64 { return r.CPU }), of(func(r *result) float64 { return r.DBCPU })
			errors := 0
			for _, r := range all {
				errors += r.Errors
			}
			verdict := "goal"
			if server+db > goals[op] {
				verdict = fmt.Sprintf("%.1f times the goal", (server+db)/goals[op])
			}
			fmt.Fprintf(w, "| %s | %s | %.3f | %.3f | %.2f: %s | %.0f | %.1f | %.1f | %d |\n", titles[op], engine, server+db, db, goals[op], verdict,
				of(func(r *result) float64 { return r.OpsPerS }), of(func(r *result) float64 { return r.P50 }), of(func(r *result) float64 { return r.P99 }), errors)
		}
	}
	fmt.Fprintln(w, "\n| process | start to first answer, ms | RSS idle, MiB | RSS after load, MiB |")
	fmt.Fprintln(w, "|---|---|---|---|")
	for _, f := range process {
		fmt.Fprintf(w, "| on %s | %d | %.0f | %.0f |\n", f.engine, f.start.Milliseconds(), f.idle, f.loaded)
	}
	fmt.Fprintf(w, "\nThe binary has %.1f MB. ", float64(size)/1e6)
	machine(w)
}

// compare says how many times the floor's CPU ours takes, server and database together.
func compare(w io.Writer, ops []string, ours, floor map[string][]*result) {
	total := func(r *result) float64 { return r.CPU + r.DBCPU }
	fmt.Fprintln(w, "\n| operation, on PostgreSQL | CPU ms | the least that could be right | times | at most |")
	fmt.Fprintln(w, "|---|---|---|---|---|")
	for _, op := range ops {
		f, ok := floorOf[op]
		if !ok {
			continue
		}
		mine, least := median(ours[op], total), median(floor[f.op], total)
		fmt.Fprintf(w, "| %s | %.3f | %.3f | %.1f | %.0f |\n", titles[op], mine, least, mine/least, f.most)
	}
}

func median(all []*result, f func(*result) float64) float64 {
	var values []float64
	for _, r := range all {
		values = append(values, f(r))
	}
	if len(values) == 0 {
		return 0
	}
	slices.Sort(values)
	return values[len(values)/2]
}

// machine says what the parts cost that nobody can leave out.
func machine(w io.Writer) {
	digest := sha256.Sum256([]byte("x"))
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	curve, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err)
	}
	sign := cost(50, func() { _, err = rsa.SignPKCS1v15(nil, key, crypto.SHA256, digest[:]) })
	ecdsaSign := cost(500, func() { _, err = ecdsa.SignASN1(rand.Reader, curve, digest[:]) })
	hash := cost(10, func() { argon2.IDKey([]byte("password"), make([]byte, 16), 2, 19*1024, 1, 32) })
	fmt.Fprintf(w, "On this machine an RS256 signature costs %.2f ms of CPU, ES256 %.3f ms, an argon2id hash (19 MiB, t=2) %.1f ms.\n", sign, ecdsaSign, hash)
}

// cost is the CPU time of one call in ms.
func cost(n int, f func()) float64 {
	before := cpuTime("self")
	for range n {
		f()
	}
	return float64((cpuTime("self") - before).Microseconds()) / 1000 / float64(n)
}
