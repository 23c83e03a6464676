package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"idp/admin"
	"idp/identity"
	"idp/internal/secret"
	"idp/server"
)

func (c *cli) user() *cobra.Command {
	return group(&cobra.Command{Use: "user", Short: "Make, find, change, ban, delete, import and invite people"},
		c.userCreate(), c.userList(), c.userShow(), c.userUpdate(), c.userMetadata(), c.userBan(), c.userUnban(), c.userUnlock(), c.userResetFactors(), c.userUnlink(), c.userDelete(), c.userImport(), c.userInvite())
}

func (c *cli) userCreate() *cobra.Command {
	var n admin.NewUser
	var stdin bool
	cmd := c.withJSON(&cobra.Command{
		Use:     "create",
		Short:   "Make a person",
		Example: "  printf %s \"$PASSWORD\" | idp user create --email ann@example.com --password-stdin --verified",
		Args:    takes(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := must(cmd, "email"); err != nil {
				return err
			}
			if stdin {
				text, err := readLimited(c.in, 4*secret.MaxPassword)
				if err != nil {
					return err
				}
				n.Password = secret.NewString(strings.TrimSuffix(strings.TrimSuffix(string(text), "\n"), "\r"))
				if n.Password.Empty() {
					return usageError("--password-stdin was given, but standard input is empty")
				}
			}
			return c.rooms(cmd.Context(), func(r *server.Rooms) error {
				u, err := r.Users.Create(cmd.Context(), n, admin.CLI)
				if err != nil {
					return err
				}
				if !n.Verified {
					c.note("The address is not verified: at the first sign-in a code is mailed to it. With --verified you vouch for it.")
				}
				return c.fields(map[string]any{"id": u.ID}, "id", string(u.ID))
			})
		},
	})
	cmd.Flags().StringVar(&n.Email, "email", "", "email `address`")
	cmd.Flags().StringVar(&n.Name, "name", "", "full `name`")
	cmd.Flags().BoolVar(&stdin, "password-stdin", false, "read the password from standard input; without it the person signs in by mail")
	cmd.Flags().StringVar(&n.Phone, "phone", "", "phone `number` with its country code, like \"+44 20 7946 0018\"")
	cmd.Flags().BoolVar(&n.PhoneVerified, "phone-verified", false, "vouch that the phone number is theirs")
	cmd.Flags().BoolVar(&n.Verified, "verified", false, "vouch that the address is theirs")
	return cmd
}

func (c *cli) userBan() *cobra.Command {
	return &cobra.Command{
		Use:   "ban USER",
		Short: "Shut a person out: sessions and everything issued to apps end at once",
		Args:  takes("USER (id, email address or phone number)"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.turn(cmd.Context(), args[0], "is banned", (*admin.Users).Ban)
		},
	}
}

func (c *cli) userUnban() *cobra.Command {
	return &cobra.Command{
		Use:   "unban USER",
		Short: "Let a person in again",
		Args:  takes("USER (id, email address or phone number)"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.turn(cmd.Context(), args[0], "may sign in again", (*admin.Users).Unban)
		},
	}
}

func (c *cli) userDelete() *cobra.Command {
	var sure bool
	cmd := &cobra.Command{
		Use:   "delete USER",
		Short: "Take a person off file for ever, with all that is theirs",
		Long: `Take a person off file for ever: profile, addresses, factors and sessions go, and everything
issued to apps ends. Apps with a back-channel logout URI are told, and so is the person, by
mail. Only the audit trail still has their id. Whom you only want to shut out, ban.`,
		Args: takes("USER (id, email address or phone number)"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if !sure {
				return usageError("this cannot be taken back: say --yes if you mean it")
			}
			return c.turn(cmd.Context(), args[0], "is deleted", (*admin.Users).Delete)
		},
	}
	cmd.Flags().BoolVar(&sure, "yes", false, "you mean it")
	return cmd
}

func (c *cli) userUnlock() *cobra.Command {
	return &cobra.Command{
		Use:   "unlock USER",
		Short: "Let a person try again whom wrong answers locked out",
		Args:  takes("USER (id, email address or phone number)"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.turn(cmd.Context(), args[0], "can try again", (*admin.Users).Unlock)
		},
	}
}

