package server

import (
	"slices"

	"idp/account"
	"idp/internal/web"
)

// routes is every address that idp answers, by who answers it.
func (s *Server) routes() []web.Route {
	return slices.Concat(s.host(), s.relyingParties(), s.people(), s.operators(), s.scripts(), s.self(), s.development())
}

// host is what belongs at the root of the issuer's host, even if the issuer has a path.
func (s *Server) host() []web.Route {
	return []web.Route{
		{Pattern: "GET /healthz", Do: s.health.live, Face: web.Plain},
		{Pattern: "GET /readyz", Do: s.health.ready, Face: web.Plain},
		{Pattern: "GET /.well-known/change-password", Do: s.changePassword, Face: web.Page},
		{Pattern: "GET /.well-known/webauthn", Do: s.engine.WebAuthn.Related, Face: web.Document},
		{Pattern: "GET /.well-known/webfinger", Do: s.provider.WebFinger, Face: web.Document},
		{Pattern: "GET /.well-known/oauth-authorization-server", Do: s.provider.ServerMetadata, Face: web.Document},
		{Pattern: "GET /.well-known/oauth-authorization-server/{path...}", Do: s.provider.ServerMetadata, Face: web.Document},
	}
}

// relyingParties are OAuth 2.0 and OpenID Connect.
func (s *Server) relyingParties() []web.Route {
	p := s.provider
	routes := []web.Route{
		{Pattern: "GET /.well-known/openid-configuration", Do: p.Discovery, Face: web.Document},
		{Pattern: "GET /.well-known/jwks.json", Do: p.JWKS, Face: web.Document},
		{Pattern: "GET /oauth2/authorize", Do: p.Authorize, Face: web.Passage},
		{Pattern: "POST /oauth2/authorize", Do: p.Authorize, Face: web.Protocol},
		{Pattern: "GET /oauth2/resume", Do: p.Resume, Face: web.Passage},
		{Pattern: "/oauth2/par", Do: p.Push, Face: web.Protocol},
		{Pattern: "/oauth2/token", Do: p.Token, Face: web.Protocol},
		{Pattern: "/oauth2/userinfo", Do: p.Userinfo, Face: web.Protocol},
		{Pattern: "/oauth2/introspect", Do: p.Introspect, Face: web.Protocol},
		{Pattern: "/oauth2/revoke", Do: p.Revoke, Face: web.Protocol},
		{Pattern: "/oauth2/register", Do: p.Register, Face: web.Protocol},
		{Pattern: "/oauth2/register/{client}", Do: p.Registration, Face: web.Protocol},
		{Pattern: "GET /oauth2/clients/{client}/logo", Do: p.Logo, Face: web.Plain},
		{Pattern: "GET /oauth2/logout", Do: p.Logout, Face: web.Passage},
		{Pattern: "POST /oauth2/logout", Do: p.Logout, Face: web.Protocol},
		{Pattern: "POST /oauth2/logout/confirm", Do: p.LogoutConfirm, Face: web.Passage},
		{Pattern: "GET /oauth2/logout/apps", Do: p.LogoutApps, Face: web.Page},
		{Pattern: "GET /oauth2/logout/done", Do: p.LogoutDone, Face: web.Passage},
	}
	if p.SessionManagement {
		routes = append(routes, web.Route{Pattern: "GET /oauth2/check_session", Do: p.CheckSession, Face: web.Plain})
	}
	return routes
}

