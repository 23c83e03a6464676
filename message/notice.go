package message

import "time"

// Notice is what the kinds PasswordChanged and Changed tell somebody about their account.
// What others chose, the name of a factor and the browser's word for itself, is tamed
// before it is drawn; all else is ours.
type Notice struct {
	What    string    `json:"what"`              // which words: mail.changed.WHAT.subject and .lead
	Method  string    `json:"method,omitempty"`  // of the factor it is about: mail.method.METHOD
	Name    string    `json:"name,omitempty"`    // the factor's, as its person called it
	Address string    `json:"address,omitempty"` // what it is about, masked
	Browser string    `json:"browser,omitempty"` // on which browser and system
	Place   string    `json:"place,omitempty"`   // "Auckland, New Zealand", where it can be told
	Network string    `json:"network,omitempty"` // the address the request came from
	At      time.Time `json:"at,omitzero"`
}

// tamed is the notice with nothing in it that makes a link, or more than a name.
func (n Notice) tamed() Notice {
	n.Name, n.Browser, n.Place = label(n.Name), label(n.Browser), label(n.Place)
	return n
}
