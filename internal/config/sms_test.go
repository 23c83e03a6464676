package config_test

import (
	"slices"
	"strings"
	"testing"
)

const (
	accountSID = "IDP_SMS_TWILIO_ACCOUNT_SID=AC0123456789abcdef0123456789abcdef"
	serviceSID = "IDP_SMS_TWILIO_MESSAGING_SERVICE=MG0123456789abcdef0123456789abcdef"
	twilioKey  = "IDP_SMS_TWILIO_AUTH_TOKEN=hunter2"
	countries  = "IDP_SMS_COUNTRIES=GB, +49"
)

func TestSMSGatewaysAreConfiguredWhollyOrNotAtAll(t *testing.T) {
	by := func(gateway string, more ...string) []string {
		return append([]string{"IDP_SMS_GATEWAY=" + gateway, countries}, more...)
	}
	for _, c := range []struct {
		why    string
		change []string
		want   string // "": fine
	}{
		{"a number", by("twilio", accountSID, twilioKey, "IDP_SMS_TWILIO_FROM=+15005550006"), ""},
		{"a service", by("twilio", accountSID, twilioKey, serviceSID), ""},
		{"both", by("twilio", accountSID, twilioKey, serviceSID, "IDP_SMS_TWILIO_FROM=+15005550006"), "one of them"},
		{"neither", by("twilio", accountSID, twilioKey), "one of them"},
		{"no key", by("twilio", accountSID, serviceSID), "sms.twilio.auth_token is missing"},
		{"no account", by("twilio", twilioKey, serviceSID), "is no account SID"},
		{"an account that would change the path", by("twilio", "IDP_SMS_TWILIO_ACCOUNT_SID=AC/../x", twilioKey, serviceSID), "is no account SID"},
		{"a service elsewhere", by("http", "IDP_SMS_HTTP_URL=https://sms.example.com/send?v=2"), ""},
		{"in the clear", by("http", "IDP_SMS_HTTP_URL=http://sms.example.com/send"), "sms.http.url is no https URL"},
		{"nowhere", by("http"), "sms.http.url is no https URL"},
		{"a word in the address", by("http", "IDP_SMS_HTTP_URL=https://idp:hunter2@sms.example.com/"), "sms.http.url is no https URL"},
		{"a country by name", []string{"IDP_SMS_COUNTRIES=Germany"}, "spell it like GB or +44"},
	} {
		err := production(t, c.change...).Validate()
		if (err == nil) != (c.want == "") || err != nil && (!strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "hunter2")) {
			t.Errorf("%s: %v", c.why, err)
		}
	}
}

func TestOperatorsAreWarnedBeforeSMSGoEverywhere(t *testing.T) {
	about := func(w string) bool { return strings.Contains(w, "sms.countries") }
	every := production(t, "IDP_SMS_GATEWAY=http", "IDP_SMS_HTTP_URL=https://sms.example.com/")
	some := production(t, "IDP_SMS_GATEWAY=http", "IDP_SMS_HTTP_URL=https://sms.example.com/", countries)
	if !slices.ContainsFunc(every.Warnings(), about) || slices.ContainsFunc(some.Warnings(), about) || slices.ContainsFunc(production(t).Warnings(), about) {
		t.Errorf("warnings %q, %q", every.Warnings(), some.Warnings())
	}
}

func TestMessagesStayInTheInboxOnlyInDevelopment(t *testing.T) {
	for _, c := range []struct {
		why          string
		change       []string
		inbox, texts bool
	}{
		{"nothing is configured", nil, true, true},
		{"mail goes out, SMS stay", []string{"IDP_SMTP_URL=smtp://localhost"}, true, true},
		{"both go out", []string{"IDP_SMTP_URL=smtp://localhost", "IDP_SMS_GATEWAY=http"}, false, true},
		{"production", []string{"IDP_ENVIRONMENT=production"}, false, false},
		{"production with a gateway", []string{"IDP_ENVIRONMENT=production", "IDP_SMS_GATEWAY=http"}, false, true},
	} {
		if got := load(t, "", c.change...); got.Inbox() != c.inbox || got.Texts() != c.texts {
			t.Errorf("%s: inbox %t, texts %t", c.why, got.Inbox(), got.Texts())
		}
	}
}
