package web

import "net/http"

// Asset answers GET /assets/{file} with a style or script. Its name carries the digest of
// what it says, so it may be kept for ever.
func (p *Pages) Asset(w http.ResponseWriter, r *http.Request) error {
	a, ok := p.Set.Asset(r.PathValue("file"))
	if !ok {
		return ErrNoPage
	}
	h := w.Header()
	h.Set("Content-Type", a.Type)
	h.Set("Cache-Control", "public, max-age=31536000, immutable")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	_, _ = w.Write(a.Body)
	return nil
}