// people are the pages a person meets.
func (s *Server) people() []web.Route {
	crowd := s.crowd.Bounded
	return []web.Route{
		{Pattern: "GET /assets/{file}", Do: s.web.Asset, Face: web.Plain},
		{Pattern: "GET /sdk/v1/{file...}", Do: s.sdk.Serve, Face: web.Plain},
		{Pattern: "GET /avatars/{id}", Do: s.pictures.Serve, Face: web.Plain},
		{Pattern: "GET /sign-in", Do: s.pages.SignIn, Face: web.Passage},
		{Pattern: "POST /sign-in", Do: s.crowd.Staying(s.pages.Enter), Face: web.Passage},
		{Pattern: "GET /sign-in/choose", Do: s.pages.Choose, Face: web.Passage},
		{Pattern: "POST /sign-in/choose", Do: s.pages.Chosen, Face: web.Passage},
		{Pattern: "GET /sign-in/{attempt}", Do: s.pages.Show, Face: web.Passage},
		{Pattern: "GET /sign-in/{attempt}/identify", Do: s.pages.Rename, Face: web.Passage},
		{Pattern: "POST /sign-in/{attempt}/identify", Do: crowd(s.pages.Identify), Face: web.Passage},
		{Pattern: "POST /sign-in/{attempt}/prepare", Do: crowd(s.pages.Prepare), Face: web.Passage},
		{Pattern: "POST /sign-in/{attempt}/prove", Do: crowd(s.pages.Prove), Face: web.Passage},
		{Pattern: "POST /sign-in/{attempt}/forgot", Do: crowd(s.pages.Forgot), Face: web.Passage},
		{Pattern: "POST /sign-in/{attempt}/enroll", Do: s.pages.Enroll, Face: web.Passage},
		{Pattern: "POST /sign-in/{attempt}/confirm", Do: s.pages.Confirm, Face: web.Passage},
		{Pattern: "POST /sign-in/backup-codes", Do: s.pages.BackupFile, Face: web.Page},
		{Pattern: "POST /sign-in/{attempt}/password", Do: crowd(s.pages.SetPassword), Face: web.Passage},
		{Pattern: "POST /sign-in/{attempt}/human", Do: s.pages.PassHuman, Face: web.Passage},
		{Pattern: "POST /sign-in/{attempt}/cancel", Do: s.pages.Cancel, Face: web.Passage},
		{Pattern: "POST /sign-in/{attempt}/depart/{connection}", Do: s.pages.Depart, Face: web.Passage},
		{Pattern: "GET /federation/{connection}/callback", Do: s.pages.Arrive, Face: web.Passage},
		{Pattern: "GET /federation/{connection}/start", Do: s.pages.BeginElsewhere, Face: web.Passage},
		{Pattern: "GET /federation/{connection}/metadata", Do: s.pages.ServiceMetadata, Face: web.Plain},
		{Pattern: "POST /federation/{connection}/acs", Do: s.pages.ConsumeAssertion, Face: web.Protocol},
		{Pattern: "GET /federation/{connection}/slo", Do: s.pages.SingleLogout, Face: web.Passage},
		{Pattern: "POST /federation/{connection}/slo", Do: s.pages.SingleLogout, Face: web.Protocol},
		{Pattern: "GET /federation/sign-out", Do: s.pages.OfferLeave, Face: web.Page},
		{Pattern: "POST /federation/sign-out", Do: s.pages.LeaveElsewhere, Face: web.Page},
		{Pattern: "POST /federation/{connection}/callback", Do: s.pages.PostedForm, Face: web.Protocol},
		{Pattern: "GET /sign-in/{attempt}/link", Do: s.pages.Link, Face: web.Passage},
		{Pattern: "POST /sign-in/{attempt}/link", Do: s.pages.FollowLink, Face: web.Passage},
		{Pattern: "GET /undo/{undo}", Do: s.pages.AskUndo, Face: web.Page},
		{Pattern: "POST /undo/{undo}", Do: s.pages.Undo, Face: web.Page},
		{Pattern: "GET /sign-up", Do: s.pages.SignUp, Face: web.Passage},
		{Pattern: "POST /sign-up", Do: s.crowd.Staying(s.pages.Register), Face: web.Passage},
		{Pattern: "GET /consent", Do: s.consent.Ask, Face: web.Passage},
		{Pattern: "POST /consent", Do: s.consent.Answer, Face: web.Passage},
		{Pattern: "GET /{$}", Do: s.account.Root, Face: web.Page},
		{Pattern: "GET /account", Do: s.account.Account, Face: web.Page},
		{Pattern: "POST /account/confirm", Do: s.account.Confirm, Face: web.Page},
		{Pattern: "POST /account/profile", Do: s.account.SaveProfile, Face: web.Page},
		{Pattern: "POST /account/picture/remove", Do: s.account.DropPicture, Face: web.Page},
		{Pattern: "POST /account/identifiers", Do: s.account.AddIdentifier, Face: web.Page},
		{Pattern: "POST /account/identifiers/primary", Do: s.account.Primary, Face: web.Page},
		{Pattern: "POST /account/identifiers/remove", Do: s.account.Remove, Face: web.Page},
		{Pattern: "GET /account/security", Do: s.account.SecurityForm, Face: web.Page},
		{Pattern: "POST /account/security/add", Do: s.account.AddFactor, Face: web.Page},
		{Pattern: "POST /account/security/rename", Do: s.account.RenameFactor, Face: web.Page},
		{Pattern: "POST /account/security/remove", Do: s.account.DropFactor, Face: web.Page},
		{Pattern: "POST /account/security/backup-codes", Do: s.account.RenewBackupCodes, Face: web.Page},
		{Pattern: "POST /account/connections/connect", Do: s.account.Connect, Face: web.Page},
		{Pattern: "POST /account/connections/disconnect", Do: s.account.Disconnect, Face: web.Page},
		{Pattern: "GET /account/merge", Do: s.account.MergeForm, Face: web.Page},
		{Pattern: "POST /account/merge", Do: s.account.MergeAccounts, Face: web.Page},
		{Pattern: "POST /account/merge/prove", Do: s.account.MergeProve, Face: web.Page},
		{Pattern: "GET /account/password", Do: s.account.PasswordForm, Face: web.Page},
		{Pattern: "POST /account/password", Do: s.account.SetPassword, Face: web.Page},
		{Pattern: "POST /account/password/remove", Do: s.account.DropPassword, Face: web.Page},
		{Pattern: "POST /account/export", Do: s.account.TakeOut, Face: web.Page},
		{Pattern: "GET /account/delete", Do: s.account.DeleteForm, Face: web.Page},
		{Pattern: "POST /account/delete", Do: s.account.DeleteAccount, Face: web.Page},
		{Pattern: "GET /account/deleted", Do: s.account.Deleted, Face: web.Page},
		{Pattern: "POST /account/sessions/end", Do: s.account.EndSession, Face: web.Page},
		{Pattern: "POST /account/sessions/end-others", Do: s.account.EndOthers, Face: web.Page},
		{Pattern: "POST /account/security/trusted/drop", Do: s.account.Distrusted, Face: web.Page},
		{Pattern: "POST /account/apps/revoke", Do: s.account.Revoke, Face: web.Page},
		{Pattern: "POST /sign-out", Do: s.account.SignOut, Face: web.Page},
	}
}

