// Command bench measures idp on this machine: it builds the binary, starts it on SQLite
// and on PostgreSQL (IDP_TEST_POSTGRES, as `make bench` sets it), drives every operation
// that matters in a closed loop, and prints Markdown tables: CPU per operation of the
// server and of the database, throughput, latency, beside what the machine itself needs
// for a signature or a password hash. Linux only: it reads /proc.
//
// On a busy machine compare CPU and read operations per second as an order of magnitude.
// Each figure is the median of -rounds rounds.
package main

import (
	"flag"
	"fmt"
	"io"
	"os"
	"strings"
	"time"
)

// config says what one operation is driven with.
type config struct {
	target         string // issuer
	concurrency    int
	max, pool      int
	duration       time.Duration
	warmup         time.Duration
	client, secret string
	redirect       string
	user, password string
	pids, dbPids   string
}

func main() {
	var (
		ops      = flag.String("op", "cc,introspect,userinfo,mint,template,exchange,code,refresh,login,jwks,discovery", "comma list of: "+strings.Join(opNames(), " "))
		engines  = flag.String("engine", "sqlite,postgres", "comma list of engines")
		rounds   = flag.Int("rounds", 3, "rounds; the median is printed")
		c        = flag.Int("c", 16, "workers")
		duration = flag.Duration("d", 4*time.Second, "timed part of each operation")
		people   = flag.Int("people", 16, "people who sign in")
	)
	into := flag.String("into", "", "a Markdown file: the tables replace what stands between its lines <!-- bench --> and <!-- end -->")
	floor := flag.String("floor", "", "serve the floor at this address instead (used by the program itself)")
	floorDatabase := flag.String("floor-database", "", "its database")
	flood := flag.Bool("flood", false, "measure discovery and the token endpoint while passwords are guessed, and nothing else")
	flag.Parse()
	if *floor != "" {
		fmt.Fprintln(os.Stderr, serveFloor(*floor, *floorDatabase))
		os.Exit(1)
	}
	if *flood {
		if err := runFlood(os.Stdout, strings.Split(*engines, ","), *duration); err != nil {
			fmt.Fprintln(os.Stderr, "bench:", err)
			os.Exit(1)
		}
		return
	}
	var out strings.Builder
	err := run(&out, strings.Split(*engines, ","), strings.Split(*ops, ","), *rounds, *c, *people, *duration)
	fmt.Print(out.String())
	if err == nil && *into != "" {
		err = replace(*into, out.String())
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// replace puts the tables between the two marks of a document.
func replace(name, tables string) error {
	text, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	before, rest, ok := strings.Cut(string(text), "<!-- bench -->\n")
	_, after, closed := strings.Cut(rest, "<!-- end -->")
	if !ok || !closed {
		return fmt.Errorf("%s has no marks for the tables", name)
	}
	return os.WriteFile(name, []byte(before+"<!-- bench -->\n"+tables+"<!-- end -->"+after), 0o600)
}

func run(out io.Writer, engines, ops []string, rounds, c, people int, d time.Duration) error {
	dir, err := os.MkdirTemp("", "idp-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	binary, size, err := build(dir)
	if err != nil {
		return err
	}
	results := map[string]map[string][]*result{}
	var process []figures
	for _, engine := range engines {
		i, err := newInstance(binary, dir, engine)
		if err != nil {
			return err
		}
		figures, err := i.measure(ops, rounds, c, people, d, results)
		if err != nil {
			return fmt.Errorf("%s: %w", engine, err)
		}
		process = append(process, figures)
	}
	report(out, engines, ops, results, process, size, c)
	if results["postgres"] == nil {
		return nil
	}
	floor, err := measureFloor(rounds, c, d)
	if err != nil {
		return err
	}
	compare(out, ops, results["postgres"], floor)
	return nil
}
