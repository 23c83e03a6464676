package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"idp/internal/config"
	"idp/server"
)

// cli is what all commands share.
type cli struct {
	terminal
	file string // --config
	json bool   // --json, of the commands that have it
}

func newRoot(t terminal) *cobra.Command {
	c := &cli{terminal: t}
	root := group(&cobra.Command{
		Use:   "idp",
		Short: "An identity provider: people sign in here, applications learn who they are",
	},
		c.serve(), c.migrate(), c.user(), c.client(), c.connection(), c.template(), c.registrationToken(), c.keys(), c.jobs(), c.events(),
		c.operator(), c.mail(), c.sms(), c.prove(), c.doctor(), c.config(), c.version(),
	)
	root.SilenceErrors, root.SilenceUsage = true, true
	root.SetIn(t.in)
	root.SetOut(t.out)
	root.SetErr(t.err)
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usageError(err.Error()) })
	root.PersistentFlags().StringVar(&c.file, "config", variable(t.environ, "IDP_CONFIG"), "YAML `file` with the configuration (or IDP_CONFIG)")
	_ = root.MarkPersistentFlagFilename("config", "yaml", "yml") // fails only for a flag that is not there
	return root
}

func variable(environ []string, name string) string {
	for _, pair := range environ {
		if value, ok := strings.CutPrefix(pair, name+"="); ok {
			return value
		}
	}
	return ""
}

// group makes a command that only holds others. Alone it shows its help; a word that is none
// of them is answered with the nearest.
func group(cmd *cobra.Command, children ...*cobra.Command) *cobra.Command {
	cmd.Args = cobra.ArbitraryArgs
	cmd.SuggestionsMinimumDistance = 2
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if len(args) == 0 {
			return cmd.Help()
		}
		hint := ""
		if near := cmd.SuggestionsFor(args[0]); len(near) > 0 {
			hint = "; did you mean " + strings.Join(near, " or ") + "?"
		}
		return usageError(fmt.Sprintf("there is no command %q%s", args[0], hint))
	}
	cmd.AddCommand(children...)
	return cmd
}

// takes demands exactly these arguments.
func takes(names ...string) cobra.PositionalArgs {
	return func(_ *cobra.Command, args []string) error {
		switch {
		case len(args) < len(names):
			return usageError(strings.Join(names[len(args):], " and ") + " is missing")
		case len(args) > len(names):
			return usageError(fmt.Sprintf("there is no use for %q", args[len(names)]))
		}
		return nil
	}
}

// must demands flags.
func must(cmd *cobra.Command, flags ...string) error {
	for _, f := range flags {
		if !cmd.Flags().Changed(f) {
			return usageError("--" + f + " is missing")
		}
	}
	return nil
}

// choice is the value of a flag that takes one of few words.
type choice struct {
	at      *string
	allowed []string
}

func (c choice) String() string { return *c.at }
func (c choice) Type() string   { return "string" }

func (c choice) Set(v string) error {
	if !slices.Contains(c.allowed, v) {
		return fmt.Errorf("it is one of %s", strings.Join(c.allowed, ", "))
	}
	*c.at = v
	return nil
}

// oneOf declares a flag that takes one of few words, refuses others and completes these.
func oneOf(cmd *cobra.Command, at *string, name, otherwise, doc string, allowed ...string) {
	*at = otherwise
	cmd.Flags().Var(choice{at, allowed}, name, doc+": "+strings.Join(allowed, ", "))
	complete := func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		return allowed, cobra.ShellCompDirectiveNoFileComp
	}
	_ = cmd.RegisterFlagCompletionFunc(name, complete) // fails only for a flag that is not there
}

func (c *cli) withJSON(cmd *cobra.Command) *cobra.Command {
	cmd.Flags().BoolVar(&c.json, "json", false, "print JSON")
	return cmd
}

// load reads the configuration and refuses what is unsafe.
func (c *cli) load() (config.Config, error) {
	cfg, _, err := config.Load(config.Source{File: c.file, Environ: c.environ})
	if err != nil {
		return cfg, err
	}
	return cfg, cfg.Validate()
}

// quiet is the log of commands that answer and are gone: trouble only, on standard error.
func (c *cli) quiet() *slog.Logger {
	return slog.New(slog.NewTextHandler(c.err, &slog.HandlerOptions{Level: slog.LevelWarn}))
}

// rooms opens the instance for one piece of work.
func (c *cli) rooms(ctx context.Context, do func(r *server.Rooms) error) error {
	cfg, err := c.load()
	if err != nil {
		return err
	}
	r, err := server.Open(ctx, cfg, c.quiet())
	if err != nil {
		return err
	}
	return errors.Join(do(r), r.Close())
}

func (c *cli) say(format string, args ...any) {
	_, _ = fmt.Fprintf(c.out, format+"\n", args...)
}

func (c *cli) note(format string, args ...any) {
	_, _ = fmt.Fprintf(c.err, format+"\n", args...)
}

func (c *cli) printJSON(v any) error {
	e := json.NewEncoder(c.out)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(v)
}

// table prints rows under a head, or JSON if that was asked for.
func (c *cli) table(v any, head []string, rows [][]string) error {
	if c.json {
		return c.printJSON(v)
	}
	w := tabwriter.NewWriter(c.out, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(w, strings.ToUpper(strings.Join(head, "\t")))
	for _, row := range rows {
		for i, cell := range row {
			row[i] = printable(cell)
		}
		_, _ = fmt.Fprintln(w, strings.Join(row, "\t"))
	}
	return w.Flush()
}

// fields prints one thing, a line per field, or JSON if that was asked for.
func (c *cli) fields(v any, pairs ...string) error {
	if c.json {
		return c.printJSON(v)
	}
	w := tabwriter.NewWriter(c.out, 0, 0, 2, ' ', 0)
	for i := 0; i+1 < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			_, _ = fmt.Fprintf(w, "%s\t%s\n", pairs[i], printable(pairs[i+1]))
		}
	}
	return w.Flush()
}

// printable keeps what others named themselves from steering the terminal.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r >= 0x80 && r < 0xa0 {
			return -1
		}
		return r
	}, s)
}

// readLimited reads at most limit bytes, and says so if there is more.
func readLimited(from io.Reader, limit int64) ([]byte, error) {
	text, err := io.ReadAll(io.LimitReader(from, limit+1))
	if err == nil && int64(len(text)) > limit {
		err = fmt.Errorf("more than %d bytes to read", limit)
	}
	return text, err
}
