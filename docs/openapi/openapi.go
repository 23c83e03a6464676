// Package openapi holds the published descriptions of our APIs, as they are committed. They are
// made from the types that handlers read and write: see server/contract.go.
package openapi

import _ "embed" // for the documents

//go:embed frontend.json
var frontend []byte

// Frontend returns the description of the Frontend API (OpenAPI 3.1, JSON).
func Frontend() []byte { return frontend }
