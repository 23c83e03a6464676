package account_test

import (
	"encoding/json"
	"strings"
	"testing"

	"idp/event"
	"idp/identity"
	"idp/storage"
)

func TestAPersonReadsPublicMetadataAndWritesTheirOwn(t *testing.T) {
	each(t, func(d *desk) {
		ann := d.person("ann")
		b, _ := d.on(nil, ann)
		b.Get("/account")
		d.call(b, "GET", "/me", "").want(200, `"public_metadata":{}`, `"own_metadata":{}`)
		d.note(ann, identity.Metadata{Public: []byte(`{"plan":"pro"}`), Private: []byte(`{"crm":"crm-hush-17"}`)})
		d.call(b, "PATCH", "/me", `{"own_metadata":{"theme":"dark","tour":{"seen":[1,2]}}}`).want(200, `"public_metadata":{"plan":"pro"}`, `"own_metadata":{"theme":"dark","tour":{"seen":[1,2]}}`)
		d.call(b, "PATCH", "/me", `{"given_name":"Ann","own_metadata":{"theme":null,"tour":{"step":3}}}`).want(200, `"own_metadata":{"tour":{"seen":[1,2],"step":3}}`, `"given_name":"Ann"`)
		d.call(b, "PATCH", "/me", `{"own_metadata":{}}`).want(200, `"step":3`)
		for why, body := range map[string]string{
			"a list": `{"own_metadata":[1]}`, "a text": `{"own_metadata":"x"}`, "a name twice": `{"own_metadata":{"a":1,"a":2}}`,
			"9 KB": `{"own_metadata":{"a":"` + strings.Repeat("x", 9<<10) + `"}}`, "deep": `{"own_metadata":` + strings.Repeat(`{"a":`, 17) + "1" + strings.Repeat("}", 17) + "}",
		} {
			if got := d.call(b, "PATCH", "/me", body); got.status != 422 || !strings.Contains(got.body, `"field":"own_metadata"`) {
				t.Errorf("%s: %d %s", why, got.status, got.body)
			}
		}
		for _, body := range []string{`{"public_metadata":{"plan":"max"}}`, `{"private_metadata":{"crm":1}}`, `{"metadata":{}}`} {
			d.call(b, "PATCH", "/me", body).want(400)
		}
		m := d.metadata(ann)
		if string(m.Own) != `{"tour":{"seen":[1,2],"step":3}}` || string(m.Public) != `{"plan":"pro"}` || string(m.Private) != `{"crm":"crm-hush-17"}` {
			t.Errorf("on file: %s %s %s", m.Public, m.Private, m.Own)
		}
		d.call(b, "PATCH", "/me", `{"own_metadata":null}`).want(200, `"own_metadata":{}`)
		if m := d.metadata(ann); m.Own != nil {
			t.Errorf("it is still %s", m.Own)
		}
	})
}

func TestPrivateMetadataIsShownToNobodyButOperators(t *testing.T) {
	each(t, func(d *desk) {
		ann := d.person("ann")
		d.password(ann)
		d.note(ann, identity.Metadata{Public: []byte(`{"plan":"pub-seen"}`), Private: []byte(`{"crm":"crm-hush-17"}`), Own: []byte(`{"theme":"own-seen"}`)})
		b, _ := d.on(nil, ann)
		b.Get("/account").Want(200).WantNot("hush")
		b.Get("/account/security").Want(200).WantNot("hush")
		b.Get("/account/delete").WantNot("hush")
		said := ""
		for _, call := range [][3]string{
			{"GET", "/me", ""}, {"PATCH", "/me", `{"name":"Ann","own_metadata":{"n":1}}`}, {"PATCH", "/me", `{"own_metadata":[]}`},
			{"GET", "/me/factors", ""}, {"GET", "/me/connections", ""}, {"GET", "/me/sessions", ""}, {"GET", "/me/export", ""},
		} {
			said += d.call(b, call[0], call[1], call[2]).body
		}
		happened, err := d.events.List(t.Context(), storage.EventFilter{Limit: 100})
		d.must(err)
		text, err := json.Marshal(happened)
		d.must(err)
		if said += string(text); strings.Contains(said, "hush") {
			t.Errorf("private metadata came out: %s", said)
		}
		for _, e := range happened {
			if e.Kind == event.UserUpdated && e.Detail["changed"] != "own_metadata profile" {
				t.Errorf("%+v", e)
			}
			if text, _ := json.Marshal(e); strings.Contains(string(text), "own-seen") || strings.Contains(string(text), "pub-seen") {
				t.Errorf("an event holds metadata: %+v", e)
			}
		}
		var x struct {
			User map[string]json.RawMessage `json:"user"`
		}
		d.must(json.Unmarshal([]byte(d.call(b, "GET", "/me/export", "").want(200).body), &x))
		if _, private := x.User["private_metadata"]; private || !strings.Contains(string(x.User["public_metadata"]), "pub-seen") || !strings.Contains(string(x.User["own_metadata"]), "own-seen") {
			t.Errorf("the export says %s", x.User)
		}
	})
}

// note puts metadata on a person's file.
func (d *desk) note(id identity.UserID, m identity.Metadata) {
	d.Helper()
	p, err := d.people.Person(d.Context(), id)
	d.must(err)
	p.User.Metadata = m
	d.must(d.people.SaveUser(d.Context(), p.User))
}

func (d *desk) metadata(id identity.UserID) identity.Metadata {
	d.Helper()
	p, err := d.people.Person(d.Context(), id)
	d.must(err)
	return p.User.Metadata
}
