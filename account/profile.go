package account

import (
	"context"
	"encoding/json"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/language"

	"idp/event"
	"idp/identity"
	"idp/internal/problem"
)

// ProfileChange is what a person says anew of themselves. What is nil stays as it is, ""
// takes it off the file.
type ProfileChange struct {
	Name       *string `json:"name,omitempty"`
	GivenName  *string `json:"given_name,omitempty"`
	FamilyName *string `json:"family_name,omitempty"`
	Locale     *string `json:"locale,omitempty"`   // language tag (BCP 47)
	Zoneinfo   *string `json:"zoneinfo,omitempty"` // IANA time zone, like Pacific/Auckland

	OwnMetadata json.RawMessage `json:"own_metadata,omitempty"` // a patch (RFC 7396) of what the person's applications keep with them
}

const longestName = 200 // characters

// SaveProfile changes the profile and the own metadata of who acts, and returns them. Apps that
// may see it read the new one at their next refresh or look at userinfo.
func (a *Self) SaveProfile(ctx context.Context, by By, c ProfileChange) (identity.User, error) {
	var now identity.User
	err := a.InTx(ctx, func(ctx context.Context) error {
		p, err := a.person(ctx, by)
		if err != nil {
			return err
		}
		now = p.User
		if now.Profile, err = c.apply(p.User.Profile); err != nil {
			return err
		}
		if c.OwnMetadata != nil {
			if now.Metadata.Own, err = identity.MergeMetadata(identity.OwnMetadata, p.User.Metadata.Own, c.OwnMetadata); err != nil {
				return err
			}
		}
		var changed []string
		if string(now.Metadata.Own) != string(p.User.Metadata.Own) {
			changed = append(changed, identity.OwnMetadata)
		}
		if now.Profile != p.User.Profile {
			changed = append(changed, "profile")
		}
		if len(changed) == 0 {
			return nil
		}
		now.UpdatedAt = a.Now()
		if err := a.People.SaveUser(ctx, now); err != nil {
			return err
		}
		return a.tell(ctx, by, event.UserUpdated, map[string]string{"changed": strings.Join(changed, " ")})
	})
	return now, err
}

// apply returns the profile as changed.
func (c ProfileChange) apply(p identity.Profile) (identity.Profile, error) {
	for _, x := range []struct {
		field string
		to    *string
		into  *string
	}{{"name", c.Name, &p.Name}, {"given_name", c.GivenName, &p.GivenName}, {"family_name", c.FamilyName, &p.FamilyName}} {
		if x.to == nil {
			continue
		}
		name := strings.TrimSpace(*x.to)
		if utf8.RuneCountInString(name) > longestName || !utf8.ValidString(name) || strings.ContainsFunc(name, unicode.IsControl) {
			return p, problem.New(problem.Invalid, "name_invalid", "Enter a shorter name, in plain letters.").On(x.field)
		}
		*x.into = name
	}
	if c.Locale != nil {
		tag, err := languageTag(*c.Locale)
		if err != nil {
			return p, err
		}
		p.Locale = tag
	}
	if c.Zoneinfo != nil {
		if p.Zoneinfo = strings.TrimSpace(*c.Zoneinfo); !zone(p.Zoneinfo) {
			return p, problem.New(problem.Invalid, "zone_invalid", "Enter a time zone like Europe/Vienna, or leave it empty.").On("zoneinfo")
		}
	}
	return p, p.Check()
}

// languageTag returns the canonical spelling of a language tag, "" for none.
func languageTag(typed string) (string, error) {
	if typed = strings.TrimSpace(typed); typed == "" {
		return "", nil
	}
	tag, err := language.Parse(typed)
	if err != nil || len(typed) > 35 {
		return "", problem.New(problem.Invalid, "locale_invalid", "Enter a language like en or de-AT, or leave it empty.").On("locale")
	}
	return tag.String(), nil
}

// zone reports whether a text looks like the name of a time zone. Which ones there are
// changes every year, and differs between machines.
func zone(name string) bool {
	if name == "" || name == "UTC" {
		return true
	}
	area, place, ok := strings.Cut(name, "/")
	plain := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("_+-/", r)
	}
	return ok && area != "" && place != "" && len(name) <= 60 &&
		!strings.ContainsFunc(name, func(r rune) bool { return !plain(r) })
}
