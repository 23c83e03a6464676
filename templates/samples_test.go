package templates_test

import (
	"html/template"
	"time"

	"idp/templates"
)

type m = map[string]any

type party struct{ Name, Host, PolicyURI, TermsURI, LogoURI string }

// drawing is a page with data like that of the room that shows it.
type drawing struct {
	page  string
	frame templates.Frame
}

// sample returns the first drawing of a page.
func sample(page string) templates.Frame {
	for _, d := range samples() {
		if d.page == page {
			return d.frame
		}
	}
	panic("no sample of page " + page)
}

var makers = []m{
	{"Connection": "google", "Title": "Google", "Preset": "google"}, {"Connection": "github", "Title": "GitHub", "Preset": "github"},
	{"Connection": "microsoft", "Title": "Microsoft", "Preset": "microsoft"}, {"Connection": "acme", "Title": "Acme Corporation Single Sign-On", "Preset": ""},
	{"Connection": "apple", "Title": "Apple", "Preset": "apple"}, {"Connection": "gitlab", "Title": "GitLab", "Preset": "gitlab"},
	{"Connection": "discord", "Title": "Discord", "Preset": "discord"}, {"Connection": "slack", "Title": "Slack", "Preset": "slack"},
}

func elsewhere(n int, icons, bottom bool) m {
	return m{"Buttons": makers[:n], "Icons": icons, "Bottom": bottom}
}

// upstream is an operator's form about a connection, with changes.
func upstream(changes m) m {
	all := m{
		"Name": "google", "Shown": "Google", "Type": "oidc", "Preset": "google", "Title": "", "Disabled": false, "Hidden": false,
		"Issuer": "", "ClientID": "1234-abcd.apps.googleusercontent.com", "AuthorizationEndpoint": "", "TokenEndpoint": "", "UserinfoEndpoint": "", "KeepTokens": false,
		"MetadataURL": "", "Metadata": "", "EntityID": "", "EntryPoint": "", "Certificate": "", "IDPInitiated": false,
		"Enforce": false, "Trust": m{"Email": "", "MFA": false}, "Version": 3,
		"New": false, "Asked": "", "Known": m{"Name": "google", "Title": "Google", "Help": "Create an OAuth client of type Web application.", "Console": "https://console.cloud.google.com/auth/clients"},
		"Told":    []m{{"What": "callback", "URL": "https://id.northwind.example/federation/google/callback"}},
		"Choices": []m{{"Name": "domain", "Value": "", "Usual": "", "Needed": false}}, "ScopeList": "", "Lines": "", "ClaimList": "", "Trusts": []string{"", "never", "claim", "domains"},
		"Lengthy": false, "HasSecret": true, "Linked": 12, "Stranded": 0, "JSON": "{\n  \"name\": \"google\"\n}", "Saved": false, "Made": false, "Report": nil, "Refusals": []m{}, "Last": false,
	}
	for k, v := range changes {
		all[k] = v
	}
	return all
}

// upstreams are the pages about connections.
func upstreams() []drawing {
	company := m{"Type": "saml", "Preset": "", "Name": "acme", "Shown": "Acme Corporation", "Title": "Acme Corporation", "Known": m{"Name": "", "Title": "", "Help": "", "Console": ""}, "Choices": []m{}, "Trusts": []string{"", "never", "domains"},
		"MetadataURL": "https://login.acme.example/metadata", "Lines": "acme.example", "Enforce": true, "Disabled": true, "Stranded": 2, "Saved": true,
		"Refusals": []m{{"Detail": m{"why": "answers another request"}, "At": time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)}},
		"Report":   m{"OK": false, "Findings": []m{{"Result": "ok", "Says": "It answers.", "Do": ""}, {"Result": "warning", "Says": "It is disabled.", "Do": "Enable it."}, {"Result": "problem", "Says": "Its certificate has expired.", "Do": "Ask for a new one."}}},
		"Told":     []m{{"What": "metadata", "URL": "https://id.northwind.example/federation/acme/metadata"}, {"What": "acs", "URL": "https://id.northwind.example/federation/acme/acs"}}}
	return []drawing{
		{"operator_connections", templates.Frame{Data: m{"Deleted": true, "Connections": []m{
			{"Name": "acme", "Title": "Acme Corporation", "Preset": "", "Type": "saml", "Domains": "acme.example, acme.co.example", "Disabled": false, "Hidden": true, "Enforce": true, "Linked": 240},
			{"Name": "google", "Title": "Google", "Preset": "google", "Type": "oidc", "Domains": "", "Disabled": true, "Hidden": false, "Enforce": false, "Linked": 1}}}}},
		{"operator_connections", templates.Frame{Development: true, Data: m{"Deleted": false, "Connections": []m{}}}},
		{"operator_connection_choose", templates.Frame{Data: m{"Presets": []m{{"Name": "apple", "Title": "Apple", "Note": ""}, {"Name": "github", "Title": "GitHub", "Note": ""}, {"Name": "github_enterprise", "Title": "GitHub", "Note": "github enterprise"}}}}},
		{"operator_connection", templates.Frame{Data: upstream(nil)}},
		{"operator_connection", templates.Frame{Data: upstream(m{"New": true, "HasSecret": false, "Lengthy": true, "Choices": []m{{"Name": "team_id", "Value": "", "Usual": "", "Needed": true}, {"Name": "host", "Value": "", "Usual": "github.com", "Needed": false}}})}},
		{"operator_connection", templates.Frame{Trouble: &templates.Trouble{Problem: "x", Text: "Give the address.", Field: "metadata_url"}, Data: upstream(company)}},
		{"operator_connection", templates.Frame{Trouble: &templates.Trouble{Problem: "x", Text: "Take another name.", Field: "name"}, Data: upstream(m{"New": true, "Type": "oauth2", "Preset": "", "Name": "", "Asked": "A b", "Known": m{"Name": "", "Title": "", "Help": "", "Console": ""}, "Told": []m{}})}},
		{"operator_connection", templates.Frame{Trouble: &templates.Trouble{Problem: "x", Text: "Give the address.", Field: "token_endpoint"}, Data: upstream(m{"New": true, "Type": "oauth2", "Preset": "", "Known": m{"Name": "", "Title": "", "Help": "", "Console": ""}})}},
		{"operator_connection", templates.Frame{Trouble: &templates.Trouble{Problem: "x", Text: "Give the issuer.", Field: "issuer"}, Data: upstream(m{"New": true, "Preset": "", "Known": m{"Name": "", "Title": "", "Help": "", "Console": ""}})}},
	}
}

