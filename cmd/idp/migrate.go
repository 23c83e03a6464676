package main

import (
	"context"
	"errors"
	"time"

	"github.com/spf13/cobra"

	"idp/server"
	"idp/storage"
)

func (c *cli) migrate() *cobra.Command {
	up := &cobra.Command{
		Use:   "up",
		Short: "Bring the database up to date",
		Args:  takes(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return c.database(cmd.Context(), func(ctx context.Context, db *storage.DB) error {
				pending, err := db.Pending(ctx)
				if err != nil {
					return err
				}
				if err := db.Migrate(ctx); err != nil {
					return err
				}
				c.say("Applied %d migrations; the database is up to date.", len(pending))
				return nil
			})
		},
	}
	status := c.withJSON(&cobra.Command{
		Use:   "status",
		Short: "List migrations: applied ones and those that wait",
		Args:  takes(),
		RunE:  func(cmd *cobra.Command, _ []string) error { return c.database(cmd.Context(), c.migrations) },
	})
	unlock := &cobra.Command{
		Use:   "unlock",
		Short: "Break the lock of a migration whose process died",
		Long: `Break the lock of a migration whose process died. A lock ends by itself after a while, so
this is only for the impatient; be sure that no other process is migrating.`,
		Args: takes(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return c.database(cmd.Context(), func(ctx context.Context, db *storage.DB) error {
				if err := db.Unlock(ctx); err != nil {
					return err
				}
				c.say("The lock is gone.")
				return nil
			})
		},
	}
	return group(&cobra.Command{Use: "migrate", Short: "Look after the database's schema"}, up, status, unlock)
}

// database opens the database alone, without bringing it up to date.
func (c *cli) database(ctx context.Context, do func(ctx context.Context, db *storage.DB) error) error {
	cfg, err := c.load()
	if err != nil {
		return err
	}
	db, _, err := server.OpenDatabase(ctx, cfg, time.Now)
	if err != nil {
		return err
	}
	return errors.Join(do(ctx, db), db.Close())
}

type migration struct {
	Name    string `json:"name"`
	Applied bool   `json:"applied"`
}

func (c *cli) migrations(ctx context.Context, db *storage.DB) error {
	applied, err := db.Applied(ctx)
	if err != nil {
		return err
	}
	pending, err := db.Pending(ctx)
	if err != nil {
		return err
	}
	all, rows := []migration{}, [][]string{}
	for _, name := range applied {
		all, rows = append(all, migration{name, true}), append(rows, []string{name, "applied"})
	}
	for _, name := range pending {
		all, rows = append(all, migration{name, false}), append(rows, []string{name, "pending"})
	}
	return c.table(all, []string{"migration", "state"}, rows)
}
