package admin_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"idp/admin"
	"idp/event"
	"idp/identity"
	"idp/internal/problem"
	"idp/internal/secret"
)

func phone(number string) *string { return &number }

func TestAChangedFileSaysSoAndWhen(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		ann := h.create(t, "ann@example.com")
		h.clock.Add(time.Hour)
		u, err := h.users.Update(t.Context(), ann.ID, admin.Change{Groups: []string{"staff", " staff ", "ops"}, Phone: phone("+442079460018")}, admin.CLI)
		if err != nil || !slices.Equal(u.Groups, []string{"staff", "ops"}) || !u.UpdatedAt.Equal(h.clock.Now()) {
			t.Fatalf("%+v, %v", u, err)
		}
		p, err := h.users.Find(t.Context(), "+44 20 7946 0018")
		if err != nil || p.User.ID != ann.ID || !p.User.UpdatedAt.Equal(h.clock.Now()) {
			t.Fatalf("%+v, %v", p, err)
		}
		if made := h.happened(t, event.UserUpdated); len(made) != 1 || made[0].User != string(ann.ID) || made[0].Detail["changed"] != "groups phone" {
			t.Errorf("events %+v", made)
		}
		if name, address := p.Shown(); name != "ann@example.com" || address != "ann@example.com" {
			t.Errorf("with a phone number they are shown as %s, %s", name, address)
		}
	})
}

func TestAPhoneNumberIsOnePersonsAndNoWayIn(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		ann, bob := h.create(t, "ann@example.com"), h.create(t, "bob@example.com")
		if _, err := h.users.Update(t.Context(), ann.ID, admin.Change{Phone: phone("+442079460018"), PhoneVerified: true}, admin.CLI); err != nil {
			t.Fatal(err)
		}
		_, err := h.users.Update(t.Context(), bob.ID, admin.Change{Phone: phone("+44 20 7946 0018"), Groups: []string{"staff"}}, admin.CLI)
		if !problem.Is(err, problem.Conflict) {
			t.Errorf("a held number: %v", err)
		}
		p, err := h.users.Find(t.Context(), "bob@example.com")
		if err != nil || len(p.User.Groups) != 0 || len(p.Holdings) != 1 {
			t.Errorf("half of what was refused was done: %+v, %v", p, err)
		}
		if _, err := h.users.Create(t.Context(), admin.NewUser{Email: "cat@example.com", Phone: "+442079460018"}, admin.CLI); !problem.Is(err, problem.Conflict) {
			t.Errorf("somebody new with a held number: %v", err)
		}
		if _, err := h.users.Find(t.Context(), "cat@example.com"); !problem.Is(err, problem.NotFound) {
			t.Errorf("the person was made nevertheless: %v", err)
		}
		p, err = h.users.Find(t.Context(), "ann@example.com")
		if err != nil || len(p.Factors) != 1 || p.Factors[0].Method != identity.Password {
			t.Errorf("the number became a factor: %+v, %v", p.Factors, err)
		}
	})
}

func TestANumberThatCodesGoToStaysUntilTheFactorIsGone(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		ann := h.create(t, "ann@example.com")
		set := func(number string, verified bool) error {
			_, err := h.users.Update(t.Context(), ann.ID, admin.Change{Phone: phone(number), PhoneVerified: verified}, admin.CLI)
			return err
		}
		if err := set("+447400123456", true); err != nil {
			t.Fatal(err)
		}
		if err := h.people.SaveFactor(t.Context(), identity.Factor{
			ID: "factor_1", UserID: ann.ID, Method: identity.PhoneCode, Secret: secret.NewString("+447400123456"), CreatedAt: h.clock.Now(),
		}); err != nil {
			t.Fatal(err)
		}
		for _, c := range []struct {
			number   string
			verified bool
		}{{"", false}, {"+447400123457", true}, {"+447400123456", false}} {
			if err := set(c.number, c.verified); !errors.Is(err, admin.ErrPhoneInUse) {
				t.Errorf("%q: %v", c.number, err)
			}
		}
		if err := set("+44 7400 123456", true); err != nil {
			t.Errorf("the same again: %v", err)
		}
		if err := h.people.DropFactor(t.Context(), ann.ID, "factor_1"); err != nil {
			t.Fatal(err)
		}
		if err := set("", false); err != nil {
			t.Errorf("without the factor: %v", err)
		}
	})
}

func TestImportBringsPhonesRolesAndEveryClaim(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		tally, refused := h.load(t, `{"email":"ann@example.com","phone":"+44 20 7946 0018","phone_verified":true,"groups":["staff"],"roles":["editor","editor"],`+
			`"profile":{"name":"Ann","birthdate":"1990-01-31","zoneinfo":"Europe/Berlin","address":{"street_address":"1 Main St\nFlat 2","country":"NZ"}}}`+"\n"+
			strings.Join([]string{
				`{"email":"a@example.com","phone":"+442079460018"}`, `{"email":"b@example.com","phone":"12"}`, `{"email":"c@example.com","groups":[""]}`,
				`{"email":"d@example.com","roles":["` + strings.Repeat("x", 201) + `"]}`, `{"email":"e@example.com","profile":{"website":"ann.example"}}`, `{"email":"f@example.com"}`,
			}, "\n"))
		want := []string{"phone_invalid", "name_invalid", "name_invalid", "claim_invalid", "phone_taken"}
		var got []string
		for _, r := range refused {
			got = append(got, r.Code)
		}
		if tally.Imported != 2 || !slices.Equal(got, want) {
			t.Fatalf("%+v, refused %v", tally, got)
		}
		p, err := h.users.Find(t.Context(), "+442079460018")
		if err != nil || len(p.Holdings) != 2 || !slices.Equal(p.User.Roles, []string{"editor"}) || p.User.Profile.Address.Country != "NZ" {
			t.Errorf("%+v, %v", p, err)
		}
		if _, err := h.users.Find(t.Context(), "a@example.com"); !problem.Is(err, problem.NotFound) {
			t.Errorf("a refused line left somebody: %v", err)
		}
	})
}
