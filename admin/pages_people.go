package admin

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"idp/identity"
	"idp/internal/problem"
	"idp/internal/web"
)

const peoplePage = 50 // people on one page

// personRow is somebody in the list.
type personRow struct {
	ID                         identity.UserID
	Name, Address, Phone       string
	Groups, Roles              string // their names, with commas
	Factors                    []string
	Banned, Operator, Verified bool
	You                        bool
	CreatedAt, SeenAt          time.Time // SeenAt is zero for who never was here
}

// peopleList is the data of the page "operator_people".
type peopleList struct {
	People  []personRow
	Search  string
	Seen    string // one of Periods, "" for everybody
	Sort    string // "active" for who was last here first, "" for the newest
	Periods []string
	Now     time.Time
	More    string
	Email   string // typed into the invitation
	Done    string // key of what was just done, ""
}

// periods are what the list can be narrowed to: who was here within so many days, or was not.
var periods = []string{"within_1", "within_30", "not_30", "not_180"}

// narrow reads one of the periods.
func narrow(s *Search, period string, now time.Time) {
	how, days, _ := strings.Cut(period, "_")
	n, err := strconv.Atoi(days)
	if err != nil {
		return
	}
	at := now.AddDate(0, 0, -n)
	if how == "within" {
		s.ActiveSince = at
		return
	}
	s.InactiveSince = at
}

var peopleNotices = map[string]string{
	"banned": "people.was_banned", "unbanned": "people.was_unbanned", "invited": "people.invited",
}

// ListPeople answers GET /operator/users.
func (p *Pages) ListPeople() web.Handler {
	return p.operator(func(w http.ResponseWriter, r *http.Request, by identity.User) error {
		data, err := p.people(r, by)
		if err != nil {
			return err
		}
		data.Done = peopleNotices[r.URL.Query().Get("done")]
		return p.Web.Show(w, r, http.StatusOK, "operator_people", data)
	})
}

func (p *Pages) people(r *http.Request, by identity.User) (peopleList, error) {
	q := r.URL.Query()
	data := peopleList{Search: strings.TrimSpace(q.Get("search")), Periods: periods, Now: p.Now()}
	search := Search{Text: data.Search, Limit: peoplePage, After: identity.UserID(q.Get("after"))}
	if period := q.Get("seen"); slices.Contains(periods, period) {
		data.Seen = period
		narrow(&search, period, data.Now)
	}
	if q.Get("sort") == "active" {
		data.Sort, search.ByActivity = "active", true
		if at, err := strconv.ParseInt(q.Get("at"), 10, 64); err == nil && at > 0 {
			search.AfterActive = time.UnixMicro(at).UTC()
		}
	}
	found, err := p.Users.List(r.Context(), search)
	if err != nil {
		return peopleList{}, err
	}
	for _, person := range found {
		row := personRow{
			ID: person.User.ID, Banned: !person.User.MayEnter(), Operator: person.User.Operator,
			You: person.User.ID == by.ID, CreatedAt: person.User.CreatedAt, SeenAt: person.LastActiveAt,
			Groups: strings.Join(person.User.Groups, ", "), Roles: strings.Join(person.User.Roles, ", "),
		}
		row.Name, row.Address = person.Shown()
		for _, f := range person.Factors {
			if m := string(f.Method); f.Method != identity.Password && !f.Spent() && !slices.Contains(row.Factors, m) {
				row.Factors = append(row.Factors, m)
			}
		}
		for _, h := range person.Holdings {
			switch h.Identifier.Kind {
			case identity.Email:
				row.Verified = row.Verified || h.Verified()
			case identity.Phone:
				if row.Phone == "" || h.Primary {
					row.Phone = h.Identifier.Value
				}
			}
		}
		data.People = append(data.People, row)
	}
	if len(found) == peoplePage {
		last := found[len(found)-1]
		more := url.Values{"search": {data.Search}, "seen": {data.Seen}, "sort": {data.Sort}, "after": {string(last.User.ID)}}
		if search.ByActivity && !last.LastActiveAt.IsZero() {
			more.Set("at", strconv.FormatInt(last.LastActiveAt.UnixMicro(), 10))
		}
		data.More = "/operator/users?" + more.Encode()
	}
	return data, nil
}

var errSelf = problem.New(problem.Invalid, "ban_self", "You cannot ban yourself.")

// BanPerson answers POST /operator/users/ban: turn is "off" to ban and "on" to let in again.
func (p *Pages) BanPerson() web.Handler {
	return p.operator(func(w http.ResponseWriter, r *http.Request, by identity.User) error {
		id := identity.UserID(r.PostFormValue("user"))
		if r.PostFormValue("turn") != "off" {
			if err := p.Users.Unban(r.Context(), id, string(by.ID)); err != nil {
				return err
			}
			return web.Redirect(w, r, "/operator/users?done=unbanned")
		}
		if id == by.ID {
			return errSelf
		}
		if err := p.Users.Ban(r.Context(), id, string(by.ID)); err != nil {
			return err
		}
		return web.Redirect(w, r, "/operator/users?done=banned")
	})
}

// Invite answers POST /operator/users/invite.
func (p *Pages) Invite() web.Handler {
	return p.operator(func(w http.ResponseWriter, r *http.Request, by identity.User) error {
		email := r.PostFormValue("email")
		if _, err := p.Invitations.Invite(r.Context(), email, string(by.ID)); err != nil {
			data, listErr := p.people(r, by)
			if listErr != nil {
				return listErr
			}
			data.Email = email
			return p.Web.Again(w, r, err, "operator_people", data)
		}
		return web.Redirect(w, r, "/operator/users?done=invited")
	})
}
