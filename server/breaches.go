package server

import (
	"fmt"

	"idp/internal/breach"
	"idp/login"
)

// breaches opens the list of breached passwords that the operator chose.
func (r *Rooms) breaches() (err error) {
	switch c := r.Config.BreachedPasswords; c.Check {
	case "online":
		r.Breaches = breach.Online(breach.Service{URL: c.URL, Outbound: r.Outbound, Log: r.Log, Now: r.now})
	case "file":
		if r.Breaches, err = breach.File(c.File); err != nil {
			return fmt.Errorf("breached_passwords.file: %w", err)
		}
	}
	return nil
}

// lookUp is the list as login wants it: none is no list that says nothing.
func lookUp(l *breach.List) login.Breaches {
	if l == nil {
		return nil
	}
	return l
}

// watchBreaches exports how often passwords were looked up, and with what answer.
func (s *Server) watchBreaches() {
	if s.Breaches == nil {
		return
	}
	const name, help = "idp_breached_password_checks_total", "Passwords looked up in the list of breached ones, by answer; unknown: the list could not be asked."
	s.metrics.counter(name, help, "answer", "fine", func() int64 { n, _, _ := s.Breaches.Counts(); return n })
	s.metrics.counter(name, help, "answer", "breached", func() int64 { _, n, _ := s.Breaches.Counts(); return n })
	s.metrics.counter(name, help, "answer", "unknown", func() int64 { _, _, n := s.Breaches.Counts(); return n })
}
