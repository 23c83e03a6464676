package main

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"

	"idp/internal/config"
	"idp/templates"
)

func (c *cli) config() *cobra.Command {
	explain := c.withJSON(&cobra.Command{
		Use:   "explain",
		Short: "Print every setting, its value and where it came from",
		Args:  takes(),
		RunE: func(*cobra.Command, []string) error {
			cfg, warnings, err := config.Load(config.Source{File: c.file, Environ: c.environ})
			if err != nil {
				return err
			}
			for _, w := range warnings {
				c.note("warning: %s", w)
			}
			lines, rows := cfg.Explain(), [][]string{}
			for _, l := range lines {
				rows = append(rows, []string{l.Key, l.Value, string(l.Origin)})
			}
			return c.table(lines, []string{"key", "value", "from"}, rows)
		},
	})
	validate := &cobra.Command{
		Use:   "validate",
		Short: "Say whether idp would start with this configuration, and if not, why",
		Args:  takes(),
		RunE: func(*cobra.Command, []string) error {
			cfg, warnings, err := config.Load(config.Source{File: c.file, Environ: c.environ})
			if err != nil {
				return err
			}
			if err := cfg.Validate(); err != nil {
				return err
			}
			if _, err := templates.Load(cfg.TemplatesDir); err != nil {
				return fmt.Errorf("templates_dir: %w", err)
			}
			for _, w := range append(warnings, cfg.Warnings()...) {
				c.note("warning: %s", w)
			}
			c.say("The configuration is fine for %s.", cfg.Environment)
			return nil
		},
	}
	return group(&cobra.Command{Use: "config", Short: "Look at the configuration"}, explain, validate)
}

// release is set by the linker when a release is built.
var release = "unreleased"

func (c *cli) version() *cobra.Command {
	return c.withJSON(&cobra.Command{
		Use:   "version",
		Short: "Print what this is",
		Args:  takes(),
		RunE: func(*cobra.Command, []string) error {
			commit := ""
			if info, ok := debug.ReadBuildInfo(); ok {
				for _, s := range info.Settings {
					if s.Key == "vcs.revision" {
						commit = s.Value
					}
				}
			}
			return c.fields(map[string]string{"version": release, "commit": commit, "go": runtime.Version()},
				"idp", release, "commit", commit, "built with", runtime.Version())
		},
	})
}
