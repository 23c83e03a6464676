package login

import (
	"context"
	"html/template"
	"net/http"
	"slices"
	"strings"

	"idp/identity"
	"idp/internal/problem"
	"idp/internal/secret"
	"idp/internal/web"
)

// These are the pages that set up a second factor: the list, a page for each method, and the
// backup codes at the end, which are shown in the answer that completes and never again.

// Enroll answers POST /sign-in/{attempt}/enroll: what to set up is chosen.
func (p *Pages) Enroll(w http.ResponseWriter, r *http.Request) error {
	m, detail := identity.Method(r.PostFormValue("method")), r.PostFormValue("detail")
	return p.event(w, r, func(ctx context.Context, at At) (View, error) { return p.Engine.Enroll(ctx, at, m, detail) })
}

// Confirm answers POST /sign-in/{attempt}/confirm: what was set up works.
func (p *Pages) Confirm(w http.ResponseWriter, r *http.Request) error {
	typed := secret.NewString(r.PostFormValue("code"))
	return p.event(w, r, func(ctx context.Context, at At) (View, error) { return p.Engine.Confirm(ctx, at, typed) })
}

// enrolling shows what can be set up, or how the one that was chosen is.
func (p *Pages) enrolling(w http.ResponseWriter, r *http.Request, v View, trouble error) error {
	if v.Enrollment != nil && !wantsPhone(r, v) && !r.URL.Query().Has("other") {
		switch v.Enrollment.Method {
		case identity.TOTP:
			return p.enrollTOTP(w, r, v, trouble)
		case identity.Passkey, identity.SecurityKey:
			return p.enrollKey(w, r, v, trouble)
		default:
		}
	}
	if len(v.Methods) == 0 {
		return errEnroll
	}
	if o, ok := pick(v.Methods, identity.PhoneCode); ok && o.Method == identity.PhoneCode && wantsPhone(r, v) {
		return p.enrollPhone(w, r, v, o, trouble)
	}
	var methods []identity.Method
	for _, o := range v.Methods {
		methods = append(methods, o.Method)
	}
	return p.draw(w, r, trouble, "enroll", struct {
		Party    *identity.Party
		Attempt  AttemptID
		Required bool // it is not the person's own wish
		Methods  []identity.Method
	}{v.Party, v.ID, v.Goal != Enroll, methods})
}

func (p *Pages) enrollTOTP(w http.ResponseWriter, r *http.Request, v View, trouble error) error {
	square, err := qrOf(v.Enrollment.URI)
	if err != nil {
		return err
	}
	var groups []string
	for part := range slices.Chunk([]byte(v.Enrollment.Key), 4) {
		groups = append(groups, string(part))
	}
	return p.draw(w, r, trouble, "enroll_totp", struct {
		Party   *identity.Party
		Attempt AttemptID
		Square  Square
		Link    template.URL
		Groups  []string
		Others  bool
	}{v.Party, v.ID, square, template.URL(v.Enrollment.URI), groups, len(v.Methods) > 1}) //nolint:gosec // our own otpauth URI, escaped part by part
}

// backupPage is the data of the page "backup_codes".
type backupPage struct {
	Codes []string
	To    string // where Continue leads
}

// ShowBackupCodes answers with fresh backup codes, this once, and a way on to a path of ours.
func ShowBackupCodes(w http.ResponseWriter, r *http.Request, pages *web.Pages, codes []secret.String, to string) error {
	return pages.Show(w, r, http.StatusOK, "backup_codes", backupPage{reveal(codes), to})
}

func reveal(codes []secret.String) []string {
	var plain []string
	for _, c := range codes {
		plain = append(plain, c.Reveal())
	}
	return plain
}

var errNoBackupCodes = problem.New(problem.Invalid, "backup_codes_missing", "There are no backup codes to save. You can make new ones on your account page.")

// BackupFile answers POST /sign-in/backup-codes with the codes that the form brings, as a
// file. We cannot look them up: only their owner has them.
func (p *Pages) BackupFile(w http.ResponseWriter, r *http.Request) error {
	if err := r.ParseForm(); err != nil {
		return errNoBackupCodes.Because(err)
	}
	codes := r.PostForm["backup"]
	if len(codes) == 0 || len(codes) > backupCodes || slices.ContainsFunc(codes, func(c string) bool { return !isBackupCode(c) }) {
		return errNoBackupCodes // and no file of somebody else's words under our name
	}
	h := w.Header()
	h.Set("Content-Type", "text/plain; charset=utf-8")
	h.Set("Content-Disposition", `attachment; filename="backup-codes.txt"`)
	_, err := w.Write([]byte(p.Web.Set.Say(p.Web.Locale(r), "backup.file", "brand", p.Web.Brand) + "\n\n" + strings.Join(codes, "\n") + "\n")) //nolint:gosec // plain text, and every line is checked
	return err
}

func isBackupCode(s string) bool {
	groups := strings.Split(s, "-")
	return len(groups) == backupGroups && !slices.ContainsFunc(groups, func(g string) bool {
		return len(g) != backupGroup || strings.Trim(g, backupAlphabet) != ""
	})
}
