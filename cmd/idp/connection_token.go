package main

import (
	"github.com/spf13/cobra"

	"idp/admin"
	"idp/server"
)

func (c *cli) connectionToken() *cobra.Command {
	var user, account string
	cmd := &cobra.Command{
		Use:   "token NAME",
		Short: "Print the provider's access token for a person, renewed if it is over",
		Long: `Print the access token that the provider gave for a person, renewed if it is over, and nothing else.

The connection must have keep_tokens on since before the person last signed in by it. Each time is in the
audit trail. It exits with 1 if they are not linked by it, if no token is kept, if the connection is disabled,
and if the provider renews the token no more: then the person has to sign in by it again.`,
		Example: "  curl -H \"Authorization: Bearer $(idp connection token google --user ann@example.com)\" https://api.example.com/me",
		Args:    takes("NAME"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := must(cmd, "user"); err != nil {
				return err
			}
			return c.rooms(cmd.Context(), func(r *server.Rooms) error {
				p, err := r.Users.Find(cmd.Context(), user)
				if err != nil {
					return err
				}
				access, err := r.Tokens.Access(cmd.Context(), args[0], p.User.ID, account, admin.CLI)
				if err != nil {
					return err
				}
				c.say("%s", access.Reveal())
				return nil
			})
		},
	}
	cmd.Flags().StringVar(&user, "user", "", "the `person`: id, email address or phone number")
	cmd.Flags().StringVar(&account, "account", "", "`id` of the account, where they have several by it")
	return cmd
}