// operators are the pages of those who run the instance.
func (s *Server) operators() []web.Route {
	a := s.admin
	return []web.Route{
		{Pattern: "GET /operator/claim", Do: a.ClaimPage, Face: web.Page},
		{Pattern: "POST /operator/claim", Do: a.Claim, Face: web.Page},
		{Pattern: "GET /operator", Do: a.Apps(), Face: web.Page},
		{Pattern: "POST /operator/apps", Do: a.AddApp(), Face: web.Page},
		{Pattern: "GET /operator/apps/new", Do: a.NewApp(), Face: web.Page},
		{Pattern: "GET /operator/apps/{client}", Do: a.App(), Face: web.Page},
		{Pattern: "POST /operator/apps/{client}", Do: a.SaveApp(), Face: web.Page},
		{Pattern: "POST /operator/apps/{client}/metadata", Do: a.DescribeApp(), Face: web.Page},
		{Pattern: "POST /operator/apps/{client}/secret", Do: a.RotateApp(), Face: web.Page},
		{Pattern: "POST /operator/apps/{client}/turn", Do: a.TurnApp(), Face: web.Page},
		{Pattern: "POST /operator/apps/{client}/delete", Do: a.DeleteApp(), Face: web.Page},
		{Pattern: "GET /operator/connections", Do: a.ListConnections(), Face: web.Page},
		{Pattern: "POST /operator/connections", Do: a.AddConnection(), Face: web.Page},
		{Pattern: "GET /operator/connections/new", Do: a.NewConnection(), Face: web.Page},
		{Pattern: "GET /operator/connections/{connection}", Do: a.ShowConnection(), Face: web.Page},
		{Pattern: "POST /operator/connections/{connection}", Do: a.SaveConnection(), Face: web.Page},
		{Pattern: "POST /operator/connections/{connection}/json", Do: a.DescribeConnection(), Face: web.Page},
		{Pattern: "POST /operator/connections/{connection}/test", Do: a.TestConnection(), Face: web.Page},
		{Pattern: "POST /operator/connections/{connection}/turn", Do: a.TurnConnection(), Face: web.Page},
		{Pattern: "POST /operator/connections/{connection}/delete", Do: a.DeleteConnection(), Face: web.Page},
		{Pattern: "GET /operator/templates", Do: s.admin.ListTemplates(), Face: web.Page},
		{Pattern: "GET /operator/templates/new", Do: s.admin.NewTemplate(), Face: web.Page},
		{Pattern: "POST /operator/templates", Do: s.admin.AddTemplate(), Face: web.Page},
		{Pattern: "GET /operator/templates/{template}", Do: s.admin.ShowTemplate(), Face: web.Page},
		{Pattern: "POST /operator/templates/{template}", Do: s.admin.SaveTemplate(), Face: web.Page},
		{Pattern: "POST /operator/templates/{template}/delete", Do: s.admin.DeleteTemplate(), Face: web.Page},
		{Pattern: "GET /operator/users", Do: a.ListPeople(), Face: web.Page},
		{Pattern: "POST /operator/users/ban", Do: a.BanPerson(), Face: web.Page},
		{Pattern: "POST /operator/users/invite", Do: a.Invite(), Face: web.Page},
		{Pattern: "GET /operator/users/{user}", Do: a.ShowPerson(), Face: web.Page},
		{Pattern: "POST /operator/users/{user}/reset-factors", Do: a.ResetPerson(), Face: web.Page},
		{Pattern: "POST /operator/users/{user}/unlink", Do: a.UnlinkPerson(), Face: web.Page},
		{Pattern: "POST /operator/users/{user}/metadata", Do: s.admin.SaveMetadata(), Face: web.Page},
		{Pattern: "POST /operator/users/{user}/unlock", Do: a.UnlockPerson(), Face: web.Page},
		{Pattern: "GET /operator/settings", Do: a.ShowSettings(), Face: web.Page},
		{Pattern: "POST /operator/settings", Do: a.SaveSettings(), Face: web.Page},
		{Pattern: "GET /operator/keys", Do: a.ListKeys(), Face: web.Page},
	}
}

