package identity

import "encoding/json"

// Metadata is what applications keep about a person: three JSON objects, by who may write and
// who may read. An empty one is nil.
type Metadata struct {
	Public  json.RawMessage // operators write it; the person and applications read it
	Private json.RawMessage // operators write and read it; the person sees it only where a template tells
	Own     json.RawMessage // the person writes it: never decide by it what they may do
}
