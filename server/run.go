package server

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"runtime/debug"
	"time"

	"idp/admin"
	"idp/internal/config"
)

const (
	drain       = 20 * time.Second // what running requests get when stopping
	noticeTime  = 2 * time.Second  // before that, for those who watch /readyz to send nobody any more
	headerTime  = 5 * time.Second
	readTime    = 15 * time.Second
	writeTime   = 30 * time.Second
	idleTime    = 60 * time.Second
	headerLimit = 16 << 10
)

// Run serves until ctx ends, then stops gently: not ready any more, running requests and
// jobs finish, the database closes. What a newcomer needs to know goes to out.
func Run(ctx context.Context, cfg config.Config, log *slog.Logger, out io.Writer) error {
	rooms, err := Open(ctx, cfg, log)
	if err != nil {
		return err
	}
	s, err := New(rooms)
	if err != nil {
		return errors.Join(err, rooms.Close())
	}
	return errors.Join(s.Serve(ctx, out), rooms.Close())
}

// Serve is Run on rooms that are open already, which stay open.
func (s *Server) Serve(ctx context.Context, out io.Writer) error {
	public := serveOn(s.health.leaving(s.Handler), s.Log)
	public.ConnState = s.health.count
	if err := s.secure(public); err != nil {
		return err
	}
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", s.Config.Listen)
	if err != nil {
		return fmt.Errorf("listen on %s: %w", s.Config.Listen, err)
	}
	servers, listeners := []*http.Server{public}, []net.Listener{l}
	if s.Config.MetricsListen != "" {
		m, err := new(net.ListenConfig).Listen(ctx, "tcp", s.Config.MetricsListen)
		if err != nil {
			return errors.Join(fmt.Errorf("listen for metrics: %w", err), l.Close())
		}
		servers, listeners = append(servers, serveOn(s.metrics.handler(), s.Log)), append(listeners, m)
	}
	workers, err := s.startWorkers(ctx)
	if err != nil {
		for _, l := range listeners {
			_ = l.Close()
		}
		return err
	}
	failed := make(chan error, len(servers))
	for i, server := range servers {
		go func() { failed <- serve(server, listeners[i]) }()
	}
	if err := s.greet(ctx, out); err != nil {
		s.Log.ErrorContext(ctx, "greeting failed", slog.Any("err", err))
	}
	// Starting leaves as much garbage (most of it from word lists that are read) as what stays; an
	// idle process would hold it for ever.
	debug.FreeOSMemory()
	select {
	case <-ctx.Done():
	case err = <-failed:
		err = fmt.Errorf("serve: %w", err)
	}
	return errors.Join(err, s.stop(context.WithoutCancel(ctx), servers, workers))
}

// stop turns traffic away, then waits for what runs. Closing at once would cut requests
// that are on their way on connections that look idle.
func (s *Server) stop(ctx context.Context, servers []*http.Server, workers *workers) error {
	s.health.turnAway(noticeTime)
	ctx, cancel := context.WithTimeout(ctx, drain)
	defer cancel()
	var errs []error
	for _, server := range servers {
		errs = append(errs, server.Shutdown(ctx))
	}
	return errors.Join(append(errs, workers.stop(ctx))...)
}

// secure makes the public server speak TLS if a certificate is configured.
func (s *Server) secure(public *http.Server) error {
	if s.Config.TLS.CertificateFile == "" {
		return nil
	}
	c, err := newCertificate(s.Config.TLS.CertificateFile, s.Config.TLS.KeyFile, s.now)
	if err != nil {
		return err
	}
	public.TLSConfig = c.config()
	return nil
}

func serve(server *http.Server, l net.Listener) error {
	if server.TLSConfig != nil {
		return server.ServeTLS(l, "", "")
	}
	return server.Serve(l)
}

func serveOn(h http.Handler, log *slog.Logger) *http.Server {
	return &http.Server{
		Handler: h, ReadHeaderTimeout: headerTime, ReadTimeout: readTime, WriteTimeout: writeTime,
		IdleTimeout: idleTime, MaxHeaderBytes: headerLimit, ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}
}

// greet prints where everything is, and while nobody is operator the link that makes one.
func (s *Server) greet(ctx context.Context, out io.Writer) error {
	_, _ = fmt.Fprintf(out, "\n  idp is up at  %s\n  data lives in %s\n", s.Config.Issuer, s.Config.DatabaseName())
	if s.Config.SMTPURL.Empty() {
		_, _ = fmt.Fprintf(out, "  mail stays in %s/dev/inbox\n", s.Config.Issuer)
	}
	exists, err := s.Operators.Exists(ctx)
	if err != nil || exists {
		_, _ = fmt.Fprintln(out)
		return err
	}
	link, err := s.Operators.MakeLink(ctx, admin.System)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(out, "\n  Nobody runs this instance yet. Whoever opens this link first becomes its operator (within an hour):\n  %s\n\n", link.URL.Reveal())
	return err
}