func (c *cli) userResetFactors() *cobra.Command {
	return &cobra.Command{
		Use:   "reset-factors USER",
		Short: "Take passkeys, second factors and backup codes off the file of somebody who lost them",
		Long: `Take passkeys, second factors and backup codes off the file of somebody who lost all of them. Make
sure that it is really them who asks. The password stays. Sessions and everything issued to apps end, no browser
is trusted any more, the person is told by mail, and the act is in the audit trail.`,
		Args: takes("USER (id, email address or phone number)"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.turn(cmd.Context(), args[0], "has no second factor any more, and is told by mail", (*admin.Users).ResetFactors)
		},
	}
}

func (c *cli) turn(ctx context.Context, who, now string, do func(*admin.Users, context.Context, identity.UserID, string) error) error {
	return c.rooms(ctx, func(r *server.Rooms) error {
		p, err := r.Users.Find(ctx, who)
		if err != nil {
			return err
		}
		if err := do(r.Users, ctx, p.User.ID, admin.CLI); err != nil {
			return err
		}
		c.say("%s %s.", p.User.ID, now)
		return nil
	})
}

func (c *cli) userImport() *cobra.Command {
	return c.withJSON(&cobra.Command{
		Use:   "import FILE",
		Short: "Make people of JSON lines, with their password hashes",
		Long: `Make people of a file with one JSON object per line ("-" reads standard input):

  {"email": "ann@example.com", "email_verified": true,
   "phone": "+442079460018", "phone_verified": true,
   "password_hash": "$2b$12$…", "external_id": "17",
   "profile": {"name": "Ann", "birthdate": "1990-01-31", "address": {"country": "NZ"}},
   "groups": ["staff"], "roles": ["editor"], "banned": false,
   "public_metadata": {"plan": "pro"}, "private_metadata": {"crm": 17}, "own_metadata": {"theme": "dark"},
   "created_at": "2020-01-01T00:00:00Z"}

Only email must be there. profile holds the standard claims of OpenID Connect. At a person's next sign-in their hash is replaced by argon2id.
These spellings are known:

  $2a$ $2b$ $2y$                                   bcrypt, cost 10 to 14
  $argon2id$v=19$m=…,t=…,p=…$salt$hash             also argon2i, up to 128 MiB
  $scrypt$ln=…,r=…,p=…$salt$hash
  $fbscrypt$v=1,n=14,r=8,p=1,ss=…,sk=…$salt$hash   Firebase: n is mem_cost, r is rounds, ss is
                                                   base64_salt_separator, sk is base64_signer_key
  $pbkdf2-sha256$i=…$salt$hash                     also -sha1, -sha512, and passlib's
  pbkdf2_sha256$260000$salt$hash                   Django's

Lines that cannot be taken are named on standard error, the others are imported, and the
exit code is 1.`,
		Args: takes("FILE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			from, closeIt, err := c.open(args[0])
			if err != nil {
				return err
			}
			defer closeIt()
			return c.rooms(cmd.Context(), func(r *server.Rooms) error {
				tally, err := r.Users.Import(cmd.Context(), from, admin.CLI, func(e admin.LineError) {
					c.note("line %d: %s (%s)", e.Line, e.Detail, e.Code)
				})
				said := c.fields(tally, "imported", fmt.Sprint(tally.Imported), "refused", fmt.Sprint(tally.Refused))
				if err == nil && tally.Refused > 0 {
					err = fmt.Errorf("%d lines were not imported", tally.Refused)
				}
				return errors.Join(err, said)
			})
		},
	})
}

func (c *cli) open(name string) (io.Reader, func(), error) {
	if name == "-" {
		return c.in, func() {}, nil
	}
	f, err := os.Open(name) //nolint:gosec // the operator names the file
	if err != nil {
		return nil, nil, err
	}
	return f, func() { _ = f.Close() }, nil
}

func (c *cli) userInvite() *cobra.Command {
	return c.withJSON(&cobra.Command{
		Use:   "invite EMAIL",
		Short: "Mail a link that lets one address sign up, for seven days",
		Args:  takes("EMAIL"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.rooms(cmd.Context(), func(r *server.Rooms) error {
				i, err := r.Invitations.Invite(cmd.Context(), args[0], admin.CLI)
				if err != nil {
					return err
				}
				until := i.ExpiresAt.Format(time.RFC3339)
				return c.fields(map[string]any{"id": i.ID, "email": i.Address.Value, "expires_at": i.ExpiresAt},
					"id", i.ID, "email", i.Address.Value, "expires", until)
			})
		},
	})
}
