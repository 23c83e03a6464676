package main

import (
	"context"
	"encoding/json"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"idp/admin"
	"idp/internal/secret"
	"idp/provider"
	"idp/server"
)

func (c *cli) client() *cobra.Command {
	return group(&cobra.Command{Use: "client", Short: "Register the applications that people sign in to"},
		c.clientCreate(), c.clientList(), c.clientShow(), c.clientUpdate(), c.clientRotate(),
		c.clientTurn("disable", "Stop an app at once", "is disabled", (*provider.Clients).Disable),
		c.clientTurn("enable", "Let a disabled app go on", "is enabled", (*provider.Clients).Enable),
		c.clientTurn("delete", "Remove an app and everything issued to it", "is deleted", (*provider.Clients).Delete))
}

func (c *cli) clientCreate() *cobra.Command {
	var f clientFlags
	cmd := c.withJSON(&cobra.Command{
		Use:     "create",
		Short:   "Register an app; its secret is printed this once",
		Example: "  idp client create --name Shop --redirect-uri https://shop.example/callback\n  idp client create --metadata shop.json",
		Args:    takes(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if f.metadata == "" {
				if err := must(cmd, "name"); err != nil {
					return err
				}
			}
			draft := provider.Client{}
			err := f.put(c, cmd, &draft, provider.Described)
			if err != nil {
				return err
			}
			return c.rooms(cmd.Context(), func(r *server.Rooms) error {
				made, key, err := r.Clients.Create(cmd.Context(), draft, admin.CLI)
				if err != nil {
					return err
				}
				return c.showClient(made, key)
			})
		},
	})
	f.on(cmd)
	return cmd
}

func (c *cli) clientList() *cobra.Command {
	var after string
	var limit int
	cmd := c.withJSON(&cobra.Command{
		Use:   "list",
		Short: "List apps",
		Args:  takes(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return c.rooms(cmd.Context(), func(r *server.Rooms) error {
				found, err := r.Clients.List(cmd.Context(), provider.ClientID(after), limit)
				if err != nil {
					return err
				}
				all, rows := []json.RawMessage{}, [][]string{}
				for _, x := range found {
					state := map[bool]string{true: "disabled", false: "enabled"}[x.Disabled]
					one, err := describe(x, secret.String{})
					if err != nil {
						return err
					}
					all = append(all, one)
					rows = append(rows, []string{string(x.ID), x.Name, string(x.Type), state, strings.Join(x.RedirectURIs, " ")})
				}
				return c.table(all, []string{"client id", "name", "type", "state", "redirect uris"}, rows)
			})
		},
	})
	cmd.Flags().StringVar(&after, "after", "", "go on after the app with this `id`")
	cmd.Flags().IntVar(&limit, "limit", 100, "how many, at most 100")
	return cmd
}

func (c *cli) clientShow() *cobra.Command {
	return c.withJSON(&cobra.Command{
		Use:   "show CLIENT",
		Short: "Show an app",
		Args:  takes("CLIENT"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.rooms(cmd.Context(), func(r *server.Rooms) error {
				x, err := r.Clients.Get(cmd.Context(), provider.ClientID(args[0]))
				if err != nil {
					return err
				}
				return c.showClient(x, secret.String{})
			})
		},
	})
}

func (c *cli) clientUpdate() *cobra.Command {
	var f clientFlags
	cmd := c.withJSON(&cobra.Command{
		Use:     "update CLIENT",
		Short:   "Change what is said, leave the rest; a list replaces the one before",
		Example: "  echo '{\"jwks_uri\": \"https://shop.example/jwks\", \"logo_uri\": null}' | idp client update CLIENT --metadata -",
		Args:    takes("CLIENT"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.rooms(cmd.Context(), func(r *server.Rooms) error {
				x, key, err := r.Clients.Revise(cmd.Context(), provider.ClientID(args[0]), admin.CLI, func(x *provider.Client) error {
					return f.put(c, cmd, x, provider.Amended)
				})
				if err != nil {
					return err
				}
				return c.showClient(x, key)
			})
		},
	})
	f.on(cmd)
	return cmd
}

func (c *cli) clientRotate() *cobra.Command {
	var keep time.Duration
	cmd := c.withJSON(&cobra.Command{
		Use:   "rotate-secret CLIENT",
		Short: "Make a new secret, printed this once; the old one stays good for a while",
		Args:  takes("CLIENT"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.rooms(cmd.Context(), func(r *server.Rooms) error {
				key, err := r.Clients.RotateSecret(cmd.Context(), provider.ClientID(args[0]), keep, admin.CLI)
				if err != nil {
					return err
				}
				return c.fields(map[string]string{"client_id": args[0], "client_secret": key.Reveal()},
					"client_id", args[0], "client_secret", key.Reveal())
			})
		},
	})
	cmd.Flags().DurationVar(&keep, "keep", 24*time.Hour, "how long the old secret stays good, like 1h; 0 ends it now")
	return cmd
}

type clientAct func(*provider.Clients, context.Context, provider.ClientID, string) error

func (c *cli) clientTurn(use, short, now string, do clientAct) *cobra.Command {
	return &cobra.Command{
		Use:   use + " CLIENT",
		Short: short,
		Args:  takes("CLIENT"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.rooms(cmd.Context(), func(r *server.Rooms) error {
				if err := do(r.Clients, cmd.Context(), provider.ClientID(args[0]), admin.CLI); err != nil {
					return err
				}
				c.say("%s %s.", args[0], now)
				return nil
			})
		},
	}
}
