package templates_test

import (
	"os"
	"path/filepath"
	"regexp"
	"testing"
)

// unseen are ways to write an address that nobody puts the issuer's path in front of:
// internal/web does it for href, src and action between double quotes.
var unseen = regexp.MustCompile(`='/[^/]|=/[a-z]|url\(\s*['"]?/[a-z]|srcset=|url=/[a-z]|poster="|location(\.href)? = '/|fetch\('/`)

func TestEveryAddressStandsWhereTheIssuersPathIsPutInFront(t *testing.T) {
	var files []string
	for _, pattern := range []string{"*.html", "pages/*.html", "assets/*.css", "assets/*.js"} {
		found, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, found...)
	}
	if len(files) < 20 {
		t.Fatalf("only %d files were found", len(files))
	}
	for _, name := range files {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if found := unseen.Find(text); found != nil {
			t.Errorf("%s: write %q so that it works below a path", name, found)
		}
	}
}
