package admin_test

import (
	"strconv"
	"strings"
	"testing"

	"idp/admin"
	"idp/event"
	"idp/identity"
	"idp/internal/problem"
)

func TestAnOperatorChangesWhatIsPublicAndPrivateAboutAPerson(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		ann := h.create(t, "ann@example.com")
		set := func(c admin.MetadataChange) (identity.User, error) {
			return h.users.SetMetadata(t.Context(), ann.ID, c, admin.CLI)
		}
		u, err := set(admin.MetadataChange{Public: []byte(`{"plan": "pro", "seats": 3}`), Private: []byte(`{"crm": "crm-hush-17"}`)})
		if err != nil || string(u.Metadata.Public) != `{"plan":"pro","seats":3}` || string(u.Metadata.Private) != `{"crm":"crm-hush-17"}` {
			t.Fatalf("%v %+v", err, u.Metadata)
		}
		if _, err = set(admin.MetadataChange{Public: []byte(`{"seats": null}`)}); err != nil {
			t.Fatal(err)
		}
		if _, err = set(admin.MetadataChange{Public: []byte(`{"plan": "pro"}`), Whole: true}); err != nil { // no change at all
			t.Fatal(err)
		}
		if _, err = set(admin.MetadataChange{Private: []byte(`{}`), Public: []byte(`{"plan":"free","plan":"pro"}`), Whole: true}); !problem.HasCode(err, "metadata_invalid") {
			t.Errorf("a name twice: %v", err)
		}
		if _, err = set(admin.MetadataChange{Private: []byte(`{}`), Whole: true, Version: u.Version}); !problem.HasCode(err, "user_changed") {
			t.Errorf("a stale version: %v", err)
		}
		p, err := h.people.Person(t.Context(), ann.ID)
		if err != nil || string(p.User.Metadata.Public) != `{"plan":"pro"}` || string(p.User.Metadata.Private) != `{"crm":"crm-hush-17"}` {
			t.Fatalf("%v %+v", err, p.User.Metadata)
		}
		var said []string
		for _, e := range h.happened(t, event.UserUpdated) {
			said = append(said, e.Detail["changed"])
			for _, v := range e.Detail {
				if strings.Contains(v, "hush") || strings.Contains(v, "pro") {
					t.Errorf("an event holds what changed: %+v", e)
				}
			}
		}
		if got := strings.Join(said, ", "); got != "public_metadata, private_metadata public_metadata" {
			t.Errorf("events say %s", got)
		}
		if _, err := h.users.SetMetadata(t.Context(), "user_none", admin.MetadataChange{Public: []byte("{}")}, admin.CLI); !problem.Is(err, problem.NotFound) {
			t.Errorf("nobody: %v", err)
		}
	})
}

func TestAnOperatorWritesMetadataOnThePersonsPage(t *testing.T) {
	offices(t, func(o *office) {
		b, op := o.signedIn("op@example.com", true)
		ann := o.create(o.T, "ann@example.com")
		p, err := o.people.Person(o.Context(), ann.ID)
		o.must(err)
		p.User.Metadata.Own = []byte(`{"theme":"</pre><script>x</script>"}`)
		o.must(o.people.SaveUser(o.Context(), p.User))
		path := "/operator/users/" + string(ann.ID)
		b.Get(path).Want(200, "&lt;script&gt;", `id="public-metadata"`).WantNot("<script>x")
		b.Post(path+"/metadata", "public_metadata", `{"plan": "</textarea><script>y</script>"}`, "private_metadata", `{"crm": 17}`, "version", strconv.Itoa(p.User.Version+1)).
			Follow().Want(200, "Metadata saved.", "&#34;crm&#34;: 17").WantNot("<script>y")
		b.Post(path+"/metadata", "public_metadata", `{"a": {"b": 1, "b": 2}}`, "private_metadata", "").Want(422, `id="public-metadata-error"`, "a name twice", "&#34;b&#34;: 2")
		b.Post(path+"/metadata", "public_metadata", "", "private_metadata", "", "version", strconv.Itoa(p.User.Version)).Want(409, "Look at them again")
		p, err = o.people.Person(o.Context(), ann.ID)
		o.must(err)
		if m := p.User.Metadata; string(m.Private) != `{"crm":17}` || !strings.Contains(string(m.Public), "script>y") || len(m.Own) == 0 {
			t := o.T
			t.Errorf("on file: %s %s %s", m.Public, m.Private, m.Own)
		}
		b.Get(path).Post(path+"/metadata", "public_metadata", " ", "private_metadata", "").Follow().Want(200)
		if p, err = o.people.Person(o.Context(), ann.ID); err != nil || p.User.Metadata.Public != nil || p.User.Metadata.Private != nil || p.User.Metadata.Own == nil {
			o.Errorf("%v %+v", err, p.User.Metadata)
		}
		if all := o.happened(o.T, event.UserUpdated); len(all) != 2 || all[0].Actor != string(op.ID) {
			o.Errorf("%+v", all)
		}
		eve, _ := o.signedIn("eve@example.com", false)
		eve.Get("/form").Post(path+"/metadata", "public_metadata", `{"plan":"pro"}`).Want(404)
		if p, err = o.people.Person(o.Context(), ann.ID); err != nil || p.User.Metadata.Public != nil {
			o.Errorf("somebody who is no operator changed it: %+v", p.User.Metadata)
		}
	})
}

func TestMetadataIsImported(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		lines := `{"email":"ann@example.com","public_metadata":{"plan": "pro"},"private_metadata":{"crm":17},"own_metadata":{"theme":"dark"}}
{"email":"bob@example.com","own_metadata":[1]}
{"email":"eve@example.com","private_metadata":{"a":1,"a":2}}`
		var refused []string
		tally, err := h.users.Import(t.Context(), strings.NewReader(lines), admin.CLI, func(e admin.LineError) { refused = append(refused, e.Field) })
		if err != nil || tally.Imported != 1 || strings.Join(refused, " ") != "own_metadata private_metadata" {
			t.Fatalf("%v %+v %v", err, tally, refused)
		}
		p, err := h.users.Find(t.Context(), "ann@example.com")
		if m := p.User.Metadata; err != nil || string(m.Public) != `{"plan":"pro"}` || string(m.Private) != `{"crm":17}` || string(m.Own) != `{"theme":"dark"}` {
			t.Errorf("%v %+v", err, p.User.Metadata)
		}
	})
}
