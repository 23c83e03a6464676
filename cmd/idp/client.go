package main

import (
	"context"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"idp/admin"
	"idp/internal/secret"
	"idp/provider"
	"idp/server"
)

func (c *cli) client() *cobra.Command {
	return group(&cobra.Command{Use: "client", Short: "Register the applications that people sign in to"},
		c.clientCreate(), c.clientList(), c.clientShow(), c.clientUpdate(), c.clientRotate(),
		c.clientTurn("disable", "Stop an app at once", "is disabled", (*provider.Clients).Disable),
		c.clientTurn("enable", "Let a disabled app go on", "is enabled", (*provider.Clients).Enable),
		c.clientTurn("delete", "Remove an app and everything issued to it", "is deleted", (*provider.Clients).Delete))
}

// clientFlags are what create and update may say of a client.
type clientFlags struct {
	name, kind                    string
	redirects, logouts            []string
	scopes, audience, grants      []string
	public, firstParty, introspec bool
	requirePKCE                   bool
}

func (f *clientFlags) on(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&f.name, "name", "", "what people see")
	flags.StringArrayVar(&f.redirects, "redirect-uri", nil, "where people are sent back to, exactly; may be repeated")
	flags.StringArrayVar(&f.logouts, "post-logout-redirect-uri", nil, "where people are sent after signing out; may be repeated")
	flags.StringArrayVar(&f.scopes, "scope", nil, "a scope it may ask for; may be repeated")
	flags.StringArrayVar(&f.audience, "audience", nil, "an API it may name; may be repeated")
	flags.StringArrayVar(&f.grants, "grant-type", nil, "a grant it may use; may be repeated")
	flags.BoolVar(&f.firstParty, "first-party", false, "it is your own: people are not asked for consent")
	flags.BoolVar(&f.introspec, "may-introspect", false, "it is an API: it may ask about tokens of other apps")
	flags.BoolVar(&f.requirePKCE, "require-pkce", false, "it must use PKCE although it has a secret")
}

// put writes what was said into a client and leaves the rest.
func (f *clientFlags) put(cmd *cobra.Command, to *provider.Client) {
	said := cmd.Flags().Changed
	for flag, write := range map[string]func(){
		"name":                     func() { to.Name = f.name },
		"redirect-uri":             func() { to.RedirectURIs = f.redirects },
		"post-logout-redirect-uri": func() { to.PostLogoutRedirectURIs = f.logouts },
		"scope":                    func() { to.Scopes = f.scopes },
		"audience":                 func() { to.Audience = f.audience },
		"grant-type":               func() { to.GrantTypes = f.grants },
		"first-party":              func() { to.FirstParty = f.firstParty },
		"may-introspect":           func() { to.MayIntrospect = f.introspec },
		"require-pkce":             func() { to.RequirePKCE = f.requirePKCE },
	} {
		if said(flag) {
			write()
		}
	}
}

// clientView is a client as commands print it.
type clientView struct {
	ID             provider.ClientID   `json:"client_id"`
	Secret         string              `json:"client_secret,omitempty"` // shown once, when made
	Type           provider.ClientType `json:"type"`
	Name           string              `json:"client_name"`
	Disabled       bool                `json:"disabled"`
	AuthMethod     string              `json:"token_endpoint_auth_method,omitempty"`
	RedirectURIs   []string            `json:"redirect_uris"`
	LogoutURIs     []string            `json:"post_logout_redirect_uris,omitempty"`
	GrantTypes     []string            `json:"grant_types"`
	Scope          string              `json:"scope"`
	Audience       []string            `json:"audience,omitempty"`
	FirstParty     bool                `json:"first_party"`
	MayIntrospect  bool                `json:"may_introspect"`
	RequirePKCE    bool                `json:"require_pkce"`
	CreatedAt      time.Time           `json:"created_at"`
	SecretsExpires []time.Time         `json:"old_secret_expires_at,omitempty"`
}

func viewClient(x provider.Client, key secret.String) clientView {
	v := clientView{
		ID: x.ID, Secret: key.Reveal(), Type: x.Type, Name: x.Name, Disabled: x.Disabled, AuthMethod: x.AuthMethod,
		RedirectURIs: append([]string{}, x.RedirectURIs...), LogoutURIs: x.PostLogoutRedirectURIs, GrantTypes: x.GrantTypes,
		Scope: strings.Join(x.Scopes, " "), Audience: x.Audience, FirstParty: x.FirstParty, MayIntrospect: x.MayIntrospect,
		RequirePKCE: x.RequirePKCE, CreatedAt: x.CreatedAt,
	}
	for _, s := range x.Secrets {
		if !s.ExpiresAt.IsZero() {
			v.SecretsExpires = append(v.SecretsExpires, s.ExpiresAt)
		}
	}
	return v
}

func (c *cli) showClient(v clientView) error {
	yes := map[bool]string{true: "yes"}
	return c.fields(v,
		"client_id", string(v.ID), "client_secret", v.Secret, "name", v.Name, "type", string(v.Type), "disabled", yes[v.Disabled],
		"authentication", v.AuthMethod, "redirect_uris", strings.Join(v.RedirectURIs, " "), "post_logout", strings.Join(v.LogoutURIs, " "),
		"grants", strings.Join(v.GrantTypes, " "), "scope", v.Scope, "audience", strings.Join(v.Audience, " "),
		"first_party", yes[v.FirstParty], "may_introspect", yes[v.MayIntrospect], "require_pkce", yes[v.RequirePKCE])
}

