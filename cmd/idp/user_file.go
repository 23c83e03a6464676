package main

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"idp/admin"
	"idp/identity"
	"idp/login"
	"idp/server"
)

// userView is a person as commands print them.
type userView struct {
	ID         identity.UserID  `json:"id"`
	Status     identity.Status  `json:"status"`
	Operator   bool             `json:"operator"`
	Emails     []emailView      `json:"emails"`
	Phones     []phoneView      `json:"phones,omitempty"`
	Factors    []factorView     `json:"factors"`
	Profile    identity.Profile `json:"profile"`
	Groups     []string         `json:"groups,omitempty"`
	Roles      []string         `json:"roles,omitempty"`
	ExternalID string           `json:"external_id,omitempty"`
	CreatedAt  time.Time        `json:"created_at"`
	UpdatedAt  time.Time        `json:"updated_at"`

	LastActiveAt time.Time `json:"last_active_at,omitzero"`

	PublicMetadata  json.RawMessage `json:"public_metadata,omitempty"`
	PrivateMetadata json.RawMessage `json:"private_metadata,omitempty"`
	OwnMetadata     json.RawMessage `json:"own_metadata,omitempty"`
}

// factorView is a factor without what proves it.
type factorView struct {
	Method     identity.Method `json:"method"`
	Name       string          `json:"name,omitempty"`
	CreatedAt  time.Time       `json:"created_at"`
	LastUsedAt time.Time       `json:"last_used_at,omitzero"`
}

type emailView struct {
	Address  string `json:"address"`
	Verified bool   `json:"verified"`
}

type phoneView struct {
	Number   string `json:"number"`
	Verified bool   `json:"verified"`
}

func viewUser(p login.Person) (v userView, row []string) {
	u := p.User
	v = userView{
		ID: u.ID, Status: u.Status, Operator: u.Operator, Emails: []emailView{}, Profile: u.Profile, Groups: u.Groups,
		Roles: u.Roles, ExternalID: u.ExternalID, CreatedAt: u.CreatedAt, UpdatedAt: u.UpdatedAt,
		PublicMetadata: u.Metadata.Public, PrivateMetadata: u.Metadata.Private, OwnMetadata: u.Metadata.Own,
	}
	v.Factors = []factorView{}
	for _, f := range p.Factors {
		if !f.Spent() {
			v.Factors = append(v.Factors, factorView{f.Method, f.Name, f.CreatedAt, f.LastUsedAt})
		}
	}
	for _, h := range p.Holdings {
		switch h.Identifier.Kind {
		case identity.Email:
			v.Emails = append(v.Emails, emailView{h.Identifier.Value, h.Verified()})
		case identity.Phone:
			v.Phones = append(v.Phones, phoneView{h.Identifier.Value, h.Verified()})
		}
	}
	return v, []string{string(u.ID), v.status(), reachable(p, identity.Email), u.Profile.Name, u.CreatedAt.Format(time.DateTime)}
}

func (v userView) status() string {
	if v.Operator {
		return string(v.Status) + ", operator"
	}
	return string(v.Status)
}

// reachable lists the addresses of a kind, for people.
func reachable(p login.Person, kind identity.Kind) string {
	var all []string
	for _, h := range p.Holdings {
		if h.Identifier.Kind != kind {
			continue
		}
		said := h.Identifier.Value
		if !h.Verified() {
			said += " (unverified)"
		}
		all = append(all, said)
	}
	return strings.Join(all, ", ")
}

func (c *cli) userShow() *cobra.Command {
	return c.withJSON(&cobra.Command{
		Use:   "show USER",
		Short: "Show what is on a person's file",
		Args:  takes("USER (id, email address or phone number)"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.rooms(cmd.Context(), func(r *server.Rooms) error {
				p, err := r.Users.Find(cmd.Context(), args[0])
				if err != nil {
					return err
				}
				return c.showUser(cmd.Context(), r, p)
			})
		},
	})
}

