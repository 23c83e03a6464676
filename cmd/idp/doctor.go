package main

import (
	"cmp"
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"idp/admin"
	"idp/identity"
	"idp/server"
	"idp/token"
	"idp/token/doctor"
)

func (c *cli) doctor() *cobra.Command {
	var name, who string
	cmd := c.withJSON(&cobra.Command{
		Use:   "doctor TARGET",
		Short: "Say whether a backend will take the tokens of a JWT template, and what to paste there",
		Long: `Make a token from a JWT template, fetch discovery and keys from the issuer as the backend would,
verify the token by them and by the backend's own rules, and say what is wrong, what helps, and
what to paste at the backend. It exits with 1 if the backend would refuse the token, or let in
whom it should not. idp serve has to run. The token itself is not shown. With --user it is in the
audit trail whose it was.

Targets: ` + strings.Join(doctor.Targets(), ", "),
		Example:   "  idp doctor supabase --template supabase --user ann@example.com",
		Args:      takes("TARGET"),
		ValidArgs: doctor.Targets(),
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.rooms(cmd.Context(), func(r *server.Rooms) error {
				report, err := c.examine(cmd.Context(), r, args[0], name, who)
				if err != nil {
					return err
				}
				if err := c.sayFindings(report); err != nil {
					return err
				}
				if !report.OK() {
					return fmt.Errorf("tokens of %s will not do for %s: each failure above says why", cmp.Or(report.Template, "a template like that"), report.Title)
				}
				return nil
			})
		},
	})
	cmd.Flags().StringVar(&name, "template", "", "`name` of the template; without it the preset of that target is examined")
	cmd.Flags().StringVar(&who, "user", "", "id, email address or phone number of the `person` the token is for; without it, somebody made up")
	return cmd
}

func (c *cli) examine(ctx context.Context, r *server.Rooms, target, name, who string) (doctor.Report, error) {
	var template *token.Template
	if name != "" {
		t, err := r.TokenTemplates.Get(name)
		if err != nil {
			return doctor.Report{}, err
		}
		template = &t.Template
	}
	subject := doctor.Example(time.Now())
	if who != "" {
		p, err := r.Users.Find(ctx, who)
		if err != nil {
			return doctor.Report{}, err
		}
		if err := r.JWTTemplates.Looked(ctx, p, admin.CLI, map[string]string{"template": name, "doctor": target}); err != nil {
			return doctor.Report{}, err
		}
		subject = token.Subject{User: p.User}
		for _, h := range p.Holdings {
			switch {
			case h.Primary && h.Identifier.Kind == identity.Email:
				subject.Email = h
			case h.Primary && h.Identifier.Kind == identity.Phone:
				subject.Phone = h
			}
		}
	}
	d := &doctor.Doctor{Issuer: r.Config.Issuer, Outbound: r.Outbound, Preview: r.Minter.Preview, Now: time.Now}
	return d.Examine(ctx, target, template, subject)
}

// sayFindings prints a line for each finding, below it what to do, and at the end what to paste.
func (c *cli) sayFindings(r doctor.Report) error {
	if c.json {
		return c.printJSON(r)
	}
	for _, f := range r.Findings {
		c.say("%-8s %s: %s", f.Result, f.Check, printable(f.Says))
		if f.Do != "" {
			c.say("%-8s %s", "", printable(f.Do))
		}
	}
	if len(r.Claims) > 0 {
		c.say("\nThe claims: %s", printable(string(r.Claims)))
	}
	for _, s := range r.Snippets {
		c.say("\n%s:\n", s.Where)
		for line := range strings.SplitSeq(s.Text, "\n") {
			c.say("    %s", printable(line))
		}
	}
	if len(r.Source) > 0 {
		c.say("\nWhat %s wants is written at %s", r.Title, strings.Join(r.Source, " and "))
	}
	return nil
}
