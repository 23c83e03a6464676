package identity

import (
	_ "embed"
	"slices"
	"strings"
	"sync"
)

// The list names its origin and licence in its first lines.
//
//go:embed disposable.txt
var disposableText string

var disposable = sync.OnceValue(func() []string {
	var domains []string
	for line := range strings.Lines(disposableText) {
		if line = strings.TrimSuffix(line, "\n"); line != "" && !strings.HasPrefix(line, "#") {
			domains = append(domains, line)
		}
	}
	return domains
})

// Disposable reports whether the domain, in ASCII and lower case, or one that it lies
// below, is known to hand out mailboxes that are thrown away after use.
func Disposable(domain string) bool {
	for found := true; found; _, domain, found = strings.Cut(domain, ".") {
		if _, listed := slices.BinarySearch(disposable(), domain); listed {
			return true
		}
	}
	return false
}
