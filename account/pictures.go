package account

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"idp/avatar"
	"idp/event"
	"idp/identity"
	"idp/internal/outbound"
	"idp/internal/problem"
	"idp/internal/secret"
	"idp/job"
	"idp/login"
)

// A provider may say where it has a picture of a person. It is fetched once, by us and not by
// anybody's browser, drawn anew and served from here: apps get an address of ours, and the
// provider never learns who looks. A picture is only ever brought to somebody who has none, and
// never to somebody who removed one. Nobody waits for it: it comes by a job, and if it cannot be
// had, there is none.

// PictureJob is the kind of job that fetches one picture.
const PictureJob = "account.picture"

const (
	maxPicture      = 2 << 20 // bytes that are fetched
	pictureAttempts = 4       // with the queue's backoff a few minutes
	longestAddress  = 2048    // of a picture, in bytes
)

// Picture is a person's picture as we drew it.
type Picture struct {
	ID        string
	User      identity.UserID
	Bytes     []byte // none: its person removed it
	Type      string // the media type
	Source    string // the connection whose provider it came from
	CreatedAt time.Time
	RemovedAt time.Time // zero: it is shown
}

// PictureStore is where pictures are kept, one of each person.
type PictureStore interface {
	Picture(ctx context.Context, id string) (Picture, error)                  // one that is shown, or problem.NotFound
	PictureOf(ctx context.Context, u identity.UserID) (Picture, error)        // a removed one too, or problem.NotFound
	SavePicture(ctx context.Context, p Picture) error                         // in place of the one there was
	RemovePicture(ctx context.Context, u identity.UserID, at time.Time) error // and remember that there shall be none
}

// Pictures fetches, keeps and serves the pictures of people.
type Pictures struct {
	Store    PictureStore
	People   login.People
	Events   event.Recorder
	Queue    job.Queue
	Outbound *outbound.Client
	Box      *secret.Box // seals addresses that wait: some let their holder see more than a picture
	Issuer   string
	Log      *slog.Logger
	InTx     func(ctx context.Context, do func(ctx context.Context) error) error
	Now      func() time.Time

	brush sync.Mutex // one picture is drawn at a time: that takes memory
}

// wanted is what a waiting job holds.
type wanted struct {
	User   identity.UserID `json:"user"`
	Source string          `json:"source"`
	Sealed string          `json:"sealed"`
}

func wantedPlace(u identity.UserID) string { return "picture of " + string(u) }

// Want has the picture at an address of a provider fetched later, in the caller's transaction.
// What is no web address is passed over.
func (p *Pictures) Want(ctx context.Context, u identity.UserID, connection, address string) error {
	at, err := url.Parse(address)
	if err != nil || at.Host == "" || at.Scheme != "https" && at.Scheme != "http" || len(address) > longestAddress { // http: only in development, says outbound
		return nil //nolint:nilerr // it is the provider's mistake, and no reason to keep anybody out
	}
	args, err := json.Marshal(wanted{User: u, Source: connection, Sealed: p.Box.Seal(wantedPlace(u), []byte(address))})
	if err != nil {
		return fmt.Errorf("want a picture: %w", err)
	}
	return p.Queue.Enqueue(ctx, job.Job{Kind: PictureJob, Args: args, Priority: job.Low, Attempts: pictureAttempts})
}

// Fetch is the job.Handler of PictureJob. An address that does not answer is an error, to be
// tried again, up to the last time: nobody misses the picture, and there is nothing for an
// operator to do. That is logged and done with, and so is what is no picture.
func (p *Pictures) Fetch(ctx context.Context, args json.RawMessage) error {
	var w wanted
	if err := json.Unmarshal(args, &w); err != nil {
		return fmt.Errorf("read a picture job: %w", err)
	}
	address, err := p.Box.Open(wantedPlace(w.User), w.Sealed)
	if err != nil {
		return fmt.Errorf("open a picture job: %w", err)
	}
	if _, welcome, err := p.welcome(ctx, w.User); err != nil || !welcome {
		return err
	}
	raw, err := p.Outbound.Get(ctx, string(address), maxPicture)
	if err != nil && job.Last(ctx) {
		p.miss(ctx, "a provider's picture cannot be fetched", w, err)
		return nil
	}
	if err != nil {
		return fmt.Errorf("fetch a picture: %w", err)
	}
	drawn, mediaType, err := p.draw(raw)
	if err != nil {
		p.miss(ctx, "a provider's picture cannot be read", w, err)
		return nil
	}
	return p.keep(ctx, Picture{ID: secret.NewID("picture"), User: w.User, Bytes: drawn, Type: mediaType, Source: w.Source, CreatedAt: p.Now()})
}

func (p *Pictures) miss(ctx context.Context, what string, w wanted, err error) {
	p.Log.InfoContext(ctx, what, slog.String("user", string(w.User)), slog.String("connection", w.Source), slog.Any("err", err))
}

