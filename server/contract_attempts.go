package server

import (
	"net/http"

	"idp/login"
)

// What any step of an attempt may answer: it is not this browser's, it is over or moved on, or the
// step that completed it found that its person may not enter.
const (
	ofAttempt  = "attempt_unknown browser_unknown attempt_over attempt_moved not_now account_suspended sign_up_closed invitation_needed second_factor_missing"
	ofCrowd    = "busy"
	ofThrottle = "too_many_tries message_too_soon"
	ofHuman    = "bot_check_failed bot_check_used bot_check_due bot_check_unreachable"
	ofEnds     = "identifier_taken identifier_in_use identifier_unverified invitation_spent invitation_used invitation_elsewhere external_account_taken external_account_linked external_account_foreign domain_enforced answers_wrong second_factor_needed password_changed user_changed factor_changed session_ended not_signed_in address_confirmed factor_there key_taken key_limit key_removed phone_changed"
	ofMethods  = "password_too_long method_unavailable code_missing code_wrong code_spent code_not_sent password_wrong password_missing totp_wrong backup_code_wrong factor_used key_spent key_unreadable key_refused key_unverified key_unknown key_foreign key_cloned key_weak"
	ofPassword = "password_breached password_missing password_too_short password_too_long password_too_weak password_unreadable password_needs_special password_needs_digit password_needs_mixed_case"
	ofAddress  = "email_invalid email_disposable email_refused email_subaddress"
)

// step is an address of one attempt. Whatever happens, the answer is what the screen may know now.
func step(event, name, summary string, in any, words ...string) Operation {
	return Operation{
		Pattern: "POST /frontend/v1/attempts/{attempt}/" + event, Name: name, Summary: summary, Group: "attempts",
		In: in, Out: login.CompletedAttempt{}, Status: http.StatusOK, Codes: codes(append(words, ofAttempt, ofEnds)...),
	}
}

func attemptOperations() []Operation {
	return []Operation{
		{
			Pattern: "POST /frontend/v1/attempts", Name: "startAttempt", Summary: "Begin to sign in, to sign up, or within a session to prove more.", Group: "attempts",
			In: login.StartRequest{}, Out: login.CompletedAttempt{}, Status: http.StatusCreated,
			Codes: codes(ofAttempt, ofCrowd, ofThrottle, ofEnds, ofAddress, "goal_unknown ask_unknown connection_unknown connection_disabled phone_invalid factor_last"),
		},
		{
			Pattern: "GET /frontend/v1/attempts/{attempt}", Name: "lookAtAttempt", Summary: "See what comes next.", Group: "attempts",
			Out: login.CompletedAttempt{}, Status: http.StatusOK, Codes: codes(ofAttempt, ofEnds),
		},
		step("identify", "identify", "Name the person. Known and unknown addresses answer alike.", login.IdentifyRequest{}, ofCrowd, ofThrottle, ofAddress),
		step("prepare", "prepare", "Have a message sent, or get the options for navigator.credentials.get.", login.PrepareRequest{}, ofCrowd, ofThrottle, ofMethods, ofHuman, "sms_off phone_unreached"),
		step("prove", "prove", "Show that it is you, by one of the methods in the view.", login.ProveRequest{}, ofCrowd, ofThrottle, ofMethods, ofHuman),
		step("forgot", "forgot", "Say that the password is lost: a code is mailed, and a new one asked for later.", login.Nothing{}, ofCrowd, ofThrottle, ofMethods, ofHuman),
		step("submit", "submit", "Fill in a sign-up.", login.SubmitRequest{}, ofCrowd, ofThrottle, ofPassword, ofAddress, ofHuman, "name_invalid name_missing locale_invalid"),
		step("enroll", "enroll", "Choose a factor to set up, and get what that takes.", login.EnrollRequest{}, ofThrottle, ofMethods, "phone_invalid phone_unreached sms_off name_invalid names_too_many backup_codes_missing"),
		step("confirm", "confirm", "Show that what was set up works.", login.ConfirmRequest{}, ofThrottle, ofMethods, "enrollment_unbegun"),
		step("password", "choosePassword", "Choose a new password, at the end of a reset or in place of a breached one.", login.PasswordRequest{}, ofCrowd, ofPassword),
		step("human", "passHuman", "Solve the bot check in the view.", login.HumanRequest{}, ofThrottle, ofHuman),
		{
			Pattern: "POST /frontend/v1/attempts/{attempt}/depart", Name: "depart", Summary: "Go to a provider to sign in there. The browser comes back to a page of ours and ends at next.", Group: "attempts",
			In: login.DepartRequest{}, Out: login.Departure{}, Status: http.StatusOK,
			Codes: codes(ofAttempt, ofEnds, ofThrottle, "method_unavailable connection_unknown connection_disabled connection_misconfigured upstream_unavailable upstream_refused"),
		},
		step("cancel", "cancel", "End the attempt; nothing of it is kept.", login.Nothing{}),
		{
			Pattern: "POST /frontend/v1/password-strength", Name: "scorePassword", Summary: "How hard a password is to guess, while it is typed. Nothing of it is kept.", Group: "attempts",
			In: login.StrengthRequest{}, Out: login.Strength{}, Status: http.StatusOK, Codes: codes("strength_later"),
		},
		{
			Pattern: "POST /frontend/v1/bot-check", Name: "dueBotCheck", Summary: "Whether a bot check would be due for what this browser is about to do.", Group: "attempts",
			In: login.BotCheckRequest{}, Out: login.BotCheckAnswer{}, Status: http.StatusOK, Codes: codes(ofAddress, "action_unknown bot_check_unreachable"),
		},
	}
}
