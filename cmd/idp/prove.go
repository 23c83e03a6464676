package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"idp/login"
	"idp/login/prover"
	"idp/server"
)

func (c *cli) prove() *cobra.Command {
	var all bool
	cmd := c.withJSON(&cobra.Command{
		Use:   "prove",
		Short: "Prove that no way of signing in goes round what the settings demand",
		Long: `Walk every way of signing in, signing up, proving anew, setting up a factor and adding an
address that the settings of this instance allow, for persons with every kind of factor,
whatever an app asks for. Printed is what each method leads to. The exit code is 1 if
a session came about with less than was demanded, or somebody ended where there is no way on.

With --all it walks every combination of settings instead, and needs no configuration and no database.`,
		Args: takes(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if all {
				return c.proven(prover.Job{Rules: prover.Product(), Policies: append(prover.All(), prover.AllAbroad()...)}.Run())
			}
			settings, err := c.signInSettings(cmd.Context())
			if err != nil {
				return err
			}
			return c.proven(prover.Job{Rules: prover.Product(), Policies: append(prover.Policies(settings), prover.Abroad(settings)...), Rows: true}.Run())
		},
	})
	cmd.Flags().BoolVar(&all, "all", false, "walk every combination of settings; prints no table")
	return cmd
}

func (c *cli) signInSettings(ctx context.Context) (s login.Settings, err error) {
	return s, c.rooms(ctx, func(r *server.Rooms) error {
		s = r.SignIn()
		return nil
	})
}

func (c *cli) proven(r prover.Report) error {
	if err := c.sayProof(r); err != nil {
		return err
	}
	switch {
	case r.Proven():
		return nil
	case len(r.Faults) == 0:
		return fmt.Errorf("nothing is proven: under these settings nobody can sign in")
	}
	return fmt.Errorf("%d faults were found", len(r.Faults))
}

func (c *cli) sayProof(r prover.Report) error {
	if c.json {
		return c.printJSON(r)
	}
	if len(r.Rows) > 0 {
		var rows [][]string
		for _, x := range r.Rows {
			first, then := x.First, strings.Join(x.Then, " | ")
			if first == "" {
				first, then = "-", "no way in"
			}
			rows = append(rows, []string{x.Person, x.Goal, x.Demand, first, then, strings.Join(x.ACR, " | ")})
		}
		if err := c.table(r.Rows, []string{"on file", "goal", "app asks for", "begins with", "then", "session"}, rows); err != nil {
			return err
		}
		c.say("")
	}
	for _, f := range r.Faults {
		c.say("FAULT: %s, in %d states\n  first for %s\n  under %s\n  to %s: %s", f.Why, f.Times, f.Person, f.Policy, f.Goal, strings.Join(f.Path, ", "))
	}
	if r.Proven() {
		c.say("Proven: %d policies, %d walks, %d states, %d ways to a session, none with less than was demanded and no dead end.",
			r.Policies, r.Walks, r.States, r.Sessions)
	}
	return nil
}
