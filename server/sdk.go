package server

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"idp/internal/web"
	"idp/sdk/js"
)

// sdk serves the browser SDK to pages of any origin. It is public code, the same for everybody:
// who may do what with it is decided where it calls.
type sdk struct {
	files map[string]script
}

// script is one file, as it is and packed, each with its own tag.
type script struct {
	plain               []byte
	packed              func() []byte // made when somebody first asks for it
	plainTag, packedTag string
	lasting             bool // its name changes with what it says
}

// The files whose names stay are asked for again after a while, the rest may be kept for ever.
const (
	sdkCache   = "public, max-age=300, stale-while-revalidate=3600"
	sdkLasting = "public, max-age=31536000, immutable"
)

func newSDK() (*sdk, error) {
	bundles, err := js.Files()
	if err != nil {
		return nil, fmt.Errorf("read the browser SDK: %w", err)
	}
	s := &sdk{files: map[string]script{}}
	for name, body := range bundles {
		sum := sha256.Sum256(body)
		tag := hex.EncodeToString(sum[:8])
		s.files[name] = script{
			plain: body, plainTag: `"` + tag + `"`, packed: sync.OnceValue(func() []byte { return pack(body) }), packedTag: `"` + tag + `-gzip"`,
			lasting: name != "idp.js" && name != "components.js",
		}
	}
	return s, nil
}

func pack(body []byte) []byte {
	var packed bytes.Buffer
	z, _ := gzip.NewWriterLevel(&packed, gzip.BestCompression) // fails only for a level that is none
	_, _ = z.Write(body)                                       // into memory
	_ = z.Close()
	return packed.Bytes()
}

// Serve answers GET /sdk/v1/{file...}.
func (s *sdk) Serve(w http.ResponseWriter, r *http.Request) error {
	f, ok := s.files[r.PathValue("file")]
	if !ok {
		return web.ErrNoPage
	}
	h := w.Header()
	h.Set("Content-Type", "text/javascript; charset=utf-8")
	h.Set("Access-Control-Allow-Origin", "*")
	h.Set("Cross-Origin-Resource-Policy", "cross-origin")
	h.Set("Timing-Allow-Origin", "*")
	h.Set("Vary", "Accept-Encoding")
	h.Set("Cache-Control", sdkCache)
	if f.lasting {
		h.Set("Cache-Control", sdkLasting)
	}
	body, tag := f.plain, f.plainTag
	if unpacks(r) {
		body, tag = f.packed(), f.packedTag
		h.Set("Content-Encoding", "gzip")
	}
	h.Set("ETag", tag)
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(body))
	return nil
}

// unpacks reports whether who asks reads gzip.
func unpacks(r *http.Request) bool {
	for one := range strings.SplitSeq(r.Header.Get("Accept-Encoding"), ",") {
		name, weight, _ := strings.Cut(strings.TrimSpace(one), ";")
		if name == "gzip" {
			return strings.TrimSpace(weight) != "q=0"
		}
	}
	return false
}
