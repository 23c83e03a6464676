package token

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"idp/identity"
)

// vocabulary is everything a shortcode can name. The names are public and for ever.
var vocabulary = slices.Concat([]fact{
	{"user.id", text, system, "the person's id, what sub holds", textOf(func(f *facts) string { return string(f.User.ID) })},
	{"user.external_id", text, system, "their id in the system they came from", textOf(func(f *facts) string { return f.User.ExternalID })},
	{"user.primary_email_address", text, person, "their main email address", textOf(func(f *facts) string { return f.Email.Identifier.Value })},
	{"user.email_verified", flag, system, "whether somebody proved that they receive mail there", yes(func(f *facts) bool { return f.Email.Verified() })},
	{"user.primary_phone_number", text, person, "their main phone number, like +15550100", textOf(func(f *facts) string { return f.Phone.Identifier.Value })},
	{"user.phone_verified", flag, system, "whether somebody proved that they receive messages there", yes(func(f *facts) bool { return f.Phone.Verified() })},
	{"user.full_name", text, person, "their name, otherwise first and last name", textOf(fullName)},
	{"user.first_name", text, person, "the same as user.given_name", profile(func(p identity.Profile) string { return p.GivenName })},
	{"user.last_name", text, person, "the same as user.family_name", profile(func(p identity.Profile) string { return p.FamilyName })},
	{"user.username", text, person, "the same as user.preferred_username", profile(func(p identity.Profile) string { return p.PreferredUsername })},
	{"user.name", text, person, "profile claim", profile(func(p identity.Profile) string { return p.Name })},
	{"user.given_name", text, person, "profile claim", profile(func(p identity.Profile) string { return p.GivenName })},
	{"user.family_name", text, person, "profile claim", profile(func(p identity.Profile) string { return p.FamilyName })},
	{"user.middle_name", text, person, "profile claim", profile(func(p identity.Profile) string { return p.MiddleName })},
	{"user.nickname", text, person, "profile claim", profile(func(p identity.Profile) string { return p.Nickname })},
	{"user.preferred_username", text, person, "profile claim", profile(func(p identity.Profile) string { return p.PreferredUsername })},
	{"user.profile", text, person, "profile claim: a page about them", profile(func(p identity.Profile) string { return p.Page })},
	{"user.picture", text, person, "profile claim: URL of their picture", profile(func(p identity.Profile) string { return p.Picture })},
	{"user.website", text, person, "profile claim", profile(func(p identity.Profile) string { return p.Website })},
	{"user.gender", text, person, "profile claim", profile(func(p identity.Profile) string { return p.Gender })},
	{"user.birthdate", text, person, "profile claim", profile(func(p identity.Profile) string { return p.Birthdate })},
	{"user.zoneinfo", text, person, "profile claim: time zone", profile(func(p identity.Profile) string { return p.Zoneinfo })},
	{"user.locale", text, person, "profile claim: language", profile(func(p identity.Profile) string { return p.Locale })},
	{"user.address", members, person, "profile claim: postal address", postal},
	{"user.groups", texts, system, "what they belong to", names(func(f *facts) []string { return f.User.Groups })},
	{"user.roles", texts, system, "what they may do", names(func(f *facts) []string { return f.User.Roles })},
	{"user.created_at", seconds, system, "when the account came about, in Unix seconds", instant(func(f *facts) time.Time { return f.User.CreatedAt })},
	{"user.updated_at", seconds, system, "when what apps may read of them last changed", instant(func(f *facts) time.Time { return f.User.UpdatedAt })},
	{"session.id", text, system, "the session, what sid holds; null where an application asks", textOf(func(f *facts) string { return string(f.Session.ID) })},
	{"session.auth_time", seconds, system, "when they last proved who they are", instant(func(f *facts) time.Time { return f.Session.AuthTime })},
	{"session.created_at", seconds, system, "when they signed in", instant(func(f *facts) time.Time { return f.Session.CreatedAt })},
	{"session.expires_at", seconds, system, "when the session ends, however active", instant(func(f *facts) time.Time { return f.Session.ExpiresAt })},
	{"session.amr", texts, system, "how they proved it (RFC 8176)", signedIn(func(f *facts) any { return identity.AMR(f.Session.Proofs) })},
	{"session.acr", text, system, "how well: aal1, aal2 or phr", signedIn(func(f *facts) any { return identity.ACR(f.Session.Proofs) })},
}, namespaces[:])

