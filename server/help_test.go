package server_test

import (
	"os"
	"regexp"
	"testing"
)

// An operator may take factors off a file, and never put a password of their own on it over HTTP.
func TestNoRouteLetsAnOperatorSetSomebodysPassword(t *testing.T) {
	text, err := os.ReadFile("routes.go")
	if err != nil {
		t.Fatal(err)
	}
	routes := regexp.MustCompile(`Pattern: "([A-Z]* ?/operator[^"]*)"`).FindAllStringSubmatch(string(text), -1)
	if len(routes) < 20 {
		t.Fatalf("found only %d routes", len(routes))
	}
	for _, r := range routes {
		if regexp.MustCompile(`(?i)password|hash|credential`).MatchString(r[1]) {
			t.Errorf("there is %s", r[1])
		}
	}
}