func samples() []drawing {
	now := time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)
	acme := &party{"Acme Analytics", "app.acme.example", "https://acme.example/p", "https://acme.example/t", "/oauth2/clients/client_1/logo"}
	rules := m{"MinLength": 8, "MinScore": 2, "MixedCase": true, "Digit": true, "Special": true}
	rec := []m{{"ID": "env", "Stack": "Environment", "File": ".env", "Text": "OIDC_ISSUER=http://localhost:8080\n"}, {"ID": "go", "Stack": "Go", "File": "auth.go", "Text": "x"}}
	return append(append(upstreams(), jwtTemplates()...), []drawing{
		{"sign_in", templates.Frame{Development: true, Data: m{"Party": acme, "Ask": "ask_1", "Return": "", "Attempt": "", "Identifier": "", "Typed": true, "Password": true, "Passkey": true, "ByCode": true, "SignUp": true, "Public": false, "Accounts": false, "SignedOut": false, "Asks": true, "Elsewhere": elsewhere(3, false, false)}}},
		{"sign_in", templates.Frame{Trouble: &templates.Trouble{Problem: "password_wrong", Text: "The email address and the password do not match.", Field: "password"}, Data: m{"Party": nil, "Ask": "", "Return": "https://app.example.com/?a=b&c=d", "Attempt": "a", "Identifier": "ann@acme.example", "Typed": true, "Password": true, "Passkey": true, "ByCode": true, "SignUp": true, "Public": false, "Accounts": true, "SignedOut": false, "Asks": true, "Elsewhere": elsewhere(0, false, false)}}},
		{"sign_in", templates.Frame{Data: m{"Party": nil, "Ask": "", "Return": "https://app.example.com/?a=b&c=d", "Attempt": "", "Identifier": "", "Typed": true, "Password": false, "Passkey": false, "ByCode": true, "SignUp": true, "Public": false, "Accounts": false, "SignedOut": true, "Asks": false, "Elsewhere": elsewhere(8, true, true)}}},
		{"password", templates.Frame{Data: m{"Party": acme, "Attempt": "a", "Identifier": "ann@acme.example", "Change": "#", "Others": true, "Forgot": true, "Asks": true}}},
		{"code", templates.Frame{Data: m{"Party": acme, "Attempt": "a", "Method": "email_code", "Target": "a•••@acme.example", "Reset": false, "Sent": true, "Mailed": true, "ByCode": true, "ByLink": true, "Second": false, "Phone": false, "Backup": false, "Others": true, "Wait": 27, "TrustDays": 30, "Trust": true, "Upstream": ""}}},
		{"code", templates.Frame{Data: m{"Party": acme, "Attempt": "a", "Method": "email_code", "Target": "a•••@acme.example", "Reset": false, "Sent": true, "Mailed": true, "ByCode": true, "ByLink": true, "Second": false, "Phone": false, "Backup": false, "Others": true, "Wait": 27, "TrustDays": 30, "Trust": true, "Upstream": "GitHub"}}},
		{"code", templates.Frame{Trouble: &templates.Trouble{Problem: "code_wrong", Text: "That code is not right.", Field: "answer"}, Data: m{"Party": nil, "Attempt": "a", "Method": "email_code", "Target": "a•••@acme.example", "Reset": true, "Sent": true, "Mailed": true, "ByCode": true, "ByLink": false, "Second": false, "Phone": false, "Backup": false, "Others": false, "Wait": 0, "TrustDays": 0, "Trust": false, "Upstream": ""}}},
		{"code", templates.Frame{Data: m{"Party": acme, "Attempt": "a", "Method": "totp", "Target": "", "Reset": false, "Sent": false, "Mailed": false, "ByCode": true, "ByLink": false, "Second": true, "Phone": false, "Backup": false, "Others": true, "Wait": 0, "TrustDays": 30, "Trust": false, "Upstream": ""}}},
		{"code", templates.Frame{Trouble: &templates.Trouble{Problem: "backup_code_wrong", Text: "That backup code is not right, or it was used already.", Field: "answer"}, Data: m{"Party": nil, "Attempt": "a", "Method": "backup_code", "Target": "", "Reset": false, "Sent": false, "Mailed": false, "ByCode": true, "ByLink": false, "Second": true, "Phone": false, "Backup": true, "Others": true, "Wait": 0, "TrustDays": 0, "Trust": false, "Upstream": ""}}},
		{"enroll", templates.Frame{Data: m{"Party": acme, "Attempt": "a", "Required": true, "Methods": []string{"passkey", "totp", "security_key", "phone_code"}}}},
		{"enroll", templates.Frame{Data: m{"Party": nil, "Attempt": "a", "Required": false, "Methods": []string{"totp"}}}},
		{"enroll_totp", templates.Frame{Trouble: &templates.Trouble{Problem: "totp_wrong", Text: "That code is not right. Each one works once: if you just used it, wait for the next.", Field: "answer"}, Data: m{"Party": nil, "Attempt": "a", "Square": m{"Side": 29, "Path": "M4 4.5h7M12 4.5h3"}, "Link": template.URL("otpauth://totp/Northwind:ann%40acme.example?secret=JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP&issuer=Northwind"), "Groups": []string{"JBSW", "Y3DP", "EHPK", "3PXP", "JBSW", "Y3DP", "EHPK", "3PXP"}, "Others": true}}},
		{"key", templates.Frame{Data: m{"Party": acme, "Attempt": "a", "Method": "passkey", "Second": false, "Others": true, "TrustDays": 0, "Trust": false}}},
		{"key", templates.Frame{Trouble: &templates.Trouble{Problem: "key_foreign", Text: "That is not on this account. Please use another one."}, Data: m{"Party": nil, "Attempt": "a", "Method": "security_key", "Second": true, "Others": false, "TrustDays": 30, "Trust": true}}},
		{"enroll_key", templates.Frame{Data: m{"Party": nil, "Attempt": "a", "Method": "passkey", "Others": true}}},
		{"enroll_key", templates.Frame{Trouble: &templates.Trouble{Problem: "key_taken", Text: "That is set up already. Please use another one."}, Data: m{"Party": acme, "Attempt": "a", "Method": "security_key", "Others": false}}},
		{"account_security", templates.Frame{Data: m{"Elsewhere": m{"Accounts": []m{{"ID": "f5", "Connection": "google", "Title": "Google", "Preset": "google", "Label": "ann@acme.example", "Since": now.AddDate(0, -1, 0), "Used": now.Add(-3 * time.Hour), "Closed": false, "Confirms": []string{"ann@acme.example"}}, {"ID": "f6", "Connection": "acme", "Title": "Acme", "Preset": "", "Label": "", "Since": now, "Used": time.Time{}, "Closed": true, "Confirms": nil}}, "Add": []m{{"Connection": "github", "Title": "GitHub", "Preset": "github"}}}, "Signal": m{"RPID": "id.example.com", "Handle": "aGFuZGxl", "IDs": []string{"aWQx", "aWQy"}, "Name": "ann@acme.example", "Call": "Ann Lee"}, "Operator": false, "Passwords": true, "Password": now.AddDate(0, -2, 0), "TwoStep": true, "Must": false, "Left": 9, "Backup": true, "Now": now, "Done": "security.done_renamed",
			"Keys":    []m{{"ID": "f1", "Method": "passkey", "Name": "Work laptop", "Number": "", "Since": now.AddDate(0, -1, 0), "Used": now.Add(-3 * time.Hour)}, {"ID": "f2", "Method": "security_key", "Name": "", "Number": "", "Since": now.AddDate(0, 0, -9), "Used": time.Time{}}},
			"Steps":   []m{{"ID": "f3", "Method": "totp", "Name": "", "Number": "", "Since": now.AddDate(0, -1, 0), "Used": now.Add(-50 * time.Hour)}, {"ID": "f4", "Method": "phone_code", "Name": "", "Number": "+442079460018", "Since": now.AddDate(0, -1, 0), "Used": time.Time{}}},
			"AddKeys": []m{{"Method": "passkey", "Words": "security.add_passkey"}, {"Method": "security_key", "Words": "security.add_security_key"}}, "AddSteps": []m{{"Method": "totp", "Words": "security.replace_totp"}, {"Method": "phone_code", "Words": "security.add_phone_code"}},
			"Trusted": []m{{"ID": "t1", "This": true, "Device": "Firefox · Linux", "Since": now, "Seen": now, "Expires": now.AddDate(0, 0, 30)}}}}},
		{"account_security", templates.Frame{Trouble: &templates.Trouble{Problem: "factor_last", Text: "Here everybody needs two-step verification, and this is all you have for it. Set up something else first, then remove this."}, Data: m{"Elsewhere": m{"Accounts": []m{}, "Add": []m{}}, "Signal": nil, "Operator": true, "Passwords": true, "Password": time.Time{}, "TwoStep": false, "Must": true, "Left": 0, "Backup": false, "Now": now, "Done": "",
			"Keys": []m{}, "Steps": []m{}, "AddKeys": []m{{"Method": "passkey", "Words": "security.add_passkey"}}, "AddSteps": []m{{"Method": "totp", "Words": "security.add_totp"}}, "Trusted": []m{}}}},
		{"account_merge", templates.Frame{Data: m{"Operator": false, "Connection": "google", "Title": "Google", "Into": m{"Session": "session_1", "Name": "Ann Lee", "Address": "ann@acme.example"}, "From": nil}}},
		{"account_merge", templates.Frame{Data: m{"Operator": false, "Connection": "google", "Title": "Google", "Into": m{"Session": "session_1", "Name": "Ann Lee", "Address": "ann@acme.example"}, "IntoRecent": true,
			"From": m{"Session": "session_2", "Name": "ann.lee@gmail.example", "Address": "ann.lee@gmail.example"}, "FromRecent": false, "Factor": "factor_1", "Label": "ann.lee@gmail.example", "Apps": []m{}}}},
		{"account_merge", templates.Frame{Data: m{"Operator": false, "Connection": "google", "Title": "Google", "Into": m{"Session": "session_1", "Name": "Ann Lee", "Address": "ann@acme.example"}, "IntoRecent": true,
			"From": m{"Session": "session_2", "Name": "ann.lee@gmail.example", "Address": "ann.lee@gmail.example"}, "FromRecent": true, "Factor": "factor_1", "Label": "ann.lee@gmail.example", "Apps": []m{{"Party": acme}}}}},
		{"backup_codes", templates.Frame{Data: m{"Codes": []string{"ABCD-EFGH-JKLM-NPQR", "STUV-WXYZ-2345-6789", "BCDE-FGHJ-KLMN-PQRS", "TUVW-XYZ2-3456-789A", "CDEF-GHJK-LMNP-QRST", "UVWX-YZ23-4567-89AB", "DEFG-HJKL-MNPQ-RSTU", "VWXY-Z234-5678-9ABC", "EFGH-JKLM-NPQR-STUV", "WXYZ-2345-6789-ABCD"}, "To": "/account/security"}}},
		{"code", templates.Frame{Data: m{"Party": acme, "Attempt": "a", "Method": "phone_code", "Target": "•••56", "Reset": false, "Sent": true, "Mailed": true, "ByCode": true, "ByLink": false, "Second": true, "Phone": true, "Backup": false, "Others": true, "Wait": 27, "TrustDays": 0, "Trust": false, "Upstream": ""}}},
		{"code", templates.Frame{Data: m{"Party": nil, "Attempt": "a", "Method": "phone_code", "Target": "•••56", "Reset": false, "Sent": false, "Mailed": true, "ByCode": true, "ByLink": false, "Second": false, "Phone": true, "Backup": false, "Others": false, "Wait": 0, "TrustDays": 0, "Trust": false, "Upstream": ""}}},
		{"enroll_phone", templates.Frame{Trouble: &templates.Trouble{Problem: "phone_invalid", Text: "Enter a phone number with its country code, like +44 20 7946 0018.", Field: "phone"}, Data: m{"Party": nil, "Attempt": "a", "Number": "07400 123456", "Target": "", "Wait": 0, "Others": true}}},
		{"enroll_phone", templates.Frame{Data: m{"Party": acme, "Attempt": "a", "Number": "", "Target": "•••56", "Wait": 27, "Others": true}}},
		{"methods", templates.Frame{Data: m{"Party": nil, "Attempt": "a", "Identifier": "ann@acme.example", "Second": false, "Elsewhere": makers[:1], "Methods": []m{{"Method": "password", "Key": "method.password", "Target": "", "Mailed": false, "Sent": false}, {"Method": "email_code", "Key": "method.email_code", "Target": "a•••@acme.example", "Mailed": true, "Sent": false}}}}},
		{"sign_in", templates.Frame{Data: m{"Party": acme, "Ask": "ask_1", "Return": "", "Attempt": "", "Identifier": "", "Typed": false, "Password": false, "Passkey": false, "ByCode": false, "SignUp": true, "Public": false, "Accounts": false, "SignedOut": false, "Asks": true, "Elsewhere": elsewhere(1, false, true)}}},
		{"connection", templates.Frame{Data: m{"Party": acme, "Attempt": "a", "Identifier": "ann@corp.example", "Way": makers[3], "Others": false, "Only": true, "Operators": true, "Connect": false}}},
		{"connection", templates.Frame{Data: m{"Party": acme, "Attempt": "a", "Identifier": "ann@acme.example", "Way": makers[3], "Others": true, "Only": false, "Operators": false, "Connect": false}}},
		{"connection", templates.Frame{Trouble: &templates.Trouble{Problem: "upstream_cancelled", Text: "You did not finish at GitHub. Please try again, or choose another way."}, Data: m{"Party": nil, "Attempt": "a", "Identifier": "", "Way": makers[1], "Others": false, "Only": false, "Operators": false, "Connect": true}}},
		{"connection", templates.Frame{Data: m{"Party": nil, "Attempt": "", "Identifier": "", "Way": makers[3], "Others": false, "Only": false, "Operators": false, "Connect": false}}},
		{"forgot", templates.Frame{Data: m{"Party": nil, "Ask": "", "Return": "https://app.example.com/?a=b&c=d", "Identifier": "", "Code": false, "Asks": true}}},
		{"new_password", templates.Frame{Trouble: &templates.Trouble{Problem: "password_too_weak", Text: "That password is easy to guess. Add another word or two, and avoid names, dates and your address.", Field: "password"}, Data: m{"Party": nil, "Attempt": "a", "Identifier": "ann@acme.example", "Rules": rules, "Breached": false}}},
		{"new_password", templates.Frame{Data: m{"Party": acme, "Attempt": "a", "Identifier": "ann@acme.example", "Rules": rules, "Breached": true}}},
		{"link", templates.Frame{Data: m{"Party": nil, "Attempt": "a", "Bearer": "x", "Same": true, "Digits": "", "Spent": false, "Reset": false}}},
		{"link", templates.Frame{Data: m{"Party": nil, "Attempt": "a", "Bearer": "x", "Same": false, "Digits": "493 027", "Spent": false, "Reset": false}}},
		{"link", templates.Frame{Data: m{"Party": nil, "Attempt": "a", "Bearer": "x", "Same": false, "Digits": "", "Spent": true, "Reset": false}}},
		{"undo", templates.Frame{Data: m{"Title": "", "ID": "undo_1", "Bearer": "x", "State": "open", "Masked": "m•••@evil.example", "Place": "Auckland, New Zealand", "Voids": false, "Asks": true, "Undo": m{"Kind": "address_primary", "Method": "", "Name": "", "Browser": "Chrome · macOS", "Network": "192.0.2.7", "CreatedAt": now}}}},
		{"undo", templates.Frame{Data: m{"Title": "", "ID": "undo_1", "Bearer": "x", "State": "open", "Masked": "", "Place": "", "Voids": true, "Asks": false, "Undo": m{"Kind": "new_browser", "Method": "", "Name": "", "Browser": "Chrome · macOS", "Network": "2001:db8::7:1", "CreatedAt": now}}}},
		{"undo", templates.Frame{Data: m{"Title": "", "ID": "undo_1", "Bearer": "x", "State": "open", "Masked": "", "Place": "", "Voids": false, "Asks": false, "Undo": m{"Kind": "factor_removed", "Method": "totp", "Name": "My phone", "Browser": "", "Network": "", "CreatedAt": now}}}},
		{"undo", templates.Frame{Data: m{"Title": "", "ID": "undo_1", "Bearer": "x", "State": "used", "Masked": ""}}},
		{"undo", templates.Frame{Data: m{"Title": "", "ID": "undo_1", "Bearer": "x", "State": "old", "Masked": ""}}},
		{"undo", templates.Frame{Data: m{"Title": "", "ID": "undo_1", "Bearer": "x", "State": "unknown", "Masked": ""}}},
		{"undone", templates.Frame{Data: m{"Voided": true, "Attempt": "attempt_1", "Mailbox": "a•••@acme.example", "Missing": []string{"b•••@acme.example"}}}},
		{"undone", templates.Frame{Data: m{"Voided": false, "Attempt": "", "Mailbox": "", "Missing": []string{}}}},
		{"choose", templates.Frame{Data: m{"Party": acme, "Ask": "ask_1", "Return": "", "Accounts": []m{{"Session": "s1", "Name": "Ann Lee", "Address": "ann@acme.example"}, {"Session": "s2", "Name": "bob.long-address-for-testing@subdomain.example.com", "Address": "bob.long-address-for-testing@subdomain.example.com"}}}}},
		{"sign_up", templates.Frame{Data: m{"Party": acme, "Ask": "", "Return": "", "Attempt": "", "Email": "", "Name": "", "Typed": true, "Password": true, "Rules": rules, "Invitation": "", "Public": false, "Fixed": false, "Asks": true, "Elsewhere": elsewhere(1, false, true), "Upstream": "", "Check": nil}}},
		{"sign_up", templates.Frame{Data: m{"Party": acme, "Ask": "", "Return": "", "Attempt": "", "Email": "", "Name": "", "Typed": true, "Password": false, "Rules": rules, "Invitation": "", "Public": false, "Fixed": false, "Asks": true, "Elsewhere": elsewhere(0, false, false), "Upstream": "GitHub", "Check": nil}}},
		{"sign_up", templates.Frame{Data: m{"Party": nil, "Ask": "", "Return": "https://app.example.com/?a=b&c=d", "Attempt": "a", "Email": "ann@acme.example", "Name": "", "Typed": true, "Password": true, "Rules": rules, "Invitation": "", "Public": false, "Fixed": true, "Asks": false, "Elsewhere": elsewhere(0, false, false), "Upstream": "", "Check": m{"Provider": "turnstile", "SiteKey": "0x4AAA", "Action": "sign_up"}}}},
		{"human", templates.Frame{Data: m{"Party": acme, "Attempt": "a", "Identifier": "ann@acme.example", "Check": m{"Provider": "work", "SiteKey": "", "Action": "sign_in", "Puzzle": m{"Challenge": "w_1.1.8.15.ab", "Salt": "w_1", "Rounds": 8, "Bits": 15}}, "Method": "email_code", "Target": "a•••@acme.example", "Reset": false}}},
		{"human", templates.Frame{Trouble: &templates.Trouble{Problem: "bot_check_unreachable", Text: "The check cannot be made at the moment. Please have a code mailed to you instead.", Field: "human"}, Data: m{"Party": nil, "Attempt": "a", "Identifier": "ann@acme.example", "Check": m{"Provider": "hcaptcha", "SiteKey": "10000000-ffff", "Action": "reset", "Puzzle": nil}, "Method": "reset_password_email_code", "Target": "a•••@acme.example", "Reset": true}}},
		{"consent", templates.Frame{Data: m{"Party": acme, "Host": "app.acme.example", "Ask": "a", "Session": "s", "Name": "Ann Lee", "Address": "ann@acme.example", "Scopes": []string{"openid", "profile", "email", "offline_access", "reports:read"}}}},
		{"logout", templates.Frame{Data: templates.Logout{Party: "Acme Analytics", Account: "ann@acme.example", Action: "/logout", Fields: map[string]string{"a": "b"}}}},
		{"logged_out", templates.Frame{Data: templates.LoggedOut{Party: "Acme Analytics", Back: "https://app.acme.example/"}}},
		{"logged_out", templates.Frame{Data: templates.LoggedOut{Why: "address"}}},
		{"logged_out", templates.Frame{Data: templates.LoggedOut{Left: "Acme", Ticket: "x"}}},
		{"logged_out", templates.Frame{Data: templates.LoggedOut{There: "Acme"}}},
		{"logged_out", templates.Frame{Data: templates.LoggedOut{There: "Acme", Unsure: true}}},
		{"logout", templates.Frame{Data: templates.Logout{Account: "ann@acme.example", Action: "/logout", Why: "hint"}}},
		{"logging_out", templates.Frame{Data: templates.LoggingOut{Frames: []string{"https://app.acme.example/out?iss=x&sid=y"}, To: "https://app.acme.example/bye?state=s"}}},
		{"form_post", templates.Frame{Data: templates.FormPost{Action: "#", Fields: map[string]string{"SAMLRequest": "x"}, Away: true}}},
		{"form_post", templates.Frame{Data: templates.FormPost{Action: "#", Fields: map[string]string{"code": "x"}}}},
		{"error", templates.Frame{Development: true, Data: templates.Failure{Problem: "ask_unknown", Detail: "The app's request has expired. Please go back to the app and sign in again.", Trace: "9f2c4b1a77e0d3a1"}}},
		{"account", templates.Frame{Data: accountPage(now, acme, "account.done_ended", m{"Email": "", "Phone": ""})}},
		{"account", templates.Frame{Trouble: &templates.Trouble{Problem: "email_invalid", Text: "Enter an email address like name@example.com.", Field: "email"}, Data: accountPage(now, acme, "", m{"Email": "ann@", "Phone": ""})}},
		{"account_password", templates.Frame{Data: m{"Operator": false, "Identifier": "ann@acme.example", "Recent": true, "Has": true, "Spare": true, "Others": true, "Rules": rules}}},
		{"account_password", templates.Frame{Data: m{"Operator": true, "Identifier": "ann@acme.example", "Recent": false, "Has": false, "Spare": false, "Others": true, "Rules": rules}}},
		{"account_delete", templates.Frame{Trouble: &templates.Trouble{Problem: "confirmation_wrong", Text: "Type your email address exactly as it is shown.", Field: "confirm"}, Data: m{"Operator": false, "Address": "ann@acme.example", "Recent": true, "Typed": "ann", "Apps": []m{{"Party": acme}, {"Party": acme}}}}},
		{"account_delete", templates.Frame{Data: m{"Operator": false, "Address": "ann@acme.example", "Recent": false, "Typed": "", "Apps": []m{}}}},
		{"account_deleted", templates.Frame{}},
		{"inbox", templates.Frame{Development: true, Data: m{"To": "", "Now": now, "Letters": []m{{"ID": "1", "To": "ann@acme.example", "Subject": "493027 is your Northwind code", "Digits": "493027", "Link": "http://x", "SMS": false, "SentAt": now.Add(-time.Minute)}, {"ID": "2", "To": "bob@acme.example", "Subject": "Your Northwind password was changed", "Digits": "", "Link": "", "SMS": false, "SentAt": now.Add(-time.Hour)}, {"ID": "3", "To": "+442079460018", "Subject": "493027 is your Northwind sign-in code. Tell it to nobody.", "Digits": "493027", "Link": "", "SMS": true, "SentAt": now.Add(-2 * time.Hour)}}}}},
		{"letter", templates.Frame{Development: true, Data: m{"ID": "1", "To": "ann@acme.example", "Subject": "493027 is your Northwind code", "Digits": "493027", "Link": "http://localhost:8080/sign-in/a/link?token=x", "SMS": false, "SentAt": now.Add(-time.Minute), "Now": now, "Text": "Hello,\n\nWelcome to Northwind. Confirm this address to finish creating your account.\n\nYour code: 493027\n"}}},
		{"letter", templates.Frame{Development: true, Data: m{"ID": "3", "To": "+442079460018", "Subject": "493027 is your Northwind sign-in code. Tell it to nobody.", "Digits": "493027", "Link": "", "SMS": true, "SentAt": now.Add(-time.Minute), "Now": now, "Text": "493027 is your Northwind sign-in code. Tell it to nobody. It works for 10 minutes.\n\n@id.example.com #493027"}}},
		{"operator_apps", templates.Frame{Data: m{"Apps": []m{{"ID": "client_02NFtsm7qXb1c9yKq3oVkR", "Name": "Acme Analytics", "Kind": "web", "Disabled": false, "FirstParty": true}, {"ID": "client_02NFtsm7qXb1c9yKq3oVkS", "Name": "Mobile", "Kind": "native", "Disabled": true, "FirstParty": false}}, "More": ""}}},
		{"operator_apps", templates.Frame{Development: true, Data: m{"Apps": []m{}, "More": ""}}},
		{"operator_app_new", templates.Frame{Trouble: &templates.Trouble{Problem: "x", Text: "A web app needs a redirect URI.", Field: "redirect_uris"}, Data: m{"Name": "", "Kind": "web", "Kinds": []string{"web", "spa", "native", "machine"}, "Redirects": "", "Logouts": "", "FirstParty": false, "Introspect": false}}},
		{"operator_app_made", templates.Frame{Data: m{"Words": "app.made", "ID": "client_1", "Name": "Acme Analytics", "Key": "idp_cs_x", "Issuer": "http://localhost:8080", "Recipes": rec}}},
		{"operator_app", templates.Frame{Data: m{"ID": "client_1", "Name": "Acme Analytics", "Kind": "web", "Redirects": "https://app.acme.example/callback", "Logouts": "", "FirstParty": true, "Introspect": false, "Disabled": false, "Public": false, "Secret": true, "CreatedAt": now,
			"Backchannel": "https://app.acme.example/out", "Frontchannel": "", "AllClaims": false, "Format": "jwt", "Algorithm": "RS256", "Algorithms": []string{"RS256", "ES256"}, "IDTemplate": "hasura", "AccessTemplate": "", "Templates": []string{"api", "hasura"}, "RequirePKCE": true, "RequirePAR": false, "Metadata": "{\n  \"client_id\": \"client_1\"\n}",
			"Answers": []m{{"Type": "code", "On": true, "Old": false}, {"Type": "id_token token", "On": false, "Old": true}}, "Recipes": rec, "Issuer": "http://localhost:8080", "Saved": true}}},
		{"operator_person", templates.Frame{Trouble: &templates.Trouble{Problem: "x", Text: "It has a name twice.", Field: "private_metadata"}, Data: m{"Public": "{\n  \"plan\": \"<pro>\"\n}", "Private": "{", "Own": "{}", "Version": 3, "Accounts": []m{{"ID": "f5", "Connection": "google", "Label": "ann@acme.example", "CreatedAt": now, "LastUsedAt": now}}, "ID": "1", "Name": "Ann Lee", "Address": "ann@acme.example", "Banned": true, "You": false, "Factors": []m{{"Method": "totp", "Name": "Phone", "CreatedAt": now, "LastUsedAt": now}}, "Codes": 9, "Second": true, "Done": "person.was_unlocked"}}},
		{"operator_people", templates.Frame{Data: m{"People": []m{{"ID": "1", "Name": "Ann Lee", "Address": "ann@acme.example", "Phone": "+442079460018", "Groups": "staff, ops", "Roles": "editor", "Factors": []string{"totp", "passkey"}, "Banned": false, "Operator": true, "Verified": true, "You": true, "CreatedAt": now, "SeenAt": now.Add(-3 * time.Hour)}, {"ID": "2", "Name": "bob@example.com", "Address": "bob@example.com", "Phone": "", "Groups": "", "Roles": "", "Factors": []string(nil), "Banned": true, "Operator": false, "Verified": false, "You": false, "CreatedAt": now, "SeenAt": time.Time{}}}, "Search": "", "Seen": "not_30", "Sort": "active", "Periods": []string{"within_1", "within_30", "not_30", "not_180"}, "Now": now, "More": "", "Email": "", "Done": ""}}},
		{"operator_settings", templates.Frame{Data: m{"SignIn": m{"Buttons": m{"Layout": "block", "Place": "top"}, "SignUp": "open", "Password": true, "EmailCode": true, "EmailLink": true, "TwoPages": false, "Rules": m{"MixedCase": false, "Digit": true, "Special": false}, "TwoStep": "required", "BotCheck": "suspicious", "Addresses": m{"Disposable": "refuse", "Subaddresses": "allow"}}, "BotChecks": []string{"off", "suspicious", "always"}, "Layouts": []string{"block", "icon"}, "Places": []string{"top", "bottom"}, "TwoSteps": []string{"optional", "required"}, "TrustDays": "30", "OneStep": 1,
			"Factors": []m{{"Field": "totp", "Method": "totp", "On": true, "Locked": false, "Sole": 3}, {"Field": "sms", "Method": "phone_code", "On": false, "Locked": true, "Sole": 0}}, "Allowed": "acme.org\n*.acme.org", "Blocked": "", "Modes": []string{"open", "invited", "closed"}, "MinLength": "8", "MinScore": "2", "Maximum": "720", "Idle": "168", "Version": 1, "Saved": false}}},
		{"operator_keys", templates.Frame{Data: m{"Issuer": "http://localhost:8080", "Keys": []m{{"ID": "a1b2c3", "Purpose": "oidc", "Algorithm": "RS256", "State": "current", "CreatedAt": now}, {"ID": "d4", "Purpose": "session", "Algorithm": "ES256", "State": "next", "CreatedAt": now}}}}},
		{"operator_claim", templates.Frame{Data: m{"Bearer": "x", "Name": "Ann Lee", "Address": "ann@acme.example", "SignUp": true}}},
		{"operator_claim", templates.Frame{Development: true, Data: m{"Bearer": "x", "Name": "", "Address": "", "SignUp": true}}},
	}...)
}