// scripts are the Frontend API.
func (s *Server) scripts() []web.Route {
	crowd := s.crowd.Bounded
	return []web.Route{
		{Pattern: "GET /frontend/v1/openapi.json", Do: described, Face: web.Document},
		{Pattern: "GET /frontend/v1/environment", Do: s.facts.Show, Face: web.Frontend},
		{Pattern: "POST /frontend/v1/attempts", Do: crowd(s.api.Start), Face: web.Frontend},
		{Pattern: "GET /frontend/v1/attempts/{attempt}", Do: s.api.Look, Face: web.Frontend},
		{Pattern: "POST /frontend/v1/attempts/{attempt}/identify", Do: crowd(s.api.Identify), Face: web.Frontend},
		{Pattern: "POST /frontend/v1/attempts/{attempt}/prepare", Do: crowd(s.api.Prepare), Face: web.Frontend},
		{Pattern: "POST /frontend/v1/attempts/{attempt}/prove", Do: crowd(s.api.Prove), Face: web.Frontend},
		{Pattern: "POST /frontend/v1/attempts/{attempt}/forgot", Do: crowd(s.api.Forgot), Face: web.Frontend},
		{Pattern: "POST /frontend/v1/attempts/{attempt}/submit", Do: crowd(s.api.Submit), Face: web.Frontend},
		{Pattern: "POST /frontend/v1/attempts/{attempt}/enroll", Do: s.api.Enroll, Face: web.Frontend},
		{Pattern: "POST /frontend/v1/attempts/{attempt}/confirm", Do: s.api.Confirm, Face: web.Frontend},
		{Pattern: "POST /frontend/v1/attempts/{attempt}/password", Do: crowd(s.api.Password), Face: web.Frontend},
		{Pattern: "POST /frontend/v1/attempts/{attempt}/human", Do: s.api.PassHuman, Face: web.Frontend},
		{Pattern: "POST /frontend/v1/attempts/{attempt}/depart", Do: s.api.Depart, Face: web.Frontend},
		{Pattern: "POST /frontend/v1/attempts/{attempt}/cancel", Do: s.api.Cancel, Face: web.Frontend},
		{Pattern: "POST /frontend/v1/password-strength", Do: s.api.Strength, Face: web.Frontend},
		{Pattern: "POST /frontend/v1/bot-check", Do: s.api.Due, Face: web.Frontend},
		{Pattern: "POST /frontend/v1/sessions/{session}/tokens", Do: s.minting.Session, Face: web.Frontend},
		{Pattern: "POST /frontend/v1/sessions/{session}/tokens/{template}", Do: s.minting.Template, Face: web.Frontend},
	}
}

