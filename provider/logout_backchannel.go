package provider

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"idp/event"
	"idp/identity"
	"idp/internal/problem"
	"idp/internal/secret"
	"idp/job"
	"idp/session"
)

// LogoutKind is the kind of job that tells one relying party that a session is over.
const LogoutKind = "provider.logout"

const (
	logoutLife     = 2 * time.Minute // of a logout token
	logoutPatience = 3 * time.Hour   // an answer later than that is not waited for
	logoutAttempts = 12              // with the queue's backoff more than logoutPatience
	logoutType     = "logout+jwt"
	logoutEvent    = "http://schemas.openid.net/event/backchannel-logout"
)

// Farewells puts on the queue what relying parties must hear when sessions end (OIDC
// Back-Channel Logout). Its Ended is made for session.Announced.
type Farewells struct {
	Visits  Visits
	Clients *Clients
	Queue   job.Queue
	Now     func() time.Time
}

// farewellJob names what a job is about. It carries nothing secret: the token is made when
// it is sent, so that it is fresh however long the relying party was down.
type farewellJob struct {
	Client  ClientID        `json:"client"`
	User    identity.UserID `json:"user"`
	Session session.ID      `json:"session"`
	EndedAt time.Time       `json:"ended_at"`
}

// Ended enqueues one job for each relying party that knows one of the sessions and
// registered a backchannel_logout_uri, in the transaction of ctx.
func (f *Farewells) Ended(ctx context.Context, ended []session.ID) error {
	visits, err := f.Visits.Visits(ctx, ended)
	if err != nil {
		return err
	}
	for _, v := range visits {
		c, err := f.Clients.Get(ctx, v.Client)
		if problem.Is(err, problem.NotFound) || err == nil && c.BackchannelLogoutURI == "" {
			continue
		}
		if err != nil {
			return fmt.Errorf("whom to tell that %s ended: %w", v.Session, err)
		}
		args, err := json.Marshal(farewellJob{Client: v.Client, User: v.User, Session: v.Session, EndedAt: f.Now()})
		if err != nil {
			return fmt.Errorf("tell %s that %s ended: %w", v.Client, v.Session, err)
		}
		if err := f.Queue.Enqueue(ctx, job.Job{Kind: LogoutKind, Args: args, Priority: job.Normal, Attempts: logoutAttempts}); err != nil {
			return fmt.Errorf("tell %s that %s ended: %w", v.Client, v.Session, err)
		}
	}
	return nil
}

// logoutClaims are the claims of a logout token (OIDC Back-Channel Logout §2.4). There is
// never a nonce, so that it cannot pass for an ID token.
type logoutClaims struct {
	Issuer    string              `json:"iss"`
	Subject   string              `json:"sub"`
	Audience  string              `json:"aud"`
	IssuedAt  int64               `json:"iat"`
	ExpiresAt int64               `json:"exp"`
	ID        string              `json:"jti"`
	SessionID string              `json:"sid"`
	Events    map[string]struct{} `json:"events"`
}

// TellLogout is the job.Handler of LogoutKind. A relying party that answers 400 refused,
// and is not asked again; one that cannot be reached is, until it is too late to matter.
func (p *Provider) TellLogout(ctx context.Context, args json.RawMessage) error {
	var f farewellJob
	if err := json.Unmarshal(args, &f); err != nil {
		return fmt.Errorf("read logout job: %w", err)
	}
	c, err := p.Clients.Get(ctx, f.Client)
	if problem.Is(err, problem.NotFound) || err == nil && c.BackchannelLogoutURI == "" {
		return nil // gone meanwhile, or not interested any more
	}
	if err != nil {
		return err
	}
	raw, err := p.logoutToken(ctx, c, f)
	if err != nil {
		return err
	}
	status, err := p.Outbound.PostForm(ctx, c.BackchannelLogoutURI, url.Values{"logout_token": {raw}})
	switch {
	case err == nil && (status == http.StatusOK || status == http.StatusNoContent):
		return nil
	case err == nil && status == http.StatusBadRequest:
		return p.untold(ctx, f, "it answered 400")
	case err == nil:
		err = fmt.Errorf("it answered %d", status)
	}
	if p.Now().Sub(f.EndedAt) >= logoutPatience {
		return p.untold(ctx, f, err.Error())
	}
	return fmt.Errorf("tell %s that %s ended: %w", f.Client, f.Session, err)
}

// logoutToken makes a fresh logout token, signed and encrypted as the client's ID tokens
// are; unsigned ones cannot be registered.
func (p *Provider) logoutToken(ctx context.Context, c Client, f farewellJob) (string, error) {
	now := p.Now()
	return p.wrap(ctx, c, c.IDToken, logoutType, logoutClaims{
		Issuer: p.Issuer, Subject: p.subject(c, f.User), Audience: string(c.ID), IssuedAt: now.Unix(), ExpiresAt: now.Add(logoutLife).Unix(),
		ID: secret.NewID("logout"), SessionID: p.sessionName(c, f.Session), Events: map[string]struct{}{logoutEvent: {}},
	})
}

// untold records that a relying party does not know of the end of a session.
func (p *Provider) untold(ctx context.Context, f farewellJob, why string) error {
	return p.Events.Record(ctx, event.Event{
		Kind: event.LogoutFailed, Actor: "system", User: string(f.User), Client: string(f.Client), Session: string(f.Session),
		Detail: map[string]string{"reason": why},
	})
}
