package login

import (
	"net/http"

	"idp/identity"
	"idp/internal/web"
)

// Strength answers POST /frontend/v1/password-strength: how hard a password is to guess and
// whether the rules let it pass. Nothing of it is kept.
func (x *API) Strength(w http.ResponseWriter, r *http.Request) error {
	var in StrengthRequest
	if err := web.DecodeJSON(r, &in); err != nil {
		return err
	}
	address, err := identity.ParseEmail(in.Address)
	if err != nil {
		address = identity.Identifier{} // still being typed
	}
	rules := x.Engine.Settings().Rules
	s, err := x.Meter.Score(r.Context(), x.Engine.Now(), web.Network(r), string(x.Keeper.Offer(w, r)), func() Strength {
		return rules.Strength(in.Password.String, address)
	})
	if err != nil {
		return err
	}
	return web.WriteJSON(w, http.StatusOK, s)
}
