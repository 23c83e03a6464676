package config

import (
	"net/url"
	"regexp"

	"idp/internal/secret"
)

// SMS says who delivers messages to phones: Gateway is off, twilio or http.
type SMS struct {
	Gateway   string
	Countries []string // ISO codes and calling codes; empty: all
	Twilio    Twilio
	HTTP      SMSService
}

// Twilio is an account there; of From and MessagingService one is set.
type Twilio struct {
	AccountSID       string
	AuthToken        secret.String
	From             string
	MessagingService string
}

// SMSService is a service that takes messages by HTTP.
type SMSService struct {
	URL   string
	Token secret.String
}

// Texts reports whether a message to a phone goes anywhere: to a gateway, or in development
// to the inbox.
func (c Config) Texts() bool { return c.SMS.Gateway != "off" || c.Development() }

// Inbox reports whether messages of some sort stay in the development inbox.
func (c Config) Inbox() bool {
	return c.Development() && (c.SMTPURL.Empty() || c.SMS.Gateway == "off")
}

var (
	country    = regexp.MustCompile(`^([A-Z]{2}|\+[1-9][0-9]{0,2})$`)
	twilioSID  = regexp.MustCompile(`^AC[0-9a-f]{32}$`)
	serviceSID = regexp.MustCompile(`^MG[0-9a-f]{32}$`)
)

func (c Config) judgeSMS(r *reasons) {
	for _, s := range c.SMS.Countries {
		if !country.MatchString(s) {
			r.add("sms.countries: %q is no country: spell it like GB or +44", s)
		}
	}
	switch s := c.SMS; s.Gateway {
	case "twilio":
		if !twilioSID.MatchString(s.Twilio.AccountSID) {
			r.add("sms.twilio.account_sid %q is no account SID: AC and 32 digits, as Twilio's console shows", s.Twilio.AccountSID)
		}
		if s.Twilio.AuthToken.Empty() {
			r.add("sms.twilio.auth_token is missing: give it as IDP_SMS_TWILIO_AUTH_TOKEN_FILE")
		}
		if (s.Twilio.From == "") == (s.Twilio.MessagingService == "") {
			r.add("sms.gateway is twilio: set sms.twilio.from or sms.twilio.messaging_service, one of them")
		}
		if s.Twilio.MessagingService != "" && !serviceSID.MatchString(s.Twilio.MessagingService) {
			r.add("sms.twilio.messaging_service %q is no service SID: MG and 32 digits", s.Twilio.MessagingService)
		}
	case "http":
		u, err := url.Parse(s.HTTP.URL)
		if err != nil || u.Hostname() == "" || u.User != nil || u.Fragment != "" ||
			u.Scheme != "https" && (u.Scheme != "http" || !c.Development() || !loopback(u.Hostname())) {
			r.add("sms.http.url is no https URL without user and password: it is where SMS are posted")
		}
	}
}