func (c *cli) clientCreate() *cobra.Command {
	var f clientFlags
	cmd := c.withJSON(&cobra.Command{
		Use:     "create",
		Short:   "Register an app; its secret is printed this once",
		Example: "  idp client create --name Shop --redirect-uri https://shop.example/callback",
		Args:    takes(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := must(cmd, "name"); err != nil {
				return err
			}
			draft := provider.Client{Type: provider.ClientType(f.kind)}
			if f.public {
				draft.AuthMethod = "none"
			}
			f.put(cmd, &draft)
			return c.rooms(cmd.Context(), func(r *server.Rooms) error {
				made, key, err := r.Clients.Create(cmd.Context(), draft, admin.CLI)
				if err != nil {
					return err
				}
				if err := c.showClient(viewClient(made, key)); err != nil {
					return err
				}
				if !key.Empty() {
					c.note("The secret cannot be shown again.")
				}
				return nil
			})
		},
	})
	f.on(cmd)
	cmd.Flags().BoolVar(&f.public, "public", false, "it cannot keep a secret")
	oneOf(cmd, &f.kind, "type", "web", "what it is", "web", "spa", "native", "machine")
	return cmd
}

func (c *cli) clientList() *cobra.Command {
	var after string
	var limit int
	cmd := c.withJSON(&cobra.Command{
		Use:   "list",
		Short: "List apps",
		Args:  takes(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return c.rooms(cmd.Context(), func(r *server.Rooms) error {
				found, err := r.Clients.List(cmd.Context(), provider.ClientID(after), limit)
				if err != nil {
					return err
				}
				all, rows := []clientView{}, [][]string{}
				for _, x := range found {
					state := map[bool]string{true: "disabled", false: "enabled"}[x.Disabled]
					all = append(all, viewClient(x, secret.String{}))
					rows = append(rows, []string{string(x.ID), x.Name, string(x.Type), state, strings.Join(x.RedirectURIs, " ")})
				}
				return c.table(all, []string{"client id", "name", "type", "state", "redirect uris"}, rows)
			})
		},
	})
	cmd.Flags().StringVar(&after, "after", "", "go on after the app with this `id`")
	cmd.Flags().IntVar(&limit, "limit", 100, "how many, at most 100")
	return cmd
}

func (c *cli) clientShow() *cobra.Command {
	return c.withJSON(&cobra.Command{
		Use:   "show CLIENT",
		Short: "Show an app",
		Args:  takes("CLIENT"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.rooms(cmd.Context(), func(r *server.Rooms) error {
				x, err := r.Clients.Get(cmd.Context(), provider.ClientID(args[0]))
				if err != nil {
					return err
				}
				return c.showClient(viewClient(x, secret.String{}))
			})
		},
	})
}

func (c *cli) clientUpdate() *cobra.Command {
	var f clientFlags
	cmd := c.withJSON(&cobra.Command{
		Use:   "update CLIENT",
		Short: "Change what is said, leave the rest; a list replaces the one before",
		Args:  takes("CLIENT"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.rooms(cmd.Context(), func(r *server.Rooms) error {
				x, err := r.Clients.Update(cmd.Context(), provider.ClientID(args[0]), admin.CLI, func(x *provider.Client) error {
					f.put(cmd, x)
					return nil
				})
				if err != nil {
					return err
				}
				return c.showClient(viewClient(x, secret.String{}))
			})
		},
	})
	f.on(cmd)
	return cmd
}

func (c *cli) clientRotate() *cobra.Command {
	var keep time.Duration
	cmd := c.withJSON(&cobra.Command{
		Use:   "rotate-secret CLIENT",
		Short: "Make a new secret, printed this once; the old one stays good for a while",
		Args:  takes("CLIENT"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.rooms(cmd.Context(), func(r *server.Rooms) error {
				key, err := r.Clients.RotateSecret(cmd.Context(), provider.ClientID(args[0]), keep, admin.CLI)
				if err != nil {
					return err
				}
				return c.fields(map[string]string{"client_id": args[0], "client_secret": key.Reveal()},
					"client_id", args[0], "client_secret", key.Reveal())
			})
		},
	})
	cmd.Flags().DurationVar(&keep, "keep", 24*time.Hour, "how long the old secret stays good, like 1h; 0 ends it now")
	return cmd
}

type clientAct func(*provider.Clients, context.Context, provider.ClientID, string) error

func (c *cli) clientTurn(use, short, now string, do clientAct) *cobra.Command {
	return &cobra.Command{
		Use:   use + " CLIENT",
		Short: short,
		Args:  takes("CLIENT"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.rooms(cmd.Context(), func(r *server.Rooms) error {
				if err := do(r.Clients, cmd.Context(), provider.ClientID(args[0]), admin.CLI); err != nil {
					return err
				}
				c.say("%s %s.", args[0], now)
				return nil
			})
		},
	}
}
