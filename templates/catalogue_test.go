package templates_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
)

// Who reads JSON takes the last of two, so that the first says nothing any more without anybody's noticing.
func TestNoCatalogueSaysAKeyTwice(t *testing.T) {
	files, err := filepath.Glob("locales/*.json")
	if err != nil || len(files) == 0 {
		t.Fatalf("catalogues: %v, %v", files, err)
	}
	for _, name := range files {
		f, err := os.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		d := json.NewDecoder(f)
		if _, err := d.Token(); err != nil {
			t.Fatal(err)
		}
		said := map[string]bool{}
		for d.More() {
			key, err := d.Token()
			if err != nil {
				t.Fatal(err)
			}
			var words string
			if err := d.Decode(&words); err != nil {
				t.Fatalf("%s: %v: %v", name, key, err)
			}
			if said[key.(string)] {
				t.Errorf("%s says %v twice", name, key)
			}
			said[key.(string)] = true
		}
	}
}
