package server

import (
	"net/http"

	"idp/account"
	"idp/session"
	"idp/token"
)

func sessionOperations() []Operation {
	minted := codes("not_signed_in session_unknown template_unknown token_too_large session_ended template_subject")
	list := func(pattern, name, summary string, in any, words ...string) Operation {
		return Operation{
			Pattern: pattern, Name: name, Summary: summary, Group: "sessions", In: in, Lax: in != nil,
			Out: account.Presents{}, Status: http.StatusOK, Codes: codes(words...),
		}
	}
	return []Operation{
		list("GET /frontend/v1/sessions", "listSessions", "Who is signed in on this browser, the one in use first; nobody is an empty list.", nil),
		list("DELETE /frontend/v1/sessions", "endSessions", "Sign everybody out on this browser.", nil),
		list("DELETE /frontend/v1/sessions/{session}", "endSession", "Sign one account out on this browser.", nil, "session_unknown session_ended not_signed_in"),
		list("POST /frontend/v1/sessions/{session}/touch", "touchSession", "Say that somebody is still there.", nil, "session_unknown session_ended not_signed_in"),
		list("POST /frontend/v1/sessions/{session}/activate", "activateSession", "Use another account that is signed in here.", nil, "session_unknown session_ended not_signed_in"),
		{
			Pattern: "POST /frontend/v1/sessions/{session}/tokens", Name: "mintSessionToken", Summary: "Get a token for 60 seconds that backends check by our public keys.", Group: "tokens",
			In: token.Wish{}, Lax: true, Out: token.Answer{}, Status: http.StatusOK, Codes: minted,
		},
		{
			Pattern: "POST /frontend/v1/sessions/{session}/tokens/{template}", Name: "mintToken", Summary: "The same by a template of the operator's.", Group: "tokens",
			In: token.Wish{}, Lax: true, Out: token.Answer{}, Status: http.StatusOK, Codes: minted,
		},
	}
}

// plainOperations are about nobody.
func plainOperations() []Operation {
	return []Operation{
		{
			Pattern: "GET /frontend/v1/environment", Name: "environment", Summary: "What a page needs to know before anybody signs in.", Group: "environment",
			Query: map[string]string{"locale": "The language of the words, as in Accept-Language, in place of what the browser prefers."},
			Out:   Environment{}, Status: http.StatusOK,
		},
		{
			Pattern: "POST /frontend/v1/browsers", Name: "introduceBrowser", Summary: "In development only: the token of a new browser, for pages that no cookie reaches.", Group: "environment",
			Out: session.Introduction{}, Status: http.StatusCreated,
		},
	}
}
