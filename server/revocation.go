package server

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"idp/token"
)

// watchRevocation exports how long a sign-out takes to be felt: the longest it may, and how long
// it did.
func (s *Server) watchRevocation() {
	lifetime := func(kind string, of func() time.Duration) prometheus.Collector {
		return prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "idp_token_lifetime_seconds", Help: "The longest that a token for backends lives, by kind: session or template (0 for none). After so long nothing is left of a session that ended.",
			ConstLabels: prometheus.Labels{"kind": kind},
		}, func() float64 { return of().Seconds() })
	}
	outlived := prometheus.NewHistogram(prometheus.HistogramOpts{
		Name:    "idp_session_revocation_seconds",
		Help:    "How long the last session token outlived its session, of sessions that ended while one was alive.",
		Buckets: []float64{5, 10, 20, 30, 40, 50, 60, 75},
	})
	refused := prometheus.NewHistogram(prometheus.HistogramOpts{
		Name:    "idp_session_refusal_seconds",
		Help:    "How long after the end of its session a browser first asked for a token and was refused.",
		Buckets: []float64{5, 10, 20, 30, 40, 50, 60, 75, 300, 3600},
	})
	s.metrics.registry.MustRegister(outlived, refused,
		lifetime("session", func() time.Duration { return token.SessionLifetime }), lifetime("template", s.TokenTemplates.Longest))
	r := s.Minter.Revocation
	r.Outlived = func(d time.Duration) { outlived.Observe(d.Seconds()) }
	r.Refused = func(d time.Duration) { refused.Observe(d.Seconds()) }
}
