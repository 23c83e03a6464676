package main

import (
	"time"

	"github.com/spf13/cobra"

	"idp/admin"
	"idp/server"
	"idp/token"
)

func (c *cli) registrationToken() *cobra.Command {
	var uses int
	var life time.Duration
	create := c.withJSON(&cobra.Command{
		Use:   "create",
		Short: "Make a token that lets its holder register apps over HTTP; printed this once",
		Args:  takes(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return c.rooms(cmd.Context(), func(r *server.Rooms) error {
				key, t, err := r.Clients.NewRegistrationToken(cmd.Context(), uses, life, admin.CLI)
				if err != nil {
					return err
				}
				return c.fields(map[string]any{"id": t.ID, "token": key.Reveal(), "uses": t.Uses, "expires_at": t.ExpiresAt},
					"token", key.Reveal(), "id", t.ID, "expires", t.ExpiresAt.Format(time.RFC3339))
			})
		},
	})
	create.Flags().IntVar(&uses, "uses", 1, "how many apps it may register")
	create.Flags().DurationVar(&life, "life", 24*time.Hour, "how long it lasts, like 1h")
	return group(&cobra.Command{Use: "registration-token", Short: "Let others register apps (RFC 7591)"}, create)
}

func (c *cli) keys() *cobra.Command {
	return group(&cobra.Command{Use: "keys", Short: "Look after the keys that sign tokens and read requests"},
		c.keysList(), c.keysRotate(), c.keysRetire())
}

type keyView struct {
	ID          string        `json:"kid"`
	Purpose     token.Purpose `json:"purpose"`
	Algorithm   string        `json:"alg"`
	State       token.State   `json:"state"`
	CreatedAt   time.Time     `json:"created_at"`
	ActivatedAt time.Time     `json:"activated_at,omitzero"`
}

func (c *cli) keysList() *cobra.Command {
	return c.withJSON(&cobra.Command{
		Use:   "list",
		Short: "List keys: next, current and past",
		Args:  takes(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return c.rooms(cmd.Context(), func(r *server.Rooms) error {
				all, rows := []keyView{}, [][]string{}
				for _, k := range r.Keys.Keys() {
					all = append(all, keyView{k.ID, k.Purpose, k.Algorithm, k.State, k.CreatedAt, k.ActivatedAt})
					rows = append(rows, []string{k.ID, string(k.Purpose), k.Algorithm, string(k.State), k.CreatedAt.Format(time.DateTime)})
				}
				return c.table(all, []string{"kid", "purpose", "alg", "state", "created"}, rows)
			})
		},
	})
}

func (c *cli) keysRotate() *cobra.Command {
	var purpose string
	var now bool
	cmd := &cobra.Command{
		Use:   "rotate",
		Short: "Publish successors now, and use them in an hour",
		Args:  takes(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return c.rooms(cmd.Context(), func(r *server.Rooms) error {
				if err := r.Keys.Rotate(cmd.Context(), token.Purpose(purpose), now, admin.CLI); err != nil {
					return err
				}
				if now {
					c.say("New keys are in use from now on.")
				} else {
					c.say("New keys are published; they are in use in an hour.")
				}
				return nil
			})
		},
	}
	oneOf(cmd, &purpose, "purpose", string(token.OIDC), "which keys", string(token.OIDC), string(token.Session), string(token.Encryption))
	cmd.Flags().BoolVar(&now, "now", false, "use them at once, although apps may not have fetched them")
	return cmd
}

func (c *cli) keysRetire() *cobra.Command {
	return &cobra.Command{
		Use:   "retire KID",
		Short: "Pull a key at once: what it signed, or was encrypted to it, is refused from now on",
		Args:  takes("KID"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.rooms(cmd.Context(), func(r *server.Rooms) error {
				if err := r.Keys.Retire(cmd.Context(), args[0], admin.CLI); err != nil {
					return err
				}
				c.say("%s is retired.", args[0])
				return nil
			})
		},
	}
}
