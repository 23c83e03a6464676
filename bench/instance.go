package main

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"
)

const (
	redirect = "http://127.0.0.1:9/callback" // never contacted
	password = "correct horse battery staple 7"
)

// build makes the binary as a release would be, and returns its size in bytes.
func build(dir string) (binary string, size int64, err error) {
	binary = filepath.Join(dir, "idp")
	cmd := exec.Command("go", "build", "-trimpath", "-ldflags=-s -w", "-o", binary, "./cmd/idp")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", 0, fmt.Errorf("build: %w: %s", err, out)
	}
	info, err := os.Stat(binary)
	if err != nil {
		return "", 0, err
	}
	return binary, info.Size(), nil
}

// instance is one idp on one engine.
type instance struct {
	binary, dir, engine string
	issuer, listen, url string
	dbPids              string
	extra               []string // of the environment
	cmd                 *exec.Cmd
	log                 bytes.Buffer
}

// figures are what is measured of the process itself.
type figures struct {
	engine       string
	start        time.Duration // to the first 200 on discovery, database migrated; median of five
	idle, loaded float64       // resident MiB
}

func newInstance(binary, dir, engine string) (*instance, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	listen := l.Addr().String()
	_ = l.Close()
	i := &instance{binary: binary, engine: engine, listen: listen, dir: filepath.Join(dir, engine),
		issuer: "http://localhost:" + listen[strings.LastIndexByte(listen, ':')+1:]}
	if err := os.MkdirAll(i.dir, 0o700); err != nil {
		return nil, err
	}
	if engine == "sqlite" {
		i.url = "sqlite:" + filepath.Join(i.dir, "idp.db")
		return i, nil
	}
	i.dbPids = os.Getenv("IDP_TEST_POSTGRES_PID")
	i.url, err = createDatabase(os.Getenv("IDP_TEST_POSTGRES"))
	return i, err
}

// createDatabase makes an empty database beside the one that admin names.
func createDatabase(admin string) (string, error) {
	at, err := url.Parse(admin)
	if err != nil || admin == "" {
		return "", fmt.Errorf("IDP_TEST_POSTGRES names no PostgreSQL: run make bench")
	}
	db, err := sql.Open("pgx", admin)
	if err != nil {
		return "", err
	}
	defer db.Close()
	name := "bench_" + strconv.FormatInt(time.Now().UnixNano(), 36)
	if _, err := db.ExecContext(context.Background(), "CREATE DATABASE "+name); err != nil {
		return "", err
	}
	at.Path = "/" + name
	return at.String(), nil
}

func (i *instance) environment() []string {
	return append(i.extra, "PATH="+os.Getenv("PATH"), "HOME="+i.dir, "IDP_ENVIRONMENT=development", "IDP_LOG_LEVEL=error",
		// Passwords that are being checked count as tries, and all workers share one address.
		"IDP_BOT_CHECK_NETWORK_FAILURES=1000", "IDP_BOT_CHECK_WRONG_PASSWORDS=1000",
		"IDP_LISTEN="+i.listen, "IDP_ISSUER="+i.issuer, "IDP_DATA_DIR="+i.dir, "IDP_DATABASE_URL="+i.url)
}

// start runs idp and returns how long it took to answer.
func (i *instance) start() (time.Duration, error) {
	i.cmd = exec.Command(i.binary, "serve")
	i.cmd.Env, i.cmd.Stdout, i.cmd.Stderr = i.environment(), &i.log, &i.log
	began := time.Now()
	if err := i.cmd.Start(); err != nil {
		return 0, err
	}
	for time.Since(began) < 30*time.Second {
		res, err := http.Get(i.issuer + "/.well-known/openid-configuration")
		if err == nil {
			_ = res.Body.Close()
			if res.StatusCode == http.StatusOK {
				return time.Since(began), nil
			}
		}
		time.Sleep(time.Millisecond)
	}
	return 0, fmt.Errorf("idp does not answer: %s", i.log.String())
}

func (i *instance) stop() error {
	if err := i.cmd.Process.Signal(os.Interrupt); err != nil {
		return err
	}
	http.DefaultClient.CloseIdleConnections()
	return i.cmd.Wait()
}

// command runs an operator's command.
func (i *instance) command(stdin string, args ...string) ([]byte, error) {
	cmd := exec.Command(i.binary, args...)
	cmd.Env, cmd.Stdin = i.environment(), strings.NewReader(stdin)
	var complaints bytes.Buffer
	cmd.Stderr = &complaints
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("idp %s: %w: %s", strings.Join(args, " "), err, complaints.String())
	}
	return out, nil
}

func (i *instance) register(args ...string) (id, key string, err error) {
	out, err := i.command("", append([]string{"client", "create", "--json"}, args...)...)
	if err != nil {
		return "", "", err
	}
	var c struct {
		ID     string `json:"client_id"`
		Secret string `json:"client_secret"`
	}
	err = json.Unmarshal(out, &c)
	return c.ID, c.Secret, err
}

// measure prepares clients and people, then runs every operation.
func (i *instance) measure(ops []string, rounds, c, people int, d time.Duration, into map[string]map[string][]*result) (figures, error) {
	f := figures{engine: i.engine}
	if _, err := i.start(); err != nil { // migrates
		return f, err
	}
	if err := i.stop(); err != nil {
		return f, err
	}
	var starts []time.Duration
	for range 5 {
		took, err := i.start()
		if err != nil {
			return f, err
		}
		starts = append(starts, took)
		if len(starts) < 5 {
			if err := i.stop(); err != nil {
				return f, err
			}
		}
	}
	slices.Sort(starts)
	f.start = starts[len(starts)/2]
	time.Sleep(2 * time.Second)
	pid := strconv.Itoa(i.cmd.Process.Pid)
	f.idle = rss(pid)

	web, webSecret, err := i.register("--name", "Bench", "--redirect-uri", redirect, "--first-party")
	if err != nil {
		return f, err
	}
	machine, machineSecret, err := i.register("--name", "Robot", "--type", "machine", "--may-introspect")
	if err != nil {
		return f, err
	}
	for n := range people {
		if _, err := i.command(password+"\n", "user", "create", "--email", fmt.Sprintf("user%d@example.com", n), "--password-stdin", "--verified"); err != nil {
			return f, err
		}
	}
	if _, err := i.command(benchTemplate, "template", "create", "--file", "-"); err != nil {
		return f, err
	}
	for range rounds {
		for _, op := range ops {
			cfg := &config{target: i.issuer, concurrency: c, pool: 256, duration: d, warmup: d / 4, redirect: redirect,
				client: web, secret: webSecret, user: "user%d@example.com", password: password, pids: pid, dbPids: i.dbPids}
			if op == "cc" || op == "introspect" {
				cfg.client, cfg.secret = machine, machineSecret
			}
			r, err := bench(cfg, op)
			if err != nil {
				return f, fmt.Errorf("%s: %w", op, err)
			}
			fmt.Fprintf(os.Stderr, "%s %s: %.0f/s, %.3f ms CPU, %d errors %s\n", i.engine, op, r.OpsPerS, r.CPU, r.Errors, r.First)
			if into[i.engine] == nil {
				into[i.engine] = map[string][]*result{}
			}
			into[i.engine][op] = append(into[i.engine][op], r)
		}
	}
	f.loaded = rss(pid)
	return f, i.stop()
}
