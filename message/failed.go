package message

import "fmt"

// Failed says why a mail server or SMS gateway did not take a letter. Its text names codes
// only, since servers repeat addresses in theirs; Said has the server's own words for the
// operator who tests.
type Failed struct {
	Code  int  // SMTP reply code, HTTP status or gateway's own code; 0 if the conversation broke
	SMS   bool // an SMS gateway, not a mail server
	Final bool // trying again is useless
	Said  string
}

// Error implements error.
func (f *Failed) Error() string {
	server := "mail server"
	if f.SMS {
		server = "SMS gateway"
	}
	if f.Code == 0 {
		return "the " + server + " could not be talked to"
	}
	return fmt.Sprintf("the %s answered %d", server, f.Code)
}
