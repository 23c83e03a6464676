package main

import (
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"idp/admin"
	"idp/internal/secret"
	"idp/server"
	"idp/token"
)

func (c *cli) template() *cobra.Command {
	return group(&cobra.Command{Use: "template", Short: "Say what tokens tell other services about people (JWT templates)"},
		c.templateCreate(), c.templateUpdate(), c.templateList(), c.templateShow(), c.templatePreview(), c.templatePresets(), c.templateDelete())
}

func (c *cli) templateCreate() *cobra.Command {
	var f templateFiles
	cmd := c.withJSON(&cobra.Command{
		Use:   "create",
		Short: "Make a template of a file or a preset",
		Long: `Make a template of a file or a preset.

The file is one JSON object; claims is all it needs beside a name:

  {"name": "billing", "claims": {"email": "{{user.primary_email_address}}", "plan": "{{user.public_metadata.plan || 'free'}}"},
   "lifetime": 300, "skew": 10, "audience": ["billing"], "algorithm": "ES256"}

A token is signed with the issuer's key, public at its JWKS, unless the template has a key of its own: a shared
secret or a private key (PEM, JWK) in the file of --signing-key-file. It is kept sealed and never printed again.`,
		Example: `  idp template create --preset supabase
  idp template create --preset postgrest --set role=app_user
  idp template create --preset supabase-legacy --name old-project --signing-key-file jwt.secret
  idp template create --file billing.json`,
		Args: takes(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			t, err := f.create(c)
			if err != nil {
				return err
			}
			return c.rooms(cmd.Context(), func(r *server.Rooms) error {
				made, err := r.JWTTemplates.Create(cmd.Context(), t, admin.CLI)
				if err != nil {
					return err
				}
				return c.keptTemplate(made, "is made")
			})
		},
	})
	f.on(cmd)
	cmd.Flags().StringVar(&f.preset, "preset", "", "the `preset` to make it of; idp template presets lists them")
	cmd.Flags().StringArrayVar(&f.set, "set", nil, "what the preset needs, `NAME=VALUE`; may be repeated")
	cmd.Flags().StringVar(&f.name, "name", "", "its `name`, if it is not the file's or preset's")
	return cmd
}

func (c *cli) templateUpdate() *cobra.Command {
	var f templateFiles
	cmd := c.withJSON(&cobra.Command{
		Use:   "update",
		Short: "Put a file in the place of the template that it names",
		Long: `Put a file in the place of the template that it names.

What the file leaves out gets its default. The key of its own stays if the file says "key", as show prints it; without
that, and without --signing-key-file, the issuer's key signs from now on. A file that says the version which
it was made from is refused if somebody was faster.`,
		Example: "  idp template show billing | jq '.lifetime = 600' | idp template update --file -",
		Args:    takes(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := must(cmd, "file"); err != nil {
				return err
			}
			t, err := f.read(c)
			if err != nil {
				return err
			}
			return c.rooms(cmd.Context(), func(r *server.Rooms) error {
				made, err := r.JWTTemplates.Replace(cmd.Context(), t.Name, t, admin.CLI)
				if err != nil {
					return err
				}
				return c.keptTemplate(made, "is changed")
			})
		},
	})
	f.on(cmd)
	return cmd
}

// keptTemplate prints a template that was written, or says that it is and what comes next.
func (c *cli) keptTemplate(t token.Template, how string) error {
	if c.json {
		return c.printJSON(t)
	}
	c.say("%s %s.", t.Name, how)
	c.note("To see what it says of somebody: idp template preview %s --user ann@example.com", t.Name)
	return nil
}

func (c *cli) templateList() *cobra.Command {
	return c.withJSON(&cobra.Command{
		Use:   "list",
		Short: "List templates",
		Args:  takes(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return c.rooms(cmd.Context(), func(r *server.Rooms) error {
				found, err := r.JWTTemplates.List(cmd.Context())
				if err != nil {
					return err
				}
				rows := [][]string{}
				for _, t := range found {
					key := map[bool]string{true: "issuer's", false: "its own"}[t.Key.None()]
					rows = append(rows, []string{t.Name, t.Preset, t.Algorithm, key, strconv.Itoa(int(t.Lifetime)) + " s", strings.Join(t.Audience, " ")})
				}
				if found == nil {
					found = []token.Template{}
				}
				return c.table(found, []string{"name", "preset", "algorithm", "key", "lifetime", "audience"}, rows)
			})
		},
	})
}

