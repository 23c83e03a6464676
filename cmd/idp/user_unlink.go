package main

import (
	"github.com/spf13/cobra"

	"idp/admin"
	"idp/server"
)

func (c *cli) userUnlink() *cobra.Command {
	var force bool
	cmd := &cobra.Command{
		Use:   "unlink USER CONNECTION",
		Short: "Take one account elsewhere off a person's file",
		Long: `Take one account elsewhere off a person's file: they cannot sign in by it any more. What only its
provider had confirmed is not confirmed any more, sessions that began with it end, and the person is told
by mail. Where they have several accounts by one connection, its place takes the id of one of them.`,
		Args: takes("USER (id, email address or phone number)", "CONNECTION"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.rooms(cmd.Context(), func(r *server.Rooms) error {
				p, err := r.Users.Find(cmd.Context(), args[0])
				if err != nil {
					return err
				}
				if err := r.Users.Unlink(cmd.Context(), p.User.ID, args[1], force, admin.CLI); err != nil {
					return err
				}
				c.say("%s is not linked by %s any more, and is told by mail.", p.User.ID, args[1])
				return nil
			})
		},
	}
	cmd.Flags().BoolVar(&force, "force", false, "also if it is their only way to sign in")
	return cmd
}
