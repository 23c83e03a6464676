// Package js holds the browser SDK as browsers get it: the bundles that tools/bundle makes of
// src, committed in dist. docs/integrate/browser-sdk.md says what it does; server/sdk.go
// serves it.
package js

import (
	"embed"
	"encoding/json"
	"io/fs"
)

//go:embed dist/*.js
var dist embed.FS

//go:embed package.json
var manifest []byte

// Version returns the version of the npm package that these bundles are published as.
func Version() (string, error) {
	var p struct {
		Version string `json:"version"`
	}
	err := json.Unmarshal(manifest, &p)
	return p.Version, err
}

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
