package main

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"database/sql"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"time"
)

// benchTemplate is what the operation "template" asks for.
const benchTemplate = `{"name":"bench","lifetime":300,"audience":["bench"],"claims":{"role":"authenticated","email":"{{user.primary_email_address}}","name":"{{user.full_name || 'nobody'}}","team":{"groups":"{{user.groups}}"}}}`

// opMint asks for session tokens, each worker for its own session.
func opMint(s *session) (func(int) error, error) { return s.minting("") }

// opTemplate asks for tokens of a template.
func opTemplate(s *session) (func(int) error, error) { return s.minting("/bench") }

func (s *session) minting(template string) (func(int) error, error) {
	if s.client == "floor" {
		return func(int) error { return s.mint(s.api, s.target+"/mint", url.Values{"session": {"floor"}}) }, nil
	}
	browsers, err := s.loggedIn("openid")
	if err != nil {
		return nil, err
	}
	addresses := make([]string, len(browsers))
	for w, b := range browsers {
		var list struct {
			Sessions []struct {
				ID string `json:"id"`
			} `json:"sessions"`
		}
		req, err := http.NewRequest("GET", s.target+"/frontend/v1/sessions", nil)
		if err != nil {
			return nil, err
		}
		if err := fetch(b.http, req, &list); err != nil {
			return nil, err
		}
		if len(list.Sessions) == 0 {
			return nil, errors.New("minting: nobody is signed in")
		}
		addresses[w] = s.target + "/frontend/v1/sessions/" + list.Sessions[0].ID + "/tokens" + template
	}
	return func(w int) error { return s.mint(browsers[w].http, addresses[w], nil) }, nil
}

// mint asks for a token: of idp by script, of the floor by form.
func (s *session) mint(by *http.Client, at string, form url.Values) error {
	body, kind := "{}", "application/json"
	if form != nil {
		body, kind = form.Encode(), "application/x-www-form-urlencoded"
	}
	req, err := http.NewRequest("POST", at, bytes.NewReader([]byte(body)))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", kind)
	req.Header.Set("Origin", s.target)
	req.Header.Set("Sec-Fetch-Site", "same-origin")
	var out struct {
		JWT string `json:"jwt"`
	}
	if err := fetch(by, req, &out); err != nil {
		return err
	}
	if out.JWT == "" {
		return errors.New("minting: no jwt")
	}
	return nil
}

// floorMint is the least that minting could be: one row read by key, and one signature.
func floorMint(db *sql.DB) (http.HandlerFunc, error) {
	if _, err := db.Exec("CREATE TABLE floor_sessions (id text PRIMARY KEY, person text, ends bigint)"); err != nil {
		return nil, err
	}
	if _, err := db.Exec("INSERT INTO floor_sessions VALUES ('floor', 'somebody', 9999999999)"); err != nil {
		return nil, err
	}
	find, err := db.Prepare("SELECT person, ends FROM floor_sessions WHERE id = $1")
	if err != nil {
		return nil, err
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	header := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"ES256","kid":"floor","typ":"JWT"}`))
	return func(w http.ResponseWriter, r *http.Request) {
		var person string
		var ends int64
		now := time.Now().Unix()
		if find.QueryRow(r.PostFormValue("session")).Scan(&person, &ends) != nil || ends < now {
			http.Error(w, "{}", http.StatusUnauthorized)
			return
		}
		claims, err := json.Marshal(map[string]any{"iss": "floor", "sub": person, "iat": now, "exp": now + 60})
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		signed := header + "." + base64.RawURLEncoding.EncodeToString(claims)
		sum := sha256.Sum256([]byte(signed))
		x, y, err := ecdsa.Sign(rand.Reader, key, sum[:])
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		signature := make([]byte, 64)
		x.FillBytes(signature[:32])
		y.FillBytes(signature[32:])
		answer(w, map[string]any{"jwt": signed + "." + base64.RawURLEncoding.EncodeToString(signature), "expires_at": now + 60})
	}, nil
}
