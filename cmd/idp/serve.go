package main

import (
	"log/slog"

	"github.com/spf13/cobra"

	"idp/internal/config"
	"idp/server"
)

func (c *cli) serve() *cobra.Command {
	return &cobra.Command{
		Use:   "serve",
		Short: "Run idp until it is told to stop",
		Long: `Run idp until it gets an interrupt or SIGTERM; then it finishes what it has begun.

Without any configuration it runs for development on http://localhost:8080, keeps its data
in ./idp-data, shows the mail it would send at /dev/inbox, and prints a link that makes
whoever opens it first the operator.`,
		Args: takes(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, warnings, err := config.Load(config.Source{File: c.file, Environ: c.environ})
			if err != nil {
				return err
			}
			if err := cfg.Validate(); err != nil {
				return err
			}
			log := c.log(cfg)
			for _, w := range append(warnings, cfg.Warnings()...) {
				log.Warn("configuration", slog.String("warning", w))
			}
			return server.Run(cmd.Context(), cfg, log, c.out)
		},
	}
}

// log is the log of a server: lines on standard error, in the format and from the level
// that were configured.
func (c *cli) log(cfg config.Config) *slog.Logger {
	var level slog.Level
	if err := level.UnmarshalText([]byte(cfg.Log.Level)); err != nil {
		level = slog.LevelInfo
	}
	options := &slog.HandlerOptions{Level: level}
	if cfg.Log.Format == "json" {
		return slog.New(slog.NewJSONHandler(c.err, options))
	}
	return slog.New(slog.NewTextHandler(c.err, options))
}
