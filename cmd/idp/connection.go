package main

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"idp/admin"
	"idp/federation"
	"idp/server"
)

func (c *cli) connection() *cobra.Command {
	return group(&cobra.Command{Use: "connection", Short: "Let people sign in by an account elsewhere: Google, your company's provider"},
		c.connectionCreate(), c.connectionUpdate(), c.connectionList(), c.connectionShow(), c.connectionTest(), c.connectionPresets(),
		c.connectionTurn("disable", "Let nobody sign in by it any more; what is linked stays", "is disabled", (*admin.Connections).Disable),
		c.connectionTurn("enable", "Let people sign in by it again", "is enabled", (*admin.Connections).Enable),
		c.connectionToken(), c.connectionDelete())
}

func (c *cli) connectionCreate() *cobra.Command {
	var f connectionFiles
	cmd := c.withJSON(&cobra.Command{
		Use:   "create",
		Short: "Make a connection of a file, and say what to register at the provider",
		Example: `  idp connection create --file google.json --client-secret-file google.secret
  echo '{"name": "acme", "type": "saml", "metadata_url": "https://login.acme.com/metadata"}' | idp connection create --file -`,
		Args: takes(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			x, err := f.read(c, cmd)
			if err != nil {
				return err
			}
			return c.rooms(cmd.Context(), func(r *server.Rooms) error {
				made, err := r.Connections.Create(cmd.Context(), x, admin.CLI)
				if err != nil {
					return err
				}
				return c.saved(r, made, "is made")
			})
		},
	})
	f.on(cmd)
	return cmd
}

func (c *cli) connectionUpdate() *cobra.Command {
	var f connectionFiles
	cmd := c.withJSON(&cobra.Command{
		Use:   "update",
		Short: "Put a file in the place of the connection that it names",
		Long: `Put a file in the place of the connection that it names.

What the file leaves out is gone, except for the client secret: that stays while the client and the
provider are the same. Name and type never change.`,
		Example: "  idp connection show acme | jq '.title = \"Acme\"' | idp connection update --file -",
		Args:    takes(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			x, err := f.read(c, cmd)
			if err != nil {
				return err
			}
			return c.rooms(cmd.Context(), func(r *server.Rooms) error {
				made, err := r.Connections.Replace(cmd.Context(), x.Name, x, admin.CLI)
				if err != nil {
					return err
				}
				return c.saved(r, made, "is changed")
			})
		},
	})
	f.on(cmd)
	return cmd
}

// saved prints a connection that was written, or says that it is and what comes next.
func (c *cli) saved(r *server.Rooms, x federation.Connection, how string) error {
	if c.json {
		return c.printJSON(x)
	}
	c.say("%s %s.", x.Name, how)
	for _, t := range r.Connections.Told(x) {
		c.say("%s: %s", told[t.What], t.URL)
	}
	c.note("To see whether the provider answers: idp connection test %s", x.Name)
	return nil
}

// told says in words what an operator tells the provider about us.
var told = map[string]string{
	"callback": "Callback (redirect URI)", "metadata": "Entity ID and metadata", "acs": "Assertion consumer service (ACS)",
}

func (c *cli) connectionList() *cobra.Command {
	return c.withJSON(&cobra.Command{
		Use:   "list",
		Short: "List connections, and how many accounts are linked by each",
		Args:  takes(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return c.rooms(cmd.Context(), func(r *server.Rooms) error {
				found, err := r.Connections.List(cmd.Context())
				if err != nil {
					return err
				}
				all, rows := []json.RawMessage{}, [][]string{}
				for _, x := range found {
					one, err := withLinked(x)
					if err != nil {
						return err
					}
					all = append(all, one)
					state := map[bool]string{true: "disabled", false: "enabled"}[x.Disabled]
					rows = append(rows, []string{x.Name, string(x.Type), x.Preset, state, strconv.Itoa(x.Linked), x.Shown(), strings.Join(x.Domains, " ")})
				}
				return c.table(all, []string{"name", "type", "preset", "state", "linked", "title", "domains"}, rows)
			})
		},
	})
}

// withLinked is a connection as it is written, and how many accounts are linked by it.
func withLinked(x admin.Listed) (json.RawMessage, error) {
	text, err := json.Marshal(x.Connection)
	if err != nil {
		return nil, fmt.Errorf("print connection %s: %w", x.Name, err)
	}
	return fmt.Appendf(text[:len(text)-1], `,"linked":%d}`, x.Linked), nil
}

func (c *cli) connectionShow() *cobra.Command {
	return c.withJSON(&cobra.Command{
		Use:   "show NAME",
		Short: "Print a connection in JSON, without its secret, as create and update read it",
		Args:  takes("NAME"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.rooms(cmd.Context(), func(r *server.Rooms) error {
				x, err := r.Connections.Get(cmd.Context(), args[0])
				if err != nil {
					return err
				}
				return c.printJSON(x.Connection)
			})
		},
	})
}

type connectionAct func(*admin.Connections, context.Context, string, string) error

func (c *cli) connectionTurn(use, short, now string, do connectionAct) *cobra.Command {
	return &cobra.Command{
		Use:   use + " NAME",
		Short: short,
		Args:  takes("NAME"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.rooms(cmd.Context(), func(r *server.Rooms) error {
				if err := do(r.Connections, cmd.Context(), args[0], admin.CLI); err != nil {
					return err
				}
				c.say("%s %s.", args[0], now)
				return nil
			})
		},
	}
}

func (c *cli) connectionDelete() *cobra.Command {
	var force bool
	cmd := &cobra.Command{
		Use:   "delete NAME",
		Short: "Remove a connection, and unlink the accounts that people have linked by it",
		Args:  takes("NAME"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.rooms(cmd.Context(), func(r *server.Rooms) error {
				linked, err := r.Connections.Delete(cmd.Context(), args[0], force, admin.CLI)
				if err != nil {
					return err
				}
				c.say("%s is deleted; unlinked accounts: %d.", args[0], linked)
				return nil
			})
		},
	}
	cmd.Flags().BoolVar(&force, "force", false, "also if some people have no other way to sign in")
	return cmd
}
