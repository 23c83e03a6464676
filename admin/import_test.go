package admin_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"idp/admin"
	"idp/event"
	"idp/identity"
	"idp/internal/secret"
	"idp/login"
	"idp/storage/storagetest"
)

const bcrypted = "$2b$10$WvvTPHKwdBJ3uk0Z37EMR.hLA2W6N9AEBhEgrAOljy2Ae5MtaSIUi" // of "abc"

func (h *house) load(t *testing.T, text string) (admin.Tally, []admin.LineError) {
	t.Helper()
	var refused []admin.LineError
	tally, err := h.users.Import(t.Context(), strings.NewReader(text), admin.CLI, func(e admin.LineError) { refused = append(refused, e) })
	if err != nil {
		t.Fatal(err)
	}
	return tally, refused
}

func TestImportedPeopleKeepTheirPasswordAndPast(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		tally, refused := h.load(t, `{"email":"Ann@Example.com","email_verified":true,"password_hash":"`+bcrypted+`","external_id":"17",
"profile":{"name":"Ann"},"groups":["staff"],"created_at":"2019-05-01T10:00:00+02:00"}`)
		if tally.Imported != 0 || len(refused) != 2 {
			t.Fatalf("an object over two lines: %+v %+v", tally, refused)
		}
		tally, refused = h.load(t, `{"email":"Ann@Example.com","email_verified":true,"password_hash":"`+bcrypted+`","external_id":"17",`+
			`"profile":{"name":"Ann"},"groups":["staff"],"created_at":"2019-05-01T10:00:00+02:00"}`+"\n\n"+
			`{"email":"bob@example.com","email_verified":true,"banned":true}`)
		if tally.Imported != 2 || len(refused) != 0 {
			t.Fatalf("%+v %+v", tally, refused)
		}
		p, err := h.users.Find(t.Context(), "ann@example.com")
		if err != nil {
			t.Fatal(err)
		}
		u := p.User
		if u.ExternalID != "17" || u.Profile.Name != "Ann" || len(u.Groups) != 1 || u.CreatedAt.Format("2006-01-02T15:04Z07:00") != "2019-05-01T08:00Z" {
			t.Errorf("%+v", u)
		}
		ok, upgrade, err := h.users.Hasher.Verify(t.Context(), secret.NewString("abc"), p.Factors[0].Secret)
		if !ok || !upgrade || err != nil {
			t.Errorf("her password: %v %v %v", ok, upgrade, err)
		}
		if bob, err := h.users.Find(t.Context(), "bob@example.com"); err != nil || bob.User.MayEnter() || len(bob.Factors) != 0 {
			t.Errorf("%+v, %v", bob, err)
		}
		if len(h.happened(t, event.UserImported)) != 2 {
			t.Error("the audit trail does not say who came")
		}
	})
}

func TestBadLinesAreNamedAndTheRestIsImported(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.create(t, "held@example.com")
		lines := []struct{ text, code, field string }{
			{`{"email":"a@example.com","email_verified":true,"external_id":"1"}`, "", ""},
			{`{"email":"held@example.com","email_verified":true}`, "identifier_taken", "email"},
			{`{"email":"HELD@example.com"}`, "identifier_taken", "email"},
			{`{"email":"a@example.com","email_verified":true}`, "identifier_taken", "email"}, // the first line's
			{`{"email":"b@example.com","external_id":"1"}`, "external_id_taken", "external_id"},
			{`{"email":"nobody"}`, "email_invalid", "email"},
			{`{}`, "email_invalid", "email"},
			{`{"email":"c@example.com","password_hash":"letmein"}`, "password_hash_unknown", "password_hash"},
			{`{"email":"c@example.com","password_hash":"$2b$31$WvvTPHKwdBJ3uk0Z37EMR.hLA2W6N9AEBhEgrAOljy2Ae5MtaSIUi"}`, "password_hash_cost", "password_hash"},
			{`{"email":"c@example.com","pasword_hash":"x"}`, "line_malformed", ""},
			{`{"email":7}`, "line_malformed", ""},
			{`{"email":"c@example.com"} {}`, "line_malformed", ""},
			{`not JSON`, "line_malformed", ""},
			{`{"email":"c@example.com","profile":{"name":"a\u0000b"}}`, "line_invalid", ""},
			{`{"email":"c@example.com","profile":{"name":"` + strings.Repeat("x", 70_000) + `"}}`, "line_too_long", ""},
			{`{"email":"z@example.com","email_verified":true}`, "", ""},
		}
		var file strings.Builder
		for _, l := range lines {
			file.WriteString(l.text + "\n")
		}
		tally, refused := h.load(t, file.String())
		if tally.Imported != 2 || tally.Refused != len(lines)-2 {
			t.Errorf("%+v", tally)
		}
		said := map[int]admin.LineError{}
		for _, e := range refused {
			said[e.Line] = e
			if strings.Contains(e.Detail, "WvvTPHKwdBJ3uk0Z37EMR") || strings.Contains(e.Detail, "letmein") {
				t.Errorf("line %d repeats a hash: %s", e.Line, e.Detail)
			}
		}
		for i, l := range lines {
			if got := said[i+1]; got.Code != l.code || got.Field != l.field {
				t.Errorf("line %d %.60s: %+v, want %s", i+1, l.text, got, l.code)
			}
		}
	})
}