func (c *cli) showUser(ctx context.Context, r *server.Rooms, p login.Person) (err error) {
	v, _ := viewUser(p)
	if v.LastActiveAt, err = r.Users.Activity.LastActive(ctx, p.User.ID); err != nil {
		return err
	}
	seen := "never"
	if !v.LastActiveAt.IsZero() {
		seen = v.LastActiveAt.Format(time.RFC3339)
	}
	f, a := v.Profile, v.Profile.Address
	var methods []string
	codes := 0
	for _, f := range v.Factors {
		if f.Method == identity.BackupCode {
			codes++
			continue
		}
		said := string(f.Method)
		if f.Name != "" {
			said += " “" + f.Name + "”"
		}
		if !f.LastUsedAt.IsZero() {
			said += " (last used " + f.LastUsedAt.Format(time.DateOnly) + ")"
		}
		methods = append(methods, said)
	}
	if codes > 0 {
		methods = append(methods, fmt.Sprintf("%d backup codes", codes))
	}
	return c.fields(v, "id", string(v.ID), "status", v.status(), "email", reachable(p, identity.Email), "phone", reachable(p, identity.Phone),
		"groups", strings.Join(v.Groups, ", "), "roles", strings.Join(v.Roles, ", "), "signs in with", strings.Join(methods, ", "),
		"external id", v.ExternalID, "created", v.CreatedAt.Format(time.RFC3339), "updated", v.UpdatedAt.Format(time.RFC3339), "last active", seen,
		"name", f.Name, "given name", f.GivenName, "middle name", f.MiddleName, "family name", f.FamilyName, "nickname", f.Nickname,
		"preferred username", f.PreferredUsername, "profile", f.Page, "picture", f.Picture, "website", f.Website, "gender", f.Gender,
		"birthdate", f.Birthdate, "zoneinfo", f.Zoneinfo, "locale", f.Locale, "street", a.StreetAddress, "locality", a.Locality,
		"region", a.Region, "postal code", a.PostalCode, "country", a.Country, "address", a.Formatted,
		"public metadata", string(v.PublicMetadata), "private metadata", string(v.PrivateMetadata), "own metadata", string(v.OwnMetadata))
}

const maxProfile = 32 << 10 // bytes

func (c *cli) userUpdate() *cobra.Command {
	var to admin.Change
	var phone, profile string
	cmd := c.withJSON(&cobra.Command{
		Use:   "update USER",
		Short: "Change a person's profile, phone number, groups and roles",
		Long: `Change a person's profile, phone number, groups and roles. What is not named stays.

The file of --profile ("-" reads standard input) is one JSON object of standard claims; an
empty text takes a claim off:

  {"name": "Ann Arbor", "given_name": "Ann", "birthdate": "1990-01-31",
   "website": "https://ann.example", "zoneinfo": "Europe/Berlin", "locale": "en-NZ",
   "address": {"street_address": "1 Main St", "locality": "Town", "country": "NZ"}}

Apps read the new claims when they next refresh a token or ask for userinfo.`,
		Example: "  idp user update ann@example.com --group staff --remove-group interns --role editor",
		Args:    takes("USER (id, email address or phone number)"),
		RunE: func(cmd *cobra.Command, args []string) error {
			flags := cmd.Flags()
			if flags.Changed("phone") {
				to.Phone = &phone
			} else if to.PhoneVerified {
				return usageError("--phone-verified goes with --phone")
			}
			if profile != "" {
				from, closeIt, err := c.open(profile)
				if err != nil {
					return err
				}
				defer closeIt()
				if to.Profile, err = readLimited(from, maxProfile); err != nil {
					return err
				}
				if len(to.Profile) == 0 {
					return usageError("--profile names an empty file")
				}
			}
			if to.Phone == nil && len(to.Profile)+len(to.Groups)+len(to.Roles)+len(to.LeaveGroups)+len(to.LeaveRoles) == 0 {
				return usageError("nothing to change was named")
			}
			return c.rooms(cmd.Context(), func(r *server.Rooms) error {
				p, err := r.Users.Find(cmd.Context(), args[0])
				if err != nil {
					return err
				}
				if _, err := r.Users.Update(cmd.Context(), p.User.ID, to, admin.CLI); err != nil {
					return err
				}
				if p, err = r.Users.Find(cmd.Context(), string(p.User.ID)); err != nil {
					return err
				}
				return c.showUser(cmd.Context(), r, p)
			})
		},
	})
	cmd.Flags().StringVar(&profile, "profile", "", "JSON `file` of standard claims")
	cmd.Flags().StringVar(&phone, "phone", "", "the phone `number`, with its country code; \"\" takes it off")
	cmd.Flags().BoolVar(&to.PhoneVerified, "phone-verified", false, "vouch that the phone number is theirs")
	cmd.Flags().StringArrayVar(&to.Groups, "group", nil, "a `group` to belong to; may be repeated")
	cmd.Flags().StringArrayVar(&to.Roles, "role", nil, "a `role` to have; may be repeated")
	cmd.Flags().StringArrayVar(&to.LeaveGroups, "remove-group", nil, "a `group` to belong to no longer; may be repeated")
	cmd.Flags().StringArrayVar(&to.LeaveRoles, "remove-role", nil, "a `role` to lose; may be repeated")
	return cmd
}