// accountPage is the data of the page "account".
func accountPage(now time.Time, acme *party, done string, typed m) m {
	return m{"Picture": "/avatars/picture_1", "Pictured": true, "Titles": map[string]string{"oauth_google": "Google"},
		"Name": "Ann Lee", "Address": "ann@acme.example", "Operator": true, "Now": now, "Done": done, "Typed": typed, "Texting": true,
		"Profile": m{"Name": "Ann Lee", "GivenName": "Ann", "FamilyName": "Lee", "Locale": "en", "Zoneinfo": "Pacific/Auckland"},
		"Emails": []m{
			{"ID": "h1", "Kind": "email", "Value": "ann@acme.example", "Primary": true, "Verified": true, "Codes": false, "Stays": true},
			{"ID": "h2", "Kind": "email", "Value": "ann.lee.with-a-long-name@mail.subdomain.example.com", "Primary": false, "Verified": true, "Codes": false, "Stays": false},
			{"ID": "h3", "Kind": "email", "Value": "office@acme.example", "Primary": false, "Verified": false, "Codes": false, "Stays": false}},
		"Phones": []m{{"ID": "h4", "Kind": "phone", "Value": "+442079460018", "Primary": true, "Verified": true, "Codes": true, "Stays": true}},
		"Sessions": []m{
			{"ID": "1", "Device": "Chrome · macOS", "This": true, "Public": false, "Place": "Auckland, New Zealand", "Methods": []string{"password", "totp"}, "Network": "203.0.113.7", "Seen": now, "Since": now.AddDate(0, 0, -3)},
			{"ID": "2", "Device": "Mobile Safari · iOS", "This": false, "Public": true, "Place": "", "Methods": []string{"passkey"}, "Network": "2001:db8::7:1", "Seen": now.Add(-3 * time.Hour), "Since": now.AddDate(0, 0, -20)},
			{"ID": "3", "Device": "", "This": false, "Public": false, "Place": "", "Methods": []string{"email_link"}, "Network": "198.51.100.4", "Seen": now.Add(-100 * time.Hour), "Since": now.AddDate(0, 0, -25)}},
		"Accounts": []m{{"Session": "s2", "Name": "Bob", "Address": "bob@example.com"}},
		"Grants":   []m{{"Client": "c", "Party": acme, "Scopes": []string{"openid", "profile", "email"}, "Since": now, "Used": now.Add(-2 * time.Hour)}},
	}
}
