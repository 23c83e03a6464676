package admin

import (
	"net/http"

	"idp/identity"
	"idp/internal/web"
)

// ListKeys answers GET /operator/keys with the signing keys, public facts only.
func (p *Pages) ListKeys() web.Handler {
	return p.operator(func(w http.ResponseWriter, r *http.Request, _ identity.User) error {
		return p.Web.Show(w, r, http.StatusOK, "operator_keys", struct {
			Issuer string
			Keys   any
		}{p.Issuer, p.Keys.Keys()})
	})
}
