package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"idp/federation"
	"idp/server"
)

func (c *cli) connectionTest() *cobra.Command {
	return c.withJSON(&cobra.Command{
		Use:   "test NAME",
		Short: "Ask the provider step by step, and say what is wrong and what to register there",
		Long: `Ask the provider step by step, and say what is wrong and what to register there.

Nobody is signed in by it. It exits with 1 if people could not sign in.`,
		Args: takes("NAME"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.rooms(cmd.Context(), func(r *server.Rooms) error {
				x, err := r.Connections.Get(cmd.Context(), args[0])
				if err != nil {
					return err
				}
				report := r.Federation.Test(cmd.Context(), x.Connection)
				if err := c.report(report); err != nil {
					return err
				}
				if !c.json {
					for _, t := range r.Connections.Told(x.Connection) {
						c.say("%s: %s", told[t.What], t.URL)
					}
				}
				if !report.OK() {
					return fmt.Errorf("people cannot sign in by %s", x.Name)
				}
				return nil
			})
		},
	})
}

// report prints what was found: a line for each step, and below it what to do.
func (c *cli) report(r federation.Report) error {
	if c.json {
		return c.printJSON(r)
	}
	for _, f := range r.Findings {
		c.say("%-8s %s: %s", f.Result, f.Step, printable(f.Says))
		if f.Do != "" && f.Result != federation.Fine {
			c.say("%-8s %s", "", printable(f.Do))
		}
	}
	return nil
}

func (c *cli) connectionPresets() *cobra.Command {
	return c.withJSON(&cobra.Command{
		Use:   "presets",
		Short: "List the providers that are known, and what each needs beside client_id and client_secret",
		Args:  takes(),
		RunE: func(*cobra.Command, []string) error {
			type row struct {
				Preset  string          `json:"preset"`
				Title   string          `json:"title"`
				Type    federation.Type `json:"type"`
				Needs   []string        `json:"needs"`
				Options []string        `json:"options"`
				Console string          `json:"console"`
				Help    string          `json:"help"`
			}
			all, rows := []row{}, [][]string{}
			for _, p := range federation.Presets() {
				options := append([]string{}, slices.Sorted(maps.Keys(p.Options))...)
				all = append(all, row{p.Name, p.Title, p.Type, append([]string{}, p.Needs...), options, p.Console, p.Help})
				rows = append(rows, []string{p.Name, p.Title, string(p.Type), strings.Join(p.Needs, " "), strings.Join(options, " "), p.Console})
			}
			return c.table(all, []string{"preset", "title", "type", "needs", "may have", "console"}, rows)
		},
	})
}
