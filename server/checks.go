package server

import (
	"idp/login"
	"idp/storage"
)

// checker makes the bot checks that the operator chose.
func (s *Server) checker() *login.Checker {
	c := &login.Checker{Used: storage.NewChecks(s.DB)}
	if b := s.Config.BotCheck; b.Provider != string(login.OwnWork) {
		c.Captcha = &login.Captcha{
			Provider: login.Provider(b.Provider), SiteKey: b.SiteKey, Secret: b.Secret,
			Host: s.Config.IssuerURL().Hostname(), Outbound: s.Outbound,
		}
	}
	return c
}

// watchChecks exports how often bot checks were answered, and with what outcome.
func (s *Server) watchChecks() {
	const name, help = "idp_bot_checks_total", "Solutions of bot checks, by outcome; unreachable: the provider could not be asked."
	counts := s.engine.Checker.Counts
	s.metrics.counter(name, help, "outcome", "passed", func() int64 { n, _, _ := counts(); return n })
	s.metrics.counter(name, help, "outcome", "refused", func() int64 { _, n, _ := counts(); return n })
	s.metrics.counter(name, help, "outcome", "unreachable", func() int64 { _, _, n := counts(); return n })
}
