package house

import (
	"context"
	"sync"
	"testing"
)

var load = sync.OnceValues(func() (*House, error) { return Load(context.Background(), "../..") })

func TestTheHouseKeepsItsRules(t *testing.T) {
	h, err := load()
	if err != nil {
		t.Fatal(err)
	}
	if len(h.Packages) < 50 || len(h.Files) < 20 || len(h.Texts) < 3 {
		t.Fatalf("saw only %d packages, %d files and %d texts: the rules looked at nothing", len(h.Packages), len(h.Files), len(h.Texts))
	}
	for _, rule := range Rules() {
		t.Run(rule.Name, func(t *testing.T) {
			for _, finding := range rule.Check(h) {
				t.Error(finding)
			}
		})
	}
}
