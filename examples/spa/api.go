package main

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	idp "idp/sdk/go"
)

// note is a thought somebody kept.
type note struct {
	Text string    `json:"text"`
	At   time.Time `json:"at"`
}

// notes are everybody's, by the sub of their tokens: it never changes, and is never given to somebody
// else. They are gone when the app ends.
type notes struct {
	mu  sync.Mutex
	all map[string][]note
}

const (
	longest = 280 // characters of a note
	most    = 100 // notes of one person
)

// api answers who sends a token that verifier believes, and nobody else: it refuses the others with 401
// before a handler sees them.
func api(verifier *idp.Verifier) http.Handler {
	n := &notes{all: map[string][]note{}}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /api/me", me)
	mux.HandleFunc("GET /api/notes", n.list)
	mux.HandleFunc("POST /api/notes", n.keep)
	return verifier.Require(mux)
}

// me answers with the claims of the token: all that this API knows of who is asking.
func me(w http.ResponseWriter, r *http.Request) {
	who, _ := idp.FromContext(r.Context()) // somebody, behind Require
	claims := map[string]any{}
	for _, name := range who.Names() {
		var value any
		if who.Get(name, &value) == nil {
			claims[name] = value
		}
	}
	answer(w, http.StatusOK, claims)
}

func (n *notes) list(w http.ResponseWriter, r *http.Request) {
	who, _ := idp.FromContext(r.Context())
	n.mu.Lock()
	defer n.mu.Unlock()
	answer(w, http.StatusOK, append([]note{}, n.all[who.Subject]...))
}

func (n *notes) keep(w http.ResponseWriter, r *http.Request) {
	var in struct{ Text string }
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 8<<10)).Decode(&in); err != nil {
		refuse(w, http.StatusBadRequest, "Send JSON like {\"text\": \"…\"}.")
		return
	}
	text := strings.TrimSpace(in.Text)
	if text == "" || utf8.RuneCountInString(text) > longest {
		refuse(w, http.StatusUnprocessableEntity, "A note has between 1 and 280 characters.")
		return
	}
	who, _ := idp.FromContext(r.Context())
	n.mu.Lock()
	defer n.mu.Unlock()
	kept := note{Text: text, At: time.Now()}
	all := slices.Insert(n.all[who.Subject], 0, kept)
	n.all[who.Subject] = all[:min(len(all), most)]
	answer(w, http.StatusCreated, kept)
}

func answer(w http.ResponseWriter, status int, what any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(what)
}

func refuse(w http.ResponseWriter, status int, why string) {
	answer(w, status, map[string]string{"detail": why})
}
