package server

import (
	"net/http"
	"strings"

	"idp/account"
	"idp/login"
)

const (
	ofPerson    = "not_signed_in account_suspended user_unknown"
	ofSensitive = ofPerson + " step_up_required"
)

// mine is an address below /frontend/v1/me.
func mine(pattern, name, summary string, in, out any, words ...string) Operation {
	o := Operation{Name: name, Summary: summary, Group: "me", In: in, Out: out, Status: http.StatusOK, Codes: codes(words...)}
	method, path, _ := strings.Cut(pattern, " ")
	o.Pattern = method + " /frontend/v1/me" + path
	if out == nil {
		o.Status = http.StatusNoContent
	}
	return o
}

func selfOperations() []Operation {
	add := mine("POST /identifiers", "addIdentifier", "Begin an attempt that puts an email address or phone number on file.", account.AddRequest{}, login.CompletedAttempt{},
		ofSensitive, ofAddress, ofThrottle, "phone_invalid phone_unreached sms_off identifier_yours identifiers_too_many identifier_taken identifier_in_use busy")
	add.Status = http.StatusCreated
	return []Operation{
		mine("GET ", "me", "Who is signed in.", nil, account.Me{}, ofPerson),
		mine("PATCH ", "changeMe", "Change the profile and the own metadata; what is not named stays.", account.ProfileChange{}, account.Me{}, ofPerson, "name_invalid locale_invalid zone_invalid metadata_invalid user_changed"),
		mine("DELETE ", "deleteMe", "Delete the account, for ever.", account.LeaveRequest{}, nil, ofSensitive, "confirmation_wrong user_changed last_operator"),
		mine("DELETE /picture", "removePicture", "Take the picture off the file.", nil, nil, ofPerson, "user_changed"),
		mine("POST /password", "setPassword", "Set a password, or another one.", account.NewPasswordRequest{}, nil, ofSensitive, ofPassword, "passwords_off factor_changed password_changed busy"),
		mine("DELETE /password", "removePassword", "Go without a password.", nil, nil, ofSensitive, "password_unknown password_needed factor_last factor_needed factor_changed"),
		add,
		mine("PATCH /identifiers/{identifier}", "rankIdentifier", "Make an address or number the main one of its kind.", account.RankRequest{}, nil, ofSensitive, "identifier_unknown identifier_unverified primary_only"),
		mine("DELETE /identifiers/{identifier}", "removeIdentifier", "Take an address or number off the file.", nil, nil, ofSensitive, "identifier_unknown identifier_last address_leans factor_needed"),
		mine("GET /sessions", "listDevices", "Where the person is signed in, on all browsers.", nil, account.Devices{}, ofPerson),
		mine("DELETE /sessions/{session}", "endDevice", "Sign out one device.", nil, nil, ofPerson, "session_unknown"),
		mine("POST /sessions/end-others", "endOtherDevices", "Sign out everywhere else.", login.Nothing{}, nil, ofPerson),
		mine("GET /factors", "listFactors", "How the second step is confirmed, and what may be set up.", nil, account.Security{}, ofPerson),
		mine("PATCH /factors/{factor}", "renameFactor", "Give a factor another name.", account.RenameRequest{}, nil, ofSensitive, "factor_unknown name_invalid factor_changed"),
		mine("DELETE /factors/{factor}", "removeFactor", "Take a factor off the file.", nil, nil, ofSensitive, "factor_unknown factor_last factor_needed factor_changed"),
		mine("POST /backup-codes", "renewBackupCodes", "Get new backup codes; those from before are void.", login.Nothing{}, account.BackupCodes{}, ofSensitive, "backup_codes_off second_factor_needed factor_changed"),
		mine("GET /connections", "listConnections", "Accounts elsewhere that the person signs in with, and what could be connected.", nil, account.Connections{}, ofPerson),
		mine("DELETE /connections/{factor}", "disconnect", "Disconnect an account elsewhere.", nil, nil, ofSensitive, "external_account_unknown external_account_needed factor_unknown factor_last factor_needed factor_changed address_leans"),
		mine("POST /merge", "mergeAccounts", "Bring two accounts together that are both signed in here.", account.MergeRequest{}, nil, ofPerson, "merge_unproven merge_same merge_operator session_unknown external_account_unknown external_account_several browser_unknown factor_unknown domain_enforced user_changed factor_changed"),
		mine("GET /trusted-browsers", "listTrustedBrowsers", "Browsers that need not show a second factor for a while.", nil, account.TrustedBrowsers{}, ofPerson),
		mine("DELETE /trusted-browsers/{trust}", "distrustBrowser", "Have a browser show the second factor again.", nil, nil, ofPerson, "trust_unknown trust_ended"),
		mine("GET /grants", "listGrants", "Apps that the person let in, and what they may do.", nil, account.Grants{}, ofPerson),
		mine("DELETE /grants/{client}", "revokeGrant", "Take back what an app may do.", nil, nil, ofPerson, "grant_unknown"),
		mine("GET /export", "exportMe", "Everything that is on file about the person.", nil, account.Export{}, ofSensitive),
	}
}