func (p *Pictures) draw(raw []byte) (drawn []byte, mediaType string, err error) {
	p.brush.Lock()
	defer p.brush.Unlock()
	return avatar.Portrait(raw)
}

// keep puts a picture that was fetched on its person's file, unless they have one by now or want none.
func (p *Pictures) keep(ctx context.Context, x Picture) error {
	return p.InTx(ctx, func(ctx context.Context) error {
		who, welcome, err := p.welcome(ctx, x.User)
		if err != nil || !welcome {
			return err
		}
		if err := p.Store.SavePicture(ctx, x); err != nil {
			return err
		}
		who.User.Profile.Picture, who.User.UpdatedAt = p.address(x.ID), x.CreatedAt
		if err := p.People.SaveUser(ctx, who.User); err != nil {
			return err
		}
		return p.Events.Record(ctx, event.Event{
			Kind: event.UserUpdated, Actor: "system", User: string(x.User), Detail: map[string]string{"changed": "picture", "connection": x.Source},
		})
	})
}

// welcome reports whether a provider's picture may come on that person's file.
func (p *Pictures) welcome(ctx context.Context, u identity.UserID) (login.Person, bool, error) {
	who, err := p.People.Person(ctx, u)
	if problem.Is(err, problem.NotFound) {
		return who, false, nil // deleted meanwhile
	}
	if err != nil || who.User.Profile.Picture != "" {
		return who, false, err
	}
	_, err = p.Store.PictureOf(ctx, u)
	if problem.Is(err, problem.NotFound) {
		return who, true, nil
	}
	return who, false, err // there was one, and it was removed
}

const picturesPath = "/avatars/"

func (p *Pictures) address(id string) string { return p.Issuer + picturesPath + id }

// shown is the path of a picture that we serve, "" for any other address.
func (p *Pictures) shown(picture string) string {
	if p == nil || !strings.HasPrefix(picture, p.Issuer+picturesPath) {
		return ""
	}
	return strings.TrimPrefix(picture, p.Issuer)
}

// Serve answers GET /avatars/{id}. What an id names never changes.
func (p *Pictures) Serve(w http.ResponseWriter, r *http.Request) error {
	x, err := p.Store.Picture(r.Context(), r.PathValue("id"))
	if err != nil {
		return err
	}
	h := w.Header()
	h.Set("Content-Type", x.Type)
	h.Set("Content-Disposition", "inline")
	h.Set("Cache-Control", "public, max-age=31536000, immutable")
	h.Set("Cross-Origin-Resource-Policy", "cross-origin") // apps show it, also those that isolate themselves (COEP)
	_, err = w.Write(x.Bytes)
	return err
}

// RemovePicture takes the picture off the file of who acts. No provider brings one from now on.
func (a *Self) RemovePicture(ctx context.Context, by By) error {
	return a.InTx(ctx, func(ctx context.Context) error {
		who, err := a.person(ctx, by)
		if err != nil || who.User.Profile.Picture == "" {
			return err
		}
		now := a.Now()
		if err := a.Pictures.Store.RemovePicture(ctx, who.User.ID, now); err != nil {
			return err
		}
		who.User.Profile.Picture, who.User.UpdatedAt = "", now
		if err := a.People.SaveUser(ctx, who.User); err != nil {
			return err
		}
		return a.tell(ctx, by, event.UserUpdated, map[string]string{"changed": "picture"})
	})
}

// DropPicture answers POST /account/picture/remove.
func (p *Pages) DropPicture(w http.ResponseWriter, r *http.Request) error {
	by, ok, err := p.acting(w, r)
	if !ok {
		return err
	}
	if err := p.RemovePicture(r.Context(), by); err != nil {
		return err
	}
	return done(w, r, "picture")
}

// DropPicture answers DELETE /frontend/v1/me/picture. Twice is fine.
func (x *API) DropPicture(w http.ResponseWriter, r *http.Request) error {
	return x.act(w, r, false, nil, func(by By) (any, error) { return nil, x.RemovePicture(r.Context(), by) })
}

// ExportedPicture is a person's picture, with its bytes in base64.
type ExportedPicture struct {
	Type      string    `json:"type"`
	Source    string    `json:"connection"`
	CreatedAt time.Time `json:"created_at"`
	Bytes     []byte    `json:"bytes"`
}

// export returns the picture that is shown, nil if there is none.
func (p *Pictures) export(ctx context.Context, u identity.UserID) (*ExportedPicture, error) {
	if p == nil {
		return nil, nil //nolint:nilnil // nil is "none"
	}
	x, err := p.Store.PictureOf(ctx, u)
	if problem.Is(err, problem.NotFound) || err == nil && !x.RemovedAt.IsZero() {
		return nil, nil //nolint:nilnil // nil is "none"
	}
	if err != nil {
		return nil, err
	}
	return &ExportedPicture{Type: x.Type, Source: x.Source, CreatedAt: x.CreatedAt, Bytes: x.Bytes}, nil
}
