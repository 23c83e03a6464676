package server

import (
	"database/sql"
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"idp/federation"
)

// metrics are what an operator watches. They have a registry and a listener of their
// own, and no label that names a person or a client.
type metrics struct {
	registry *prometheus.Registry
	requests *prometheus.HistogramVec
}

func newMetrics() *metrics {
	m := &metrics{
		registry: prometheus.NewRegistry(),
		requests: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "idp_http_request_duration_seconds",
			Help:    "How long a request took, by route pattern and status.",
			Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 10},
		}, []string{"route", "status"}),
	}
	m.registry.MustRegister(
		m.requests,
		collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
	)
	return m
}

// observe is called once for every answered request.
func (m *metrics) observe(route string, status int, took time.Duration) {
	m.requests.WithLabelValues(route, strconv.Itoa(status)).Observe(took.Seconds())
}

// watch adds a database handle's pool figures.
func (m *metrics) watch(name string, db *sql.DB) {
	m.registry.MustRegister(collectors.NewDBStatsCollector(db, name))
}

// gauge adds a figure that is read when somebody asks.
func (m *metrics) gauge(name, help string, read func() float64) {
	m.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, read))
}

// counter adds a count, with one label, that is read when somebody asks.
func (m *metrics) counter(name, help, label, value string, read func() int64) {
	m.registry.MustRegister(prometheus.NewCounterFunc(
		prometheus.CounterOpts{Name: name, Help: help, ConstLabels: prometheus.Labels{label: value}},
		func() float64 { return float64(read()) }))
}

// visits counts how visits to providers ended, for the connections that are on file.
type visits struct {
	about  *prometheus.Desc
	counts func() map[string]map[federation.Outcome]int64
}

// Describe implements prometheus.Collector.
func (v visits) Describe(to chan<- *prometheus.Desc) { to <- v.about }

// Collect implements prometheus.Collector.
func (v visits) Collect(to chan<- prometheus.Metric) {
	for connection, by := range v.counts() {
		for outcome, n := range by {
			to <- prometheus.MustNewConstMetric(v.about, prometheus.CounterValue, float64(n), connection, string(outcome))
		}
	}
}

func (m *metrics) handler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{}))
	return mux
}

// watchFigures exports what fills up first: the database's pools and the hashing gate.
func (s *Server) watchFigures() {
	for name, db := range s.DB.Pools() {
		s.metrics.watch(name, db)
	}
	s.metrics.gauge("idp_hashing_waiting", "Passwords that wait for a hashing slot.", func() float64 { return float64(s.Hasher.Waiting()) })
	s.watchBreaches()
	s.watchRevocation()
	s.metrics.registry.MustRegister(visits{prometheus.NewDesc("idp_federation_visits_total",
		"Visits to providers by connection and how they ended: signed_in, refused, unreachable or declined.",
		[]string{"connection", "outcome"}, nil), s.Federation.Counts})
}