func (c *cli) templateShow() *cobra.Command {
	return c.withJSON(&cobra.Command{
		Use:   "show NAME",
		Short: "Print a template in JSON, without its key, as create and update read it",
		Args:  takes("NAME"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.rooms(cmd.Context(), func(r *server.Rooms) error {
				t, err := r.JWTTemplates.Get(cmd.Context(), args[0])
				if err != nil {
					return err
				}
				return c.printJSON(t)
			})
		},
	})
}

func (c *cli) templatePreview() *cobra.Command {
	var user string
	var take bool
	cmd := c.withJSON(&cobra.Command{
		Use:   "preview NAME",
		Short: "Print what a template says of a person, and how large the token gets",
		Long: `Print the claims that a template makes of a person, and how large the token gets.

With --token it prints the token and nothing else: it names no session, and whoever has it is that person to those
who believe it, until it expires. Each time, with --token or without, is in the audit trail.`,
		Example: `  idp template preview billing --user ann@example.com
  curl -H "Authorization: Bearer $(idp template preview billing --user ann@example.com --token)" https://api.example.com/me`,
		Args: takes("NAME"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := must(cmd, "user"); err != nil {
				return err
			}
			return c.rooms(cmd.Context(), func(r *server.Rooms) error {
				p, err := r.Users.Find(cmd.Context(), user)
				if err != nil {
					return err
				}
				if take {
					made, err := r.JWTTemplates.Token(cmd.Context(), args[0], p, admin.CLI)
					if err != nil {
						return err
					}
					return c.previewed(made, made.JWT)
				}
				t, err := r.JWTTemplates.Get(cmd.Context(), args[0])
				if err != nil {
					return err
				}
				made, err := r.JWTTemplates.Preview(cmd.Context(), t, token.Template{}, p, admin.CLI)
				if err != nil {
					return err
				}
				return c.previewed(made, secret.String{})
			})
		},
	})
	cmd.Flags().StringVar(&user, "user", "", "the `person`: id, email address or phone number")
	cmd.Flags().BoolVar(&take, "token", false, "print the token; whoever has it is that person")
	return cmd
}

// previewed prints what a template says; with jwt, that alone.
func (c *cli) previewed(made token.Preview, jwt secret.String) error {
	if c.json {
		all := map[string]any{"claims": made.Claims, "size": made.Size}
		if !jwt.Empty() {
			all["token"] = jwt.Reveal()
		}
		return c.printJSON(all)
	}
	c.note("%d bytes%s", made.Size.Bytes, sizeWarning(made.Size))
	if !jwt.Empty() {
		c.say("%s", jwt.Reveal())
		return nil
	}
	return c.printJSON(made.Claims)
}

// sizeWarning says who would refuse a token of that size.
func sizeWarning(s token.Size) string {
	switch {
	case s.Weight == token.TooHeavy:
		return ", and at most 8 KB are made: this person gets no token"
	case !s.InCookie:
		return ", more than fits into a cookie (3.5 KB): send it in the header Authorization; many servers take 8 KB of headers at most"
	case s.Weight == token.Heavy:
		return ", more than 2 KB: it travels with every request"
	}
	return ""
}

func (c *cli) templateDelete() *cobra.Command {
	return &cobra.Command{
		Use:   "delete NAME",
		Short: "Remove a template and its key",
		Args:  takes("NAME"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.rooms(cmd.Context(), func(r *server.Rooms) error {
				if err := r.JWTTemplates.Delete(cmd.Context(), args[0], admin.CLI); err != nil {
					return err
				}
				c.say("%s is deleted. Tokens that were made by it end as they were going to.", args[0])
				return nil
			})
		},
	}
}
