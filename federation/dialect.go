package federation

// Dialect is how a provider talks where it departs from the standard. A preset's row says it;
// the zero value is the standard's way.
type Dialect struct {
	NoPKCE    bool              // refuses a code challenge; state and nonce then bind alone
	FormPost  bool              // has to be asked to post its answer; the name in its form field user becomes the claim user
	NoMaxAge  bool              // understands neither prompt=login nor max_age: nobody can be asked for anew there
	Issued    string            // iss of its tokens where it differs by tenant: with {tenantid}, which is the claim tid
	Hint      string            // parameter for whom to expect; "": login_hint of OpenID Connect, none of OAuth 2.0; "-": none
	Domain    string            // parameter that takes the option "domain": hd, domain_hint
	Auth      Auth              // how the client proves itself; "": what discovery says, or basic
	Separator string            // between scopes; "": a space
	Params    map[string]string // further parameters of the authorization request

	NoUserinfo bool              // all it says is in the ID token
	Proof      bool              // wants appsecret_proof with every call: hex HMAC-SHA256 of the access token under the client secret
	Header     map[string]string // fields of every call after the token: "{client_id}" stands for it
	More       []Call            // what else to ask, after userinfo
	Body       bool              // its token endpoint wants JSON
}

// Call is one further question to a provider, with the bearer token.
type Call struct {
	URL  string
	Into string // the claim that the answer becomes
	// Optional calls may fail: what they would have said is then unsaid.
	Optional bool
}

// Auth is a way of client authentication at the token endpoint (OIDC Core §9).
type Auth string

// The ways that are spoken here.
const (
	AuthBasic Auth = "client_secret_basic"
	AuthPost  Auth = "client_secret_post"
	AuthNone  Auth = "none"
)
