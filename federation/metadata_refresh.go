package federation

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"idp/event"
	"idp/internal/problem"
)

// How old a provider's metadata gets before it is read again, and how soon after one try the
// next may be.
const (
	metadataAge   = 4 * time.Hour
	metadataPause = time.Minute
	maxFetched    = 1 << 20 // bytes
)

// MetadataKind is the job that reads the metadata of all SAML providers anew, MetadataEvery how
// often it looks.
const (
	MetadataKind  = "federation.metadata"
	MetadataEvery = time.Hour
)

// provider returns what is known of a connection's provider, reading it if need be: from the
// connection itself, from memory, from what a replica has read lately, or from its address. Where
// that fails, what was known goes on until it says itself that it is over.
func (s *samlParty) provider(ctx context.Context, c Connection) (*samlIDP, error) {
	c = c.filled()
	now := s.f.Now()
	s.mu.Lock()
	p := s.known[c.Name]
	s.mu.Unlock()
	if p != nil && !p.of(c) {
		p = nil
	}
	if p != nil && !p.expired(now) && (p.fetchedAt.IsZero() || now.Before(p.fetchedAt.Add(metadataAge)) || now.Before(p.triedAt.Add(metadataPause))) {
		return p, nil
	}
	if c.MetadataURL == "" {
		p, err := s.f.given(c)
		if err != nil {
			return nil, ErrSetup.Because(fmt.Errorf("connection %s: %w", c.Name, err))
		}
		return s.keep(c, p), nil
	}
	saved, name, err := s.saved(ctx, c)
	if err != nil {
		return nil, err
	}
	if saved != nil && (p == nil || saved.fetchedAt.After(p.fetchedAt)) {
		p = s.keep(c, saved)
	}
	if p != nil && !p.expired(now) && now.Before(p.fetchedAt.Add(metadataAge)) {
		return p, nil
	}
	fresh, err := s.fetch(ctx, c, name)
	if err == nil {
		return fresh, nil
	}
	s.warn(ctx, c, err)
	if p != nil && !p.expired(now) {
		tried := *p
		tried.triedAt = now
		return s.keep(c, &tried), nil
	}
	return nil, ErrAway.Because(fmt.Errorf("connection %s: %w", c.Name, err))
}

// of reports whether what is known was read for the connection as it is.
func (p *samlIDP) of(c Connection) bool {
	was := p.connection
	return was.MetadataURL == c.MetadataURL && was.Metadata == c.Metadata && was.EntityID == c.EntityID &&
		was.EntryPoint == c.EntryPoint && was.Certificate == c.Certificate
}

func (s *samlParty) keep(c Connection, p *samlIDP) *samlIDP {
	p.connection = c
	s.mu.Lock()
	s.known[c.Name] = p
	s.mu.Unlock()
	return p
}

// given reads what the connection itself says of its provider.
func (f *Federation) given(c Connection) (*samlIDP, error) {
	if c.Metadata != "" {
		return readMetadata([]byte(c.Metadata), c.EntityID, f.plainHTTP(), f.Now())
	}
	all, err := certificates(c.Certificate)
	if err != nil {
		return nil, err
	}
	for _, one := range all {
		if err := strongEnough(one); err != nil {
			return nil, err
		}
	}
	if err := checkEndpoint(c.EntryPoint, f.plainHTTP()); err != nil {
		return nil, err
	}
	p := &samlIDP{entityID: c.EntityID, redirect: c.EntryPoint, certificates: all}
	return p, p.usable()
}

// saved is what any replica read last from the provider's address, nil if there is nothing that
// holds, and the name that the provider had.
func (s *samlParty) saved(ctx context.Context, c Connection) (p *samlIDP, name string, err error) {
	m, err := s.f.SAML.Metadata(ctx, c.Name)
	if problem.Is(err, problem.NotFound) || err == nil && m.URL != c.MetadataURL {
		return nil, c.EntityID, nil
	}
	if err != nil {
		return nil, "", err
	}
	if p, err = readMetadata([]byte(m.Document), m.EntityID, s.f.plainHTTP(), s.f.Now()); err != nil {
		return nil, m.EntityID, nil //nolint:nilerr // it is over by now: a fresh one is needed
	}
	p.fetchedAt = m.FetchedAt
	return p, m.EntityID, nil
}

// fetch reads the provider's metadata from its address. The name of the provider stays what it
// was: another one is another provider, whatever the address says.
func (s *samlParty) fetch(ctx context.Context, c Connection, name string) (*samlIDP, error) {
	if err := checkEndpoint(c.MetadataURL, s.f.plainHTTP()); err != nil {
		return nil, err
	}
	doc, err := s.f.Outbound.Get(ctx, c.MetadataURL, maxFetched)
	if err != nil {
		return nil, err
	}
	p, err := readMetadata(doc, name, s.f.plainHTTP(), s.f.Now())
	if err != nil {
		return nil, err
	}
	if name != "" && p.entityID != name {
		return nil, fmt.Errorf("the metadata is of %q now, no longer of %q", p.entityID, name)
	}
	p.fetchedAt = s.f.Now()
	p.triedAt = p.fetchedAt
	err = s.f.SAML.SaveMetadata(ctx, c.Name, FetchedMetadata{URL: c.MetadataURL, EntityID: p.entityID, Document: string(doc), FetchedAt: p.fetchedAt})
	if err != nil {
		return nil, err
	}
	return s.keep(c, p), nil
}

// again reads the metadata once more because a signature is by none of the certificates that
// are known. Strangers can cause that, so it happens at most once a minute.
func (s *samlParty) again(ctx context.Context, p *samlIDP) (fresh *samlIDP, changed bool) {
	c, now := p.connection, s.f.Now()
	s.mu.Lock()
	current := s.known[c.Name]
	due := c.MetadataURL != "" && current != nil && !now.Before(current.triedAt.Add(metadataPause)) && !now.Before(current.fetchedAt.Add(metadataPause))
	if due {
		tried := *current
		tried.triedAt = now
		s.known[c.Name] = &tried
	}
	s.mu.Unlock()
	if !due {
		return p, false
	}
	fresh, err := s.fetch(ctx, c, p.entityID)
	if err != nil {
		s.warn(ctx, c, err)
		return p, false
	}
	same := len(fresh.certificates) == len(p.certificates)
	for _, one := range fresh.certificates {
		same = same && slices.ContainsFunc(p.certificates, one.Equal)
	}
	return fresh, !same
}

// RefreshMetadata reads the metadata of all providers in force that were not asked for a while.
// It is the handler of MetadataKind.
func (f *Federation) RefreshMetadata(ctx context.Context, _ json.RawMessage) error {
	var failed []error
	for _, c := range f.Open() {
		if c.Type != SAML {
			continue
		}
		if _, err := f.party().provider(ctx, c); err != nil {
			failed = append(failed, err)
		}
	}
	return errors.Join(failed...)
}

// warn leaves a trace for operators: the old metadata serves on, but not for ever.
func (s *samlParty) warn(ctx context.Context, c Connection, cause error) {
	s.f.record(context.WithoutCancel(ctx), event.MetadataFailed, c, fmt.Sprint(cause))
}
