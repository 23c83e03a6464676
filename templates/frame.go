package templates

import (
	"html/template"
	"slices"
	"strconv"
	"strings"
	"time"
)

// The methods of Frame are what templates may call: {{.T "sign_in.title"}}.

// T returns the words of a key in the page's language. Pairs fill its {places}.
func (f Frame) T(key string, pairs ...any) string { return f.set.words.say(f.Locale, key, pairs) }

// N is T for a number: it picks KEY.one, KEY.other … by the language's rules and fills {n}.
func (f Frame) N(key string, n int, pairs ...any) string {
	return f.set.words.count(f.Locale, key, n, pairs)
}

// Asset returns the path of a style or script under its hashed name.
func (f Frame) Asset(name string) string { return "/assets/" + f.set.hashed[name] }

// Wide reports whether the page is one of the wide ones, which have a style of their own.
func (f Frame) Wide() bool { return f.wide }

// Token reveals the form token, for the one hidden input of each form.
func (f Frame) Token() string { return f.Form.Reveal() }

// Why returns the trouble in the page's language, "" if there is none.
func (f Frame) Why() string {
	if f.Trouble == nil {
		return ""
	}
	if t, ok := f.set.words.find(f.Locale, "problem."+f.Trouble.Problem); ok {
		return t
	}
	return f.Trouble.Text
}

// On reports whether the trouble is about that field.
func (f Frame) On(field string) bool { return f.Trouble != nil && f.Trouble.Field == field }

// Aria returns the attributes that tie an input with this id to its hints and, if the
// trouble is about the field, to the sentence that says so.
func (f Frame) Aria(id, field string, hints ...string) template.HTMLAttr {
	about := hints
	attr := ""
	if f.On(field) {
		about = append([]string{id + "-error"}, about...)
		attr = ` aria-invalid="true"`
	}
	if len(about) > 0 {
		attr += ` aria-describedby="` + template.HTMLEscapeString(strings.Join(about, " ")) + `"`
	}
	return template.HTMLAttr(attr) //nolint:gosec // ids are written in templates, and escaped here
}

// Methods says ways of signing in, with commas.
func (f Frame) Methods(names []string) string {
	said := make([]string, 0, len(names))
	for _, n := range names {
		said = append(said, f.T("method."+n))
	}
	return strings.Join(said, ", ")
}

// Date says a day: "21 Nov 2026".
func (f Frame) Date(t time.Time) string { return t.UTC().Format("2 Jan 2006") }

// When says a moment: "22 November 2026, 09:14 UTC".
func (f Frame) When(t time.Time) string {
	t = t.UTC()
	return f.T("time.moment", "day", t.Day(), "month", f.T("time.month."+strconv.Itoa(int(t.Month()))), "year", t.Year(), "time", t.Format("15:04"))
}

// Moment is a time for the machine-readable attribute of a time element.
func (f Frame) Moment(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// Ago says how long before now a time was, in the largest unit that fits.
func (f Frame) Ago(t, now time.Time) string {
	d := now.Sub(t)
	switch {
	case d < time.Minute:
		return f.T("ago.now")
	case d < time.Hour:
		return f.N("ago.minutes", int(d.Minutes()))
	case d < 48*time.Hour:
		return f.N("ago.hours", int(d.Hours()))
	}
	return f.N("ago.days", int(d.Hours()/24))
}

// Translated returns the words of a key if a catalogue has them, and otherwise text.
func (f Frame) Translated(key, text string) string {
	if t, ok := f.set.words.find(f.Locale, key); ok {
		return t
	}
	return text
}

// Scopes says what scopes let a relying party do: what people ask first comes first, the
// scopes of an application's own after it, staying connected last.
func (f Frame) Scopes(names []string) []string {
	order := []string{"openid", "profile", "email", "phone", "address", "groups", "roles"}
	rank := func(name string) int {
		if name == "offline_access" {
			return len(order) + 1
		}
		if i := slices.Index(order, name); i >= 0 {
			return i
		}
		return len(order)
	}
	sorted := slices.SortedStableFunc(slices.Values(names), func(a, b string) int { return rank(a) - rank(b) })
	said := make([]string, 0, len(sorted))
	for _, name := range sorted {
		said = append(said, f.Scope(name))
	}
	return said
}

// Scope says in plain words what a scope lets a relying party do.
func (f Frame) Scope(name string) string {
	if t, ok := f.set.words.find(f.Locale, "scope."+name); ok {
		return t
	}
	return f.T("scope.other", "scope", name)
}
