package server

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"sync"
	"time"

	"idp/account"
	"idp/federation"
	"idp/job"
	"idp/message"
	"idp/provider"
)

const (
	sweepKind = "storage.sweep"
	keysKind  = "token.advance"

	watchEvery = time.Second // how old a snapshot in memory may be
	sweepEvery = 10 * time.Minute
	keysEvery  = time.Minute
)

// workers are what runs beside requests: the queue, and the watch over what other
// processes changed.
type workers struct {
	queue interface {
		Stop(ctx context.Context) error
	}
	watch sync.WaitGroup
	end   context.CancelFunc
}

func (s *Server) startWorkers(ctx context.Context) (*workers, error) {
	// Stopping must let running jobs finish: the signal that ends ctx must not reach them.
	ctx, end := context.WithCancel(context.WithoutCancel(ctx))
	w := &workers{queue: s.Queue, end: end}
	err := s.Queue.Start(ctx, job.Handlers{
		message.JobKind:         s.Outbox.Deliver,
		provider.LogoutKind:     s.provider.TellLogout,
		federation.MetadataKind: s.Federation.RefreshMetadata,
		account.PictureJob:      s.pictures.Fetch,
		sweepKind:               func(ctx context.Context, _ json.RawMessage) error { return s.DB.Sweep(ctx) },
		keysKind:                func(ctx context.Context, _ json.RawMessage) error { return s.Keys.Advance(ctx) },
	}, []job.Periodic{{Kind: sweepKind, Every: sweepEvery}, {Kind: keysKind, Every: keysEvery}, {Kind: federation.MetadataKind, Every: federation.MetadataEvery}})
	if err != nil {
		end()
		return nil, err
	}
	w.watch.Go(func() { s.watch(ctx) })
	return w, nil
}

func (w *workers) stop(ctx context.Context) error {
	err := w.queue.Stop(ctx)
	w.end()
	w.watch.Wait()
	return err
}

// watch reloads what is kept in memory when another process, or the command line,
// raised its version.
func (s *Server) watch(ctx context.Context) {
	seen, _ := s.DB.Versions(ctx)
	tick := time.NewTicker(watchEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		now, err := s.DB.Versions(ctx)
		if err != nil {
			if !errors.Is(err, context.Canceled) {
				s.Log.WarnContext(ctx, "looking for changes failed", slog.Any("err", err))
			}
			continue
		}
		for name, n := range now {
			if seen[name] == n {
				continue
			}
			if err := s.reload(ctx, name); err != nil {
				s.Log.ErrorContext(ctx, "reloading failed", slog.String("what", name), slog.Any("err", err))
				continue // the old snapshot serves; try again next time
			}
			if seen == nil {
				seen = map[string]int64{}
			}
			seen[name] = n
		}
	}
}

func (s *Server) reload(ctx context.Context, name string) error {
	switch name {
	case "clients":
		s.Clients.Invalidate()
	case "keys":
		return s.Keys.Reload(ctx)
	case "settings":
		return s.Settings.Reload(ctx)
	case "connections":
		return s.Federation.Reload(ctx)
	case "templates":
		return s.TokenTemplates.Reload(ctx)
	}
	return nil
}
