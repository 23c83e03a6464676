package main

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

func (s *session) token(form url.Values) (t tokens, err error) {
	return t, s.post(s.meta.Token, form, &t)
}

// post sends a form with the client's authentication.
func (s *session) post(to string, form url.Values, out any) error {
	req, err := http.NewRequest("POST", to, strings.NewReader(form.Encode()))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.SetBasicAuth(url.QueryEscape(s.client), url.QueryEscape(s.secret))
	return fetch(s.api, req, out)
}

func (s *session) get(from, bearer string, out any) error {
	req, err := http.NewRequest("GET", from, nil)
	if err != nil {
		return err
	}
	if bearer != "" {
		req.Header.Set("Authorization", "Bearer "+bearer)
	}
	return fetch(s.api, req, out)
}

// fetch makes a request that must succeed, and decodes its JSON into out.
func fetch(c *http.Client, req *http.Request, out any) error {
	res, err := c.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		return err
	}
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("%s %s: %s: %.200s", req.Method, req.URL.Path, res.Status, body)
	}
	if out == nil {
		return nil
	}
	return json.Unmarshal(body, out)
}

func valid(t tokens, err error) error {
	if err == nil && t.Access == "" {
		err = errors.New("no access_token")
	}
	return err
}

// with adds the scope to a form.
func (s *session) with(form url.Values, scope string) url.Values {
	if scope != "" {
		form.Set("scope", scope)
	}
	return form
}

// userOf is the -user that worker w logs in as; %d stands for the worker.
func (s *session) userOf(w int) string {
	return strings.ReplaceAll(s.user, "%d", strconv.Itoa(w))
}

func random() string {
	b := make([]byte, 32)
	rand.Read(b)
	return base64.RawURLEncoding.EncodeToString(b)
}
