package templates

import (
	"html/template"
	"regexp"
	"slices"
	"strings"
)

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
	Why     string            // what is wrong with the request: "hint", "address" or ""
}

// LoggedOut is the data of the page "logged_out".
type LoggedOut struct {
	Party string // where Back leads, "" if nowhere
	Back  string // a registered address, or ""
	Why   string // what was wrong with the request: "hint", "address" or ""

	Left   string // a provider where the person may be signed in still; the button takes Ticket along
	Ticket string
	There  string // a provider that answered
	Unsure bool   // it did not confirm that the person is signed out there
}

// Link is Back as a link; an app's own scheme is fine.
func (l LoggedOut) Link() template.URL { return registered(l.Back) }

// LoggingOut is the data of the page "logging_out", whose frames tell relying parties that
// the person left.
type LoggingOut struct {
	Frames []string // registered addresses
	To     string   // where the browser goes next: ours or a registered address
}

// Link is To as a link; an app's own scheme is fine.
func (l LoggingOut) Link() template.URL { return registered(l.To) }

var originPattern = regexp.MustCompile(`^https?://([a-z0-9.-]+|\[[0-9a-f:.]+\])(:[0-9]+)?`)

// FrameOrigins returns what the page may show in frames, for its Content-Security-Policy.
func (l LoggingOut) FrameOrigins() []string {
	var origins []string
	for _, f := range l.Frames {
		if o := originPattern.FindString(strings.ToLower(f)); o != "" && !slices.Contains(origins, o) {
			origins = append(origins, o)
		}
	}
	return origins
}

// registered lets an address through that was judged when it was registered. The
// template's own filter knows only http, https and mailto.
func registered(uri string) template.URL {
	scheme, _, _ := strings.Cut(strings.ToLower(uri), ":")
	if scheme == "javascript" || scheme == "data" || scheme == "vbscript" {
		return ""
	}
	return template.URL(uri) //nolint:gosec // judged at registration, and above
}

// FormPost is the data of the page "form_post": a response to a relying party (OAuth 2.0 Form Post
// Response Mode), or a request to a provider (SAML HTTP POST binding).
type FormPost struct {
	Action string            // the client's registered redirect URI, or the provider's address
	Fields map[string]string // what is sent
	Party  string
	Away   bool // it goes to a provider
}
