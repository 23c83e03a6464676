package federation

// presets is the one table of what we know about providers, by name. A row without Rule believes
// nothing about addresses: either its document says that they are not checked, or none says that
// they are. Who adds a row or changes a rule names the document in the same change.
var presets = []Preset{
	{
		Name: "google", Title: "Google", Type: OIDC, Issuer: "https://accounts.google.com",
		Scopes:  []string{"openid", "email", "profile"},
		Dialect: Dialect{Auth: AuthPost, Domain: "hd"},
		Options: map[string]string{"domain": ""},
		Rule:    Rule{standard},
		Doc: Source{"https://developers.google.com/identity/openid-connect/openid-connect",
			"email_verified is true if the address has been verified, otherwise false; hd is the Workspace domain of the account."},
		Console: "https://console.cloud.google.com/auth/clients",
		Help:    "Create an OAuth client of type Web application. With the option domain only accounts of that Workspace domain come in.",
	},
	{
		Name: "microsoft", Title: "Microsoft", Type: OIDC, Issuer: "https://login.microsoftonline.com/{tenant}/v2.0",
		Scopes:  []string{"openid", "email", "profile"},
		Dialect: Dialect{Auth: AuthPost, Issued: "https://login.microsoftonline.com/{tenantid}/v2.0"},
		Options: map[string]string{"tenant": "common"},
		Claims:  map[string]string{"username": "preferred_username"},
		Rule:    Rule{{"xms_edov", TrueDigits}},
		Doc: Source{"https://learn.microsoft.com/en-us/entra/identity-platform/migrate-off-email-claim-authorization",
			"The claim email can be changed and is not to be relied on; the optional claim xms_edov says whether the owner of its domain has been verified."},
		Console: "https://entra.microsoft.com/#view/Microsoft_AAD_RegisteredApps/ApplicationsListBlade",
		Help:    "Register an application with platform Web, and add the optional claims email and xms_edov to its ID token. The option tenant is common, organizations, consumers or the id of one directory.",
	},
	{
		Name: "apple", Title: "Apple", Type: OIDC, Issuer: "https://appleid.apple.com",
		Scopes:  []string{"name", "email"},
		Dialect: Dialect{FormPost: true, Auth: AuthPost, NoPKCE: true, NoMaxAge: true, NoUserinfo: true},
		Claims:  map[string]string{"given_name": "user.name.firstName", "family_name": "user.name.lastName"},
		Needs:   []string{"team_id", "key_id"},
		Rule:    Rule{{"email_verified", TrueText}},
		Doc: Source{"https://developer.apple.com/documentation/signinwithapple/authenticating-users-with-sign-in-with-apple",
			"email_verified is a string or a boolean that says whether Apple verifies the address."},
		Console: "https://developer.apple.com/account/resources/identifiers/list/serviceId",
		Help:    "The client id is a Services ID; the client secret is the private key (.p8) of a key for Sign in with Apple.",
	},
	{
		Name: "github", Title: "GitHub", Type: OAuth2, Issuer: "https://{host}",
		AuthorizationEndpoint: "https://{host}/login/oauth/authorize", TokenEndpoint: "https://{host}/login/oauth/access_token",
		UserinfoEndpoint: "https://api.{host}/user",
		Scopes:           []string{"read:user", "user:email"},
		Dialect:          Dialect{Auth: AuthPost, NoMaxAge: true, Hint: "login", More: []Call{{URL: "https://api.{host}/user/emails", Into: "emails", Optional: true}}},
		Options:          map[string]string{"host": "github.com"},
		Claims:           map[string]string{"subject": "id", "username": "login", "picture": "avatar_url"},
		Emails:           List{In: "emails", Address: "email", Primary: "primary", Checked: "verified"},
		Doc: Source{"https://docs.github.com/en/rest/users/emails",
			"The list of a person's addresses says of each whether it is verified and which one is primary."},
		Console: "https://github.com/settings/developers",
		Help:    "Create an OAuth app. A GitHub App needs the account permission to read email addresses.",
	},
}
