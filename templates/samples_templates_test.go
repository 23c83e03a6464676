package templates_test

import (
	"time"

	"idp/templates"
)

// jwtTemplate is an operator's form about a JWT template, with changes.
func jwtTemplate(changes m) m {
	all := m{
		"New": false, "Session": false, "Name": "hasura", "Preset": "hasura", "Maker": "Hasura 2", "Help": "Everything in the namespace is text.", "Source": "https://hasura.io/docs/2.0/auth/authentication/jwt/",
		"Claims": "{\n  \"role\": \"</textarea><b>{{user.roles}}\"\n}", "Rows": 8, "Lifetime": "60", "Skew": "10", "Audience": "hasura", "Algorithm": "HS256", "Algorithms": []string{"ES256", "RS256", "HS256"},
		"Key": "keep", "HasKey": true, "KeyID": "main", "KeySet": time.Date(2026, 11, 1, 9, 0, 0, 0, time.UTC), "NewKeyID": "", "Version": 3,
		"Issuer": "https://id.example", "JWKS": "https://id.example/.well-known/jwks.json",
		"Shortcodes": []m{{"Name": "user.roles", "Type": "list", "Says": "what they may do", "Theirs": false, "Members": false}, {"Name": "user.own_metadata", "Type": "object", "Says": "what the person writes", "Theirs": true, "Members": true}},
		"Using":      []m{{"ID": "client_1", "Name": "Acme"}, {"ID": "client_2", "Name": "Mobile"}}, "Mistake": nil, "Who": "ann@acme.example", "Previewing": false, "Preview": nil,
		"Saved": false, "Made": false, "Warn": 2048, "Cookie": 3584, "Most": 8192,
	}
	for k, v := range changes {
		all[k] = v
	}
	return all
}

// jwtTemplates are the pages about JWT templates.
func jwtTemplates() []drawing {
	return []drawing{
		{"operator_templates", templates.Frame{Data: m{"Deleted": true, "Issuer": "https://id.example", "Templates": []m{
			{"Name": "hasura", "Preset": "Hasura 2", "Algorithm": "ES256", "Lifetime": 60, "Audience": "hasura, <b>", "Own": false, "Session": false},
			{"Name": "session", "Preset": "", "Algorithm": "ES256", "Lifetime": 60, "Audience": "", "Own": true, "Session": true}}}}},
		{"operator_templates", templates.Frame{Data: m{"Deleted": false, "Issuer": "https://id.example", "Templates": []m{}}}},
		{"operator_template_choose", templates.Frame{Data: m{"Session": false, "Of": m{"Name": ""}, "Presets": []m{{"Name": "hasura", "Title": "Hasura 2", "Secret": false}, {"Name": "firebase", "Title": "Firebase", "Secret": true}}}}},
		{"operator_template_choose", templates.Frame{Data: m{"Session": true, "Of": m{"Name": ""}, "Presets": []m{}}}},
		{"operator_template_choose", templates.Frame{Trouble: &templates.Trouble{Problem: "x", Text: "It needs a service account.", Field: "service_account"}, Data: m{"Session": false, "Of": m{"Name": "firebase", "Title": "Firebase", "Says": "It lives for an hour."}, "Presets": []m{}, "Needs": []m{{"Name": "service_account", "Says": "client_email of the account", "Example": "a@b.example", "Value": ""}}}}},
		{"operator_template", templates.Frame{Data: jwtTemplate(nil)}},
		{"operator_template", templates.Frame{Data: jwtTemplate(m{"New": true, "Session": true, "Name": "session", "Maker": "", "Help": "", "Using": []m{}})}},
		{"operator_template", templates.Frame{Trouble: &templates.Trouble{Problem: "x", Text: "Line 2, column 11: there is no user.rolls.", Field: "claims"}, Data: jwtTemplate(m{"New": true, "HasKey": false, "Key": "new", "Mistake": m{"Line": 2, "Column": 11, "Text": "  \"role\": \"{{user.rolls}}\"", "Before": "          "}})}},
		{"operator_template", templates.Frame{Trouble: &templates.Trouble{Problem: "x", Text: "This secret has 31 bytes.", Field: "signing_key"}, Data: jwtTemplate(m{"Key": "new", "Made": true, "Previewing": true})}},
		{"operator_template", templates.Frame{Trouble: &templates.Trouble{Problem: "x", Text: "Bring the key.", Field: "signing_key"}, Data: jwtTemplate(m{"Key": "issuer", "Saved": true})}},
		{"operator_template", templates.Frame{Trouble: &templates.Trouble{Problem: "x", Text: "There is nobody.", Field: "who"}, Data: jwtTemplate(m{"Previewing": true})}},
		{"operator_template", templates.Frame{Data: jwtTemplate(m{"Previewing": true, "Preview": m{"Name": "Ann <Lee>", "Claims": "{\n  \"role\": \"<b>\"\n}", "Bytes": 700, "Weight": "light", "InCookie": true}})}},
		{"operator_template", templates.Frame{Data: jwtTemplate(m{"Preview": m{"Name": "Ann", "Claims": "{}", "Bytes": 2100, "Weight": "heavy", "InCookie": true}})}},
		{"operator_template", templates.Frame{Data: jwtTemplate(m{"Preview": m{"Name": "Ann", "Claims": "{}", "Bytes": 5000, "Weight": "heavy", "InCookie": false}})}},
		{"operator_template", templates.Frame{Data: jwtTemplate(m{"Preview": m{"Name": "Ann", "Claims": "{}", "Bytes": 9000, "Weight": "too_heavy", "InCookie": false}})}},
	}
}