// self is the account of who is signed in, for scripts.
func (s *Server) self() []web.Route {
	a := &account.API{Self: s.account.Self}
	return []web.Route{
		{Pattern: "GET /frontend/v1/sessions", Do: a.Sessions, Face: web.Frontend},
		{Pattern: "DELETE /frontend/v1/sessions", Do: a.EndAll, Face: web.Frontend},
		{Pattern: "DELETE /frontend/v1/sessions/{session}", Do: a.End, Face: web.Frontend},
		{Pattern: "POST /frontend/v1/sessions/{session}/touch", Do: a.Touch, Face: web.Frontend},
		{Pattern: "POST /frontend/v1/sessions/{session}/activate", Do: a.Activate, Face: web.Frontend},
		{Pattern: "GET /frontend/v1/me", Do: a.Look, Face: web.Frontend},
		{Pattern: "PATCH /frontend/v1/me", Do: a.Change, Face: web.Frontend},
		{Pattern: "DELETE /frontend/v1/me", Do: a.Leave, Face: web.Frontend},
		{Pattern: "DELETE /frontend/v1/me/picture", Do: a.DropPicture, Face: web.Frontend},
		{Pattern: "POST /frontend/v1/me/password", Do: a.Password, Face: web.Frontend},
		{Pattern: "DELETE /frontend/v1/me/password", Do: a.DropPassword, Face: web.Frontend},
		{Pattern: "POST /frontend/v1/me/identifiers", Do: a.Add, Face: web.Frontend},
		{Pattern: "PATCH /frontend/v1/me/identifiers/{identifier}", Do: a.Rank, Face: web.Frontend},
		{Pattern: "DELETE /frontend/v1/me/identifiers/{identifier}", Do: a.Remove, Face: web.Frontend},
		{Pattern: "GET /frontend/v1/me/sessions", Do: a.Devices, Face: web.Frontend},
		{Pattern: "DELETE /frontend/v1/me/sessions/{session}", Do: a.EndDevice, Face: web.Frontend},
		{Pattern: "POST /frontend/v1/me/sessions/end-others", Do: a.EndOthers, Face: web.Frontend},
		{Pattern: "GET /frontend/v1/me/factors", Do: a.Factors, Face: web.Frontend},
		{Pattern: "PATCH /frontend/v1/me/factors/{factor}", Do: a.RenameFactor, Face: web.Frontend},
		{Pattern: "DELETE /frontend/v1/me/factors/{factor}", Do: a.DropFactor, Face: web.Frontend},
		{Pattern: "POST /frontend/v1/me/backup-codes", Do: a.RenewBackupCodes, Face: web.Frontend},
		{Pattern: "GET /frontend/v1/me/connections", Do: a.Connections, Face: web.Frontend},
		{Pattern: "DELETE /frontend/v1/me/connections/{factor}", Do: a.Disconnect, Face: web.Frontend},
		{Pattern: "POST /frontend/v1/me/merge", Do: a.Merge, Face: web.Frontend},
		{Pattern: "GET /frontend/v1/me/trusted-browsers", Do: a.TrustedBrowsers, Face: web.Frontend},
		{Pattern: "DELETE /frontend/v1/me/trusted-browsers/{trust}", Do: a.DropTrusted, Face: web.Frontend},
		{Pattern: "GET /frontend/v1/me/grants", Do: a.Apps, Face: web.Frontend},
		{Pattern: "DELETE /frontend/v1/me/grants/{client}", Do: a.Revoke, Face: web.Frontend},
		{Pattern: "GET /frontend/v1/me/export", Do: a.TakeOut, Face: web.Frontend},
	}
}

// development is what production does not have.
func (s *Server) development() []web.Route {
	var routes []web.Route
	if s.Config.Development() {
		routes = append(routes, web.Route{Pattern: "POST /frontend/v1/browsers", Do: s.sessions.Introduce, Face: web.Frontend})
	}
	if !s.Config.Inbox() {
		return routes
	}
	return append(routes, []web.Route{
		{Pattern: "GET /dev/inbox", Do: s.admin.ListLetters, Face: web.Page},
		{Pattern: "GET /dev/inbox.json", Do: s.admin.LettersJSON, Face: web.Page},
		{Pattern: "GET /dev/inbox/{letter}", Do: s.admin.Letter, Face: web.Page},
		{Pattern: "POST /dev/inbox/empty", Do: s.admin.EmptyInbox, Face: web.Page},
	}...)
}
