package message

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"slices"

	"idp/internal/outbound"
	"idp/internal/secret"
)

// Twilio sends SMS through Twilio's Messages resource. Twilio recognises no message that
// comes twice: if it took one and its answer was lost, the same text goes out again.
type Twilio struct {
	Account  string        // SID, AC…
	Key      secret.String // its auth token
	From     string        // a number or name of the account's, or "" where a Service is set
	Service  string        // SID of a messaging service, MG…
	Outbound *outbound.Client

	base string // of the API; "" for Twilio's own
}

const (
	twilioAPI  = "https://api.twilio.com"
	mostAnswer = 16 << 10 // bytes of a gateway's answer that are read
	mostSaid   = 300      // bytes of it that an operator is told
)

// twilioFinal are Twilio's error codes about the number that is written to, which trying
// again does not mend. What the operator can mend, or time, is tried again.
var twilioFinal = []int{
	21211, // no phone number
	21214, // cannot be reached
	21217, // not in a form that can be dialled
	21408, // its country is not allowed in this account
	21610, // its owner said STOP
	21612, // cannot be reached from this sender
	21614, // no mobile number
	21617, // too long a text
}

// Send implements Sender.
func (t *Twilio) Send(ctx context.Context, l Letter) error {
	form := url.Values{"To": {l.To}, "Body": {l.Text}}
	if t.Service != "" {
		form.Set("MessagingServiceSid", t.Service)
	} else {
		form.Set("From", t.From)
	}
	base := t.base
	if base == "" {
		base = twilioAPI
	}
	header := http.Header{
		"Content-Type":  {"application/x-www-form-urlencoded"},
		"Authorization": {"Basic " + base64.StdEncoding.EncodeToString([]byte(t.Account+":"+t.Key.Reveal()))},
	}
	uri := base + "/2010-04-01/Accounts/" + url.PathEscape(t.Account) + "/Messages.json"
	status, answer, err := t.Outbound.Post(ctx, uri, header, []byte(form.Encode()), mostAnswer)
	if err != nil {
		return unreached(err)
	}
	if status/100 == 2 {
		return nil
	}
	var trouble struct {
		Code    int    `json:"code"`
		Message string `json:"message"`
	}
	if json.Unmarshal(answer, &trouble) != nil || trouble.Code == 0 {
		return &Failed{SMS: true, Code: status, Said: said(answer)}
	}
	return &Failed{SMS: true, Code: trouble.Code, Final: slices.Contains(twilioFinal, trouble.Code), Said: said([]byte(trouble.Message))}
}

// unreached is what there is to say of a gateway that gave no answer. The cause is for the
// operator who tests; the address is left out of it, since some carry a key.
func unreached(err error) *Failed {
	f := &Failed{SMS: true, Said: err.Error()}
	var call *url.Error
	if errors.As(err, &call) {
		f.Said = call.Err.Error()
	}
	return f
}

// said are a gateway's words, as far as they are shown.
func said(answer []byte) string { return string(answer[:min(len(answer), mostSaid)]) }
