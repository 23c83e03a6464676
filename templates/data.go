package templates

// The data of pages that more than one room shows. Other pages take the view of the room
// that owns them; each names its fields in a comment on top.

// Failure is the data of the page "error".
type Failure struct {
	Problem string // its code
	Detail  string // English; a catalogue may translate it by "problem.CODE"
	Trace   string
	Back    string // path or address that leads back, "" for none
	Ours    bool   // the fault is ours
}

// Logout is the data of the page "logout": may we sign you out?
type Logout struct {
	Party   string            // the relying party that asks, "" if unknown
	Account string            // who is signed in
	Action  string            // where the form goes; it sends answer=confirm or answer=stay
	Fields  map[string]string // hidden inputs
}

// LoggedOut is the data of the page "logged_out".
type LoggedOut struct {
	Party string // where Back leads, "" if nowhere
	Back  string // a registered address, or ""
}

// FormPost is the data of the page "form_post" (OAuth 2.0 Form Post Response Mode).
type FormPost struct {
	Action string            // the client's registered redirect URI
	Fields map[string]string // the parameters of the response
	Party  string
}
