package identity

// Party is a relying party as a person sees it: enough to say "continue to Acme"
// without knowing which protocol Acme speaks.
type Party struct {
	ID         string `json:"id"` // the client or service provider it stands for
	Name       string `json:"name"`
	LogoURI    string `json:"logo_uri,omitempty"` // a path of this instance
	PolicyURI  string `json:"policy_uri,omitempty"`
	TermsURI   string `json:"tos_uri,omitempty"`
	Host       string `json:"host,omitempty"` // where the person is sent back to
	FirstParty bool   `json:"first_party,omitempty"`
}
