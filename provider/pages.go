package provider

import "net/http"

// Pages shows people what they have to see: the pages "logout", "logged_out" and
// "form_post" with the data of that name in templates. internal/web.Pages is one.
type Pages interface {
	// Show answers with the page of that name.
	Show(w http.ResponseWriter, r *http.Request, status int, name string, data any) error
	// Problem answers with the error page.
	Problem(w http.ResponseWriter, r *http.Request, err error)
}
