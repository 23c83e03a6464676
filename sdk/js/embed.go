// Package js holds the browser SDK as browsers get it: the bundles that tools/bundle makes of
// src, committed in dist. docs/integrate/browser-sdk.md says what it does; server/sdk.go
// serves it.
package js

import (
	"embed"
	"io/fs"
)

//go:embed dist/*.js
var dist embed.FS

// Files returns the bundles by name. idp.js and components.js have names that stay; the name of
// every other file changes with what it says.
func Files() (map[string][]byte, error) {
	names, err := fs.Glob(dist, "dist/*.js")
	if err != nil {
		return nil, err
	}
	files := map[string][]byte{}
	for _, name := range names {
		body, err := fs.ReadFile(dist, name)
		if err != nil {
			return nil, err
		}
		files[name[len("dist/"):]] = body
	}
	return files, nil
}
