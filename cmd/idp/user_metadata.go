package main

import (
	"bytes"

	"github.com/spf13/cobra"

	"idp/admin"
	"idp/server"
)

func (c *cli) userMetadata() *cobra.Command {
	var to admin.MetadataChange
	var public, private string
	cmd := c.withJSON(&cobra.Command{
		Use:   "metadata USER",
		Short: "Show or change what applications keep about a person",
		Long: `Show what applications keep about a person, and change what is public or private of it.

Each is a JSON object of at most 8 KB, given as such or as a file that holds it ("-" reads standard input).
What is named in it changes, null takes away, and the rest stays (RFC 7396); with --replace it takes
the place of what was. The person and applications read public metadata; private metadata is seen by operators
and by templates alone. What the person writes themselves (own metadata) is shown, and theirs to change.`,
		Example: `  idp user metadata ann@example.com --public '{"plan": "pro"}'
  idp user metadata ann@example.com --private crm.json --replace`,
		Args: takes("USER (id, email address or phone number)"),
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			if to.Whole && public == "" && private == "" {
				return usageError("--replace goes with --public or --private")
			}
			if public == "-" && private == "-" {
				return usageError("standard input holds one of the two")
			}
			if to.Public, err = c.object(public); err != nil {
				return err
			}
			if to.Private, err = c.object(private); err != nil {
				return err
			}
			return c.rooms(cmd.Context(), func(r *server.Rooms) error {
				p, err := r.Users.Find(cmd.Context(), args[0])
				if err != nil {
					return err
				}
				u, err := r.Users.SetMetadata(cmd.Context(), p.User.ID, to, admin.CLI)
				if err != nil {
					return err
				}
				p.User = u
				v, _ := viewUser(p)
				return c.fields(map[string]any{
					"id": v.ID, "public_metadata": v.PublicMetadata, "private_metadata": v.PrivateMetadata, "own_metadata": v.OwnMetadata,
				}, "id", string(v.ID), "public metadata", string(v.PublicMetadata), "private metadata", string(v.PrivateMetadata), "own metadata", string(v.OwnMetadata))
			})
		},
	})
	cmd.Flags().StringVar(&public, "public", "", "a JSON `object`, or a file that holds one")
	cmd.Flags().StringVar(&private, "private", "", "a JSON `object`, or a file that holds one")
	cmd.Flags().BoolVar(&to.Whole, "replace", false, "put it in the place of all that was")
	return cmd
}

// object returns what a flag gives: JSON as it stands, or else a file with it. Nil is none.
func (c *cli) object(given string) ([]byte, error) {
	if given == "" {
		return nil, nil
	}
	if bytes.HasPrefix(bytes.TrimSpace([]byte(given)), []byte("{")) || given == "null" {
		return []byte(given), nil
	}
	text, err := c.readWhole(given)
	if len(text) == 0 && err == nil {
		return nil, usageError("standard input or the file is empty")
	}
	return text, err
}
