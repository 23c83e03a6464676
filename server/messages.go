package server

import (
	"fmt"

	"idp/identity"
	"idp/message"
	"idp/storage"
)

// mail chooses who delivers: the mail server and the SMS gateway, or in development the inbox.
func (r *Rooms) mail() (err error) {
	if r.Countries, err = identity.ParseCountries(r.Config.SMS.Countries); err != nil {
		return fmt.Errorf("sms.countries: %w", err)
	}
	r.Outbox = &message.Outbox{
		Queue: r.Queue, Box: r.Box, Render: r.Templates.Mail, Text: r.Templates.SMS, Events: r.Events, Now: r.now,
	}
	inbox := message.Keep{Inbox: storage.NewInbox(r.DB)}
	switch sms := r.Config.SMS; {
	case sms.Gateway == "twilio":
		r.Outbox.Phones = &message.Twilio{
			Account: sms.Twilio.AccountSID, Key: sms.Twilio.AuthToken, From: sms.Twilio.From, Service: sms.Twilio.MessagingService,
			Outbound: r.Outbound,
		}
	case sms.Gateway == "http":
		r.Outbox.Phones = &message.Gateway{URL: sms.HTTP.URL, Key: sms.HTTP.Token, Outbound: r.Outbound}
	case r.Config.Development():
		r.Outbox.Phones = inbox
	}
	if r.Config.SMTPURL.Empty() {
		r.Outbox.Sender = inbox
		return nil
	}
	smtp, err := message.NewSMTP(r.Config.SMTPURL, r.Config.MailFrom, r.Config.MailReplyTo)
	r.Outbox.Sender = smtp
	return err
}
