package provider

// ClaimsRequest is what the parameter "claims" asks for beyond the scopes (OIDC Core §5.5):
// names of claims, by where they shall be. Values it demands of sub and acr are part of the
// request, not of this.
type ClaimsRequest struct {
	IDToken  []string `json:"id_token,omitempty"`
	Userinfo []string `json:"userinfo,omitempty"`
}
