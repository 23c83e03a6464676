package main

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"idp/admin"
	"idp/identity"
	"idp/server"
)

func (c *cli) userList() *cobra.Command {
	var s admin.Search
	var after, active, inactive, sort string
	cmd := c.withJSON(&cobra.Command{
		Use:   "list",
		Short: "List people, newest first",
		Long: `List people, newest first, or those who were active last first.

Somebody is active when a session of theirs is used: a page is opened or a token asked for. WHEN is how long
ago, like 12h or 30d, a day, like 2026-01-31, or a time, like 2026-01-31T12:00:00Z.`,
		Args: takes(),
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			return c.rooms(cmd.Context(), func(r *server.Rooms) error {
				now := r.Users.Now()
				if s.ActiveSince, err = moment("active-since", active, now); err != nil {
					return err
				}
				if s.InactiveSince, err = moment("inactive-since", inactive, now); err != nil {
					return err
				}
				switch sort {
				case "created":
				case "active":
					s.ByActivity = true
				default:
					return fmt.Errorf("--sort is created or active, not %q", sort)
				}
				if s.After = identity.UserID(after); after != "" && s.ByActivity {
					if s.AfterActive, err = r.Users.Activity.LastActive(cmd.Context(), s.After); err != nil {
						return err
					}
				}
				people, err := r.Users.List(cmd.Context(), s)
				if err != nil {
					return err
				}
				all, rows := []userView{}, [][]string{}
				for _, p := range people {
					v, row := viewUser(p.Person)
					seen := "never"
					if v.LastActiveAt = p.LastActiveAt; !p.LastActiveAt.IsZero() {
						seen = p.LastActiveAt.Format(time.DateTime)
					}
					all, rows = append(all, v), append(rows, append(row, seen))
				}
				return c.table(all, []string{"id", "status", "email", "name", "created", "last active"}, rows)
			})
		},
	})
	cmd.Flags().StringVar(&s.Text, "search", "", "part of an address or name, or an external id")
	cmd.Flags().StringVar(&active, "active-since", "", "only who was active since `WHEN`")
	cmd.Flags().StringVar(&inactive, "inactive-since", "", "only who had an account before `WHEN` and was not active since")
	cmd.Flags().StringVar(&sort, "sort", "created", "created or active: who comes first")
	cmd.Flags().StringVar(&after, "after", "", "go on after the person with this `id`")
	cmd.Flags().IntVar(&s.Limit, "limit", 50, "how many, at most 100")
	return cmd
}

// moment reads a time: how long before now, a day, or a time of RFC 3339. "" is none.
func moment(flag, text string, now time.Time) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	if days, ok := strings.CutSuffix(text, "d"); ok {
		if n, err := strconv.Atoi(days); err == nil && n >= 0 {
			return now.AddDate(0, 0, -n), nil
		}
	}
	if d, err := time.ParseDuration(text); err == nil && d >= 0 {
		return now.Add(-d), nil
	}
	for _, layout := range []string{time.DateOnly, time.RFC3339} {
		if t, err := time.Parse(layout, text); err == nil {
			return t.UTC(), nil
		}
	}
	return time.Time{}, fmt.Errorf("--%s: %q is no time: write 30d, 12h, 2026-01-31 or 2026-01-31T12:00:00Z", flag, text)
}
