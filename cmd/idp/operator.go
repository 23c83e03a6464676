package main

import (
	"errors"
	"time"

	"github.com/spf13/cobra"

	"idp/admin"
	"idp/identity"
	"idp/message"
	"idp/server"
)

func (c *cli) operator() *cobra.Command {
	link := c.withJSON(&cobra.Command{
		Use:   "link",
		Short: "Make a link that turns whoever opens it first into an operator, for an hour; earlier links die",
		Args:  takes(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return c.rooms(cmd.Context(), func(r *server.Rooms) error {
				l, err := r.Operators.MakeLink(cmd.Context(), admin.CLI)
				if err != nil {
					return err
				}
				return c.fields(map[string]any{"url": l.URL.Reveal(), "expires_at": l.ExpiresAt},
					"url", l.URL.Reveal(), "expires", l.ExpiresAt.Format(time.RFC3339))
			})
		},
	})
	codes := &cobra.Command{
		Use:   "mail-codes",
		Short: "Let people sign in by a mailed code, for when nobody gets in by connections any more",
		Args:  takes(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return c.rooms(cmd.Context(), func(r *server.Rooms) error {
				s, version, err := r.Settings.Load(cmd.Context())
				if err != nil {
					return err
				}
				s.SignIn.EmailCode = true
				if err := r.Settings.Save(cmd.Context(), s, version, admin.CLI); err != nil {
					return err
				}
				c.say("People can sign in by a mailed code.")
				return nil
			})
		},
	}
	return group(&cobra.Command{Use: "operator", Short: "Appoint those who run this instance"}, link, codes)
}

func (c *cli) mail() *cobra.Command {
	var to string
	test := &cobra.Command{
		Use:   "test",
		Short: "Send a mail now, and say what the mail server says",
		Args:  takes(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := must(cmd, "to"); err != nil {
				return err
			}
			address, err := identity.ParseEmail(to)
			if err != nil {
				return identity.ErrEmail.On("to")
			}
			return c.rooms(cmd.Context(), func(r *server.Rooms) error {
				err := r.Outbox.SendNow(cmd.Context(), message.Message{Kind: message.Test, To: address})
				var failed *message.Failed
				switch {
				case errors.As(err, &failed):
					return errors.New(failed.Error() + ": " + failed.Said)
				case err != nil:
					return err
				case r.Config.SMTPURL.Empty():
					c.say("Kept at %s/dev/inbox, since no mail server is configured.", r.Config.Issuer)
				default:
					c.say("The mail server took it.")
				}
				return nil
			})
		},
	}
	test.Flags().StringVar(&to, "to", "", "email `address`")
	return group(&cobra.Command{Use: "mail", Short: "Try the way mail goes out"}, test)
}
