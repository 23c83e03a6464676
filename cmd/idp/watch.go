package main

import (
	"fmt"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"idp/event"
	"idp/job"
	"idp/server"
	"idp/storage"
)

func (c *cli) jobs() *cobra.Command {
	return group(&cobra.Command{Use: "jobs", Short: "Look at work that waits or failed"}, c.jobsList(), c.jobsRetry())
}

type jobView struct {
	ID        int64     `json:"id"`
	Kind      string    `json:"kind"`
	State     string    `json:"state"`
	Priority  int       `json:"priority"`
	Attempt   int       `json:"attempt"`
	Max       int       `json:"max_attempts"`
	RunAt     time.Time `json:"run_at"`
	LastError string    `json:"last_error,omitempty"`
}

func (c *cli) jobsList() *cobra.Command {
	var state string
	var limit int
	cmd := c.withJSON(&cobra.Command{
		Use:   "list",
		Short: "List jobs that are not done, newest first",
		Args:  takes(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return c.rooms(cmd.Context(), func(r *server.Rooms) error {
				found, err := r.Queue.Jobs(cmd.Context(), state, limit)
				if err != nil {
					return err
				}
				all, rows := []jobView{}, [][]string{}
				for _, j := range found {
					all = append(all, viewJob(j))
					rows = append(rows, []string{
						strconv.FormatInt(j.ID, 10), j.Kind, j.State, fmt.Sprintf("%d/%d", j.Attempt, j.Max), j.RunAt.Format(time.DateTime), j.LastError,
					})
				}
				return c.table(all, []string{"id", "kind", "state", "attempt", "runs at", "last error"}, rows)
			})
		},
	})
	oneOf(cmd, &state, "state", "", "only those in this state", "available", "scheduled", "running", "retryable", "completed", "discarded", "cancelled")
	cmd.Flags().IntVar(&limit, "limit", 50, "how many")
	return cmd
}

func viewJob(j job.State) jobView {
	return jobView{j.ID, j.Kind, j.State, int(j.Priority), j.Attempt, j.Max, j.RunAt, j.LastError}
}

func (c *cli) jobsRetry() *cobra.Command {
	return &cobra.Command{
		Use:   "retry ID",
		Short: "Run a job now",
		Args:  takes("ID"),
		RunE: func(cmd *cobra.Command, args []string) error {
			id, err := strconv.ParseInt(args[0], 10, 64)
			if err != nil {
				return usageError("a job's id is a number")
			}
			return c.rooms(cmd.Context(), func(r *server.Rooms) error {
				if err := r.Queue.Retry(cmd.Context(), id); err != nil {
					return err
				}
				c.say("Job %d will run now.", id)
				return nil
			})
		},
	}
}

func (c *cli) events() *cobra.Command {
	return group(&cobra.Command{Use: "events", Short: "Read the audit trail"}, c.eventsList())
}

type eventView struct {
	ID      string            `json:"id"`
	At      time.Time         `json:"at"`
	Kind    event.Kind        `json:"kind"`
	Actor   string            `json:"actor,omitempty"`
	User    string            `json:"user,omitempty"`
	Client  string            `json:"client,omitempty"`
	Session string            `json:"session,omitempty"`
	Network string            `json:"network,omitempty"`
	Detail  map[string]string `json:"detail,omitempty"`
}

func (c *cli) eventsList() *cobra.Command {
	var kind string
	var f storage.EventFilter
	cmd := c.withJSON(&cobra.Command{
		Use:   "list",
		Short: "List what happened, newest first",
		Args:  takes(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			f.Kind = event.Kind(kind)
			return c.rooms(cmd.Context(), func(r *server.Rooms) error {
				found, err := r.Events.List(cmd.Context(), f)
				if err != nil {
					return err
				}
				all, rows := []eventView{}, [][]string{}
				for _, e := range found {
					all = append(all, eventView(e))
					rows = append(rows, []string{e.At.Format(time.DateTime), string(e.Kind), e.Actor, e.User, e.Client})
				}
				return c.table(all, []string{"at", "kind", "actor", "user", "client"}, rows)
			})
		},
	})
	cmd.Flags().StringVar(&kind, "kind", "", "only this kind, like user.banned")
	cmd.Flags().StringVar(&f.User, "user", "", "only what happened to the person with this `id`")
	cmd.Flags().IntVar(&f.Limit, "limit", 50, "how many, at most 1000")
	return cmd
}