func TestImportOfManyGoesInBatches(t *testing.T) {
	h := newHouse(t, storagetest.Open(t))
	inTx, batches := h.users.InTx, 0
	h.users.InTx = func(ctx context.Context, do func(ctx context.Context) error) error {
		batches++
		return inTx(ctx, do)
	}
	var file strings.Builder
	for i := range 1201 {
		fmt.Fprintf(&file, "{\"email\":\"p%d@example.com\",\"email_verified\":true}\n", i)
	}
	tally, refused := h.load(t, file.String())
	if tally.Imported != 1201 || len(refused) != 0 || batches != 3 {
		t.Fatalf("%+v in %d transactions, %d refused", tally, batches, len(refused))
	}
	tally, _ = h.load(t, file.String())
	if tally.Imported != 0 || tally.Refused != 1201 {
		t.Fatalf("the second time: %+v", tally)
	}
}

// SQLite has one writer, so there this cannot happen.
func TestImportRacedByASignUpLosesOnlyThatLine(t *testing.T) {
	h := newHouse(t, storagetest.OpenURL(t, storagetest.Postgres(t), nil))
	people := h.users.People
	h.users.People = racing{people, func(i identity.Identifier) {
		if i.Value == "b@example.com" {
			h.users.People = people
			h.create(t, "b@example.com")
		}
	}}
	tally, refused := h.load(t, `{"email":"a@example.com","email_verified":true}
{"email":"b@example.com","email_verified":true}
{"email":"c@example.com","email_verified":true}
`)
	if tally.Imported != 2 || len(refused) != 1 || refused[0].Line != 2 || refused[0].Code != "identifier_taken" {
		t.Fatalf("%+v %+v", tally, refused)
	}
}

// racing lets somebody act right after the import found an address free: what the database
// then says to its write ends the whole transaction.
type racing struct {
	login.People
	then func(i identity.Identifier)
}

func (r racing) Find(ctx context.Context, i identity.Identifier) (login.Person, error) {
	p, err := r.People.Find(ctx, i)
	r.then(i)
	return p, err
}

func TestImportStopsWhereReadingFails(t *testing.T) {
	h := newHouse(t, storagetest.Open(t))
	broken := errors.New("the disk is gone")
	tally, err := h.users.Import(t.Context(), &breaking{text: "{\"email\":\"a@example.com\"}\n", err: broken}, admin.CLI, func(admin.LineError) {})
	if !errors.Is(err, broken) || tally.Imported != 0 {
		t.Fatalf("%+v, %v", tally, err)
	}
}

// breaking reads its text and then fails.
type breaking struct {
	text string
	err  error
}

func (b *breaking) Read(p []byte) (int, error) {
	if b.text == "" {
		return 0, b.err
	}
	n := copy(p, b.text)
	b.text = b.text[n:]
	return n, nil
}
