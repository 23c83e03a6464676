package main

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"time"
)

// serveFloor answers client credentials, introspection, a plain GET and minting with the least
// work that could be right: a secret compared by digest, a random token, one row written or
// read by key in PostgreSQL, an ES256 signature. It is what idp is compared with, and no identity provider.
func serveFloor(listen, database string) error {
	db, err := sql.Open("pgx", database)
	if err != nil {
		return err
	}
	db.SetMaxOpenConns(16)
	db.SetMaxIdleConns(16)
	ctx := context.Background()
	if _, err := db.ExecContext(ctx, "CREATE TABLE floor (hash text PRIMARY KEY, client text, scope text, expires bigint)"); err != nil {
		return err
	}
	insert, err := db.PrepareContext(ctx, "INSERT INTO floor VALUES ($1, $2, $3, $4)")
	if err != nil {
		return err
	}
	find, err := db.PrepareContext(ctx, "SELECT client, scope, expires FROM floor WHERE hash = $1")
	if err != nil {
		return err
	}
	defer func() { _ = insert.Close() }()
	defer func() { _ = find.Close() }()
	known := sha256.Sum256([]byte("secret"))
	authentic := func(r *http.Request) bool {
		id, key, _ := r.BasicAuth()
		sum := sha256.Sum256([]byte(key))
		return id == "floor" && subtle.ConstantTimeCompare(sum[:], known[:]) == 1
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /.well-known/openid-configuration", func(w http.ResponseWriter, _ *http.Request) {
		at := "http://" + listen
		answer(w, map[string]string{"token_endpoint": at + "/token", "introspection_endpoint": at + "/introspect", "jwks_uri": at + "/hello"})
	})
	mux.HandleFunc("GET /hello", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("hello")) })
	mux.HandleFunc("POST /token", func(w http.ResponseWriter, r *http.Request) {
		t := rand.Text()
		if !authentic(r) || r.PostFormValue("grant_type") != "client_credentials" {
			http.Error(w, `{"error":"invalid_client"}`, http.StatusUnauthorized)
		} else if _, err := insert.Exec(digest(t), "floor", "api", time.Now().Add(time.Hour).Unix()); err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
		} else {
			answer(w, map[string]any{"access_token": t, "token_type": "bearer", "expires_in": 3600})
		}
	})
	mux.HandleFunc("POST /introspect", func(w http.ResponseWriter, r *http.Request) {
		var client, scope string
		var expires int64
		if !authentic(r) || find.QueryRow(digest(r.PostFormValue("token"))).Scan(&client, &scope, &expires) != nil {
			answer(w, map[string]bool{"active": false})
			return
		}
		answer(w, map[string]any{"active": true, "client_id": client, "scope": scope, "exp": expires})
	})
	mint, err := floorMint(db)
	if err != nil {
		return err
	}
	mux.HandleFunc("POST /mint", mint)
	return http.ListenAndServe(listen, mux)
}

func answer(w http.ResponseWriter, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	_ = json.NewEncoder(w).Encode(body)
}

func digest(token string) string {
	sum := sha256.Sum256([]byte(token))
	return hex.EncodeToString(sum[:])
}

// floorOf maps what is measured of idp to what it is compared with, and how many times as
// much it may cost.
var floorOf = map[string]struct {
	op   string
	most float64
}{"cc": {"cc", 4}, "introspect": {"introspect", 3}, "jwks": {"jwks", 2}, "discovery": {"jwks", 2},
	"mint": {"mint", 3}, "template": {"mint", 3}}

// measureFloor runs this program again as the floor and drives it.
func measureFloor(rounds, c int, d time.Duration) (map[string][]*result, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	listen := l.Addr().String()
	_ = l.Close()
	database, err := createDatabase(os.Getenv("IDP_TEST_POSTGRES"))
	if err != nil {
		return nil, err
	}
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(self, "-floor", listen, "-floor-database", database)
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	defer func() { _ = cmd.Process.Kill(); _ = cmd.Wait() }()
	for began := time.Now(); time.Since(began) < 10*time.Second; time.Sleep(5 * time.Millisecond) {
		if res, err := http.Get("http://" + listen + "/hello"); err == nil {
			_ = res.Body.Close()
			break
		}
	}
	out := map[string][]*result{}
	for range rounds {
		for _, op := range []string{"cc", "introspect", "jwks", "mint"} {
			r, err := bench(&config{target: "http://" + listen, concurrency: c, pool: 256, duration: d, warmup: d / 4, client: "floor", secret: "secret",
				pids: strconv.Itoa(cmd.Process.Pid), dbPids: os.Getenv("IDP_TEST_POSTGRES_PID")}, op)
			if err != nil {
				return nil, fmt.Errorf("floor %s: %w", op, err)
			}
			out[op] = append(out[op], r)
		}
	}
	return out, nil
}
