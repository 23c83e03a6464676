package main

import (
	"errors"

	"github.com/spf13/cobra"

	"idp/identity"
	"idp/message"
	"idp/server"
)

func (c *cli) sms() *cobra.Command {
	test := &cobra.Command{
		Use:   "test NUMBER",
		Short: "Send an SMS now, and say what the gateway says",
		Args:  takes("NUMBER"),
		RunE: func(cmd *cobra.Command, args []string) error {
			number, err := identity.ParsePhone(args[0])
			if err != nil {
				return identity.ErrPhone.On("NUMBER")
			}
			return c.rooms(cmd.Context(), func(r *server.Rooms) error {
				if !r.Countries.Reach(number) {
					return errors.New("no SMS goes to that number: its country is not in sms.countries, or it is of a kind that charges for being written to")
				}
				err := r.Outbox.SendNow(cmd.Context(), message.Message{Kind: message.Test, To: number})
				var failed *message.Failed
				switch {
				case errors.As(err, &failed):
					return errors.New(failed.Error() + ": " + failed.Said)
				case err != nil:
					return err
				case r.Config.SMS.Gateway == "off":
					c.say("Kept at %s/dev/inbox, since no SMS gateway is configured.", r.Config.Issuer)
				default:
					c.say("The gateway took it.")
				}
				return nil
			})
		},
	}
	return group(&cobra.Command{Use: "sms", Short: "Try the way SMS go out"}, test)
}