// namespaces are the facts whose members can be named too. They are a person's metadata.
var namespaces = [...]fact{
	{"user.public_metadata", members, system, "what operators keep and everybody may read; any path inside", metadata(func(m identity.Metadata) json.RawMessage { return m.Public })},
	{"user.private_metadata", members, system, "what operators keep to themselves; any path inside", metadata(func(m identity.Metadata) json.RawMessage { return m.Private })},
	{"user.own_metadata", members, person, "what the person writes; any path inside", metadata(func(m identity.Metadata) json.RawMessage { return m.Own })},
}

// elsewhere are names that other products use, and what they are here.
var elsewhere = map[string]string{
	"user.sub": "user.id", "user.user_id": "user.id", "user.email": "user.primary_email_address", "user.primary_email": "user.primary_email_address",
	"user.email_address": "user.primary_email_address", "user.phone": "user.primary_phone_number", "user.phone_number": "user.primary_phone_number",
	"user.phone_number_verified": "user.phone_verified", "user.image_url": "user.picture", "user.avatar_url": "user.picture", "user.image": "user.picture",
	"user.unsafe_metadata": "user.own_metadata", "user.user_metadata": "user.own_metadata", "user.app_metadata": "user.public_metadata",
	"user.metadata": "user.public_metadata", "user.role": "user.roles", "user.group": "user.groups", "session.sid": "session.id", "user.timezone": "user.zoneinfo",
}

// Shortcode is a name that templates can use.
type Shortcode struct {
	Name    string `json:"name"`
	Type    string `json:"type"`    // of the claim: text, number, list, object, true or false
	Says    string `json:"says"`    // what it tells
	Theirs  bool   `json:"theirs"`  // the person can change it: nothing to decide by
	Members bool   `json:"members"` // paths inside can be named
}

// Shortcodes returns all of them, in the order to show them in.
func Shortcodes() []Shortcode {
	var list []Shortcode
	for _, f := range vocabulary {
		list = append(list, Shortcode{f.name, string(f.kind), f.says, f.by == person, namespace(f.name)})
	}
	return list
}

func namespace(name string) bool {
	return slices.ContainsFunc(namespaces[:], func(f fact) bool { return f.name == name })
}

func fullName(f *facts) string {
	p := f.User.Profile
	if p.Name != "" {
		return p.Name
	}
	return strings.TrimSpace(p.GivenName + " " + p.FamilyName)
}

// find returns what a path names, or says why it names nothing.
func find(path string) (f *fact, rest []string, says string) {
	steps := strings.Split(path, ".")
	if slices.Contains(steps, "") {
		return nil, nil, fmt.Sprintf("%s is no path: names are joined by single dots.", path)
	}
	if steps[0] == "org" || steps[0] == "organization" {
		return nil, nil, fmt.Sprintf("%s is not known: there are no organizations here yet.", path)
	}
	for i := range vocabulary {
		f := &vocabulary[i]
		if f.name == path {
			return f, nil, ""
		}
		if inner, ok := strings.CutPrefix(path, f.name+"."); ok && namespace(f.name) {
			within := *f
			within.kind = any_
			return &within, strings.Split(inner, "."), ""
		}
	}
	if near := nearest(path); near != "" {
		return nil, nil, fmt.Sprintf("%s is not known. Did you mean %s?", path, near)
	}
	return nil, nil, path + " is not known."
}

func nearest(path string) string {
	lower := strings.ToLower(path)
	for from, to := range elsewhere {
		if lower == from {
			return to
		}
		if inner, ok := strings.CutPrefix(lower, from+"."); ok && strings.HasSuffix(to, "metadata") {
			return to + "." + inner
		}
	}
	best, distance := "", len(path)/4+2
	for _, f := range vocabulary {
		if d := edits(lower, f.name); d < distance {
			best, distance = f.name, d
		}
	}
	return best
}

// edits is how many characters have to be put in, taken out or changed.
func edits(a, b string) int {
	if len(a) > maxName {
		return len(a)
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		corner := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := corner
			if a[i] != b[j] {
				cost = min(corner, row[j], row[j+1]) + 1
			}
			corner, row[j+1] = row[j+1], cost
		}
	}
	return row[len(b)]
}
