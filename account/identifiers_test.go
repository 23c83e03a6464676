package account_test

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"idp/event"
	"idp/identity"
	"idp/internal/secret"
	"idp/internal/web/webtest"
	"idp/message"
	"idp/storage"
)

// hold puts another address or number on a person's file, verified or not.
func (d *desk) hold(u identity.UserID, kind identity.Kind, value string, verified bool, source string) identity.HoldingID {
	d.Helper()
	h := identity.Holding{
		ID: identity.HoldingID(secret.NewID("holding")), UserID: u, Identifier: identity.Identifier{Kind: kind, Value: value}, Source: source, CreatedAt: d.clock.Now(),
	}
	if verified {
		h.VerifiedAt = d.clock.Now()
	}
	d.must(d.people.SaveHolding(d.Context(), h))
	return h.ID
}

// file says what is on a person's file: "main!" is primary, "?" unverified.
func (d *desk) file(u identity.UserID) string {
	d.Helper()
	p, err := d.people.Person(d.Context(), u)
	d.must(err)
	var all []string
	for _, h := range p.Holdings {
		v := h.Identifier.Value
		if h.Primary {
			v += "!"
		}
		if !h.Verified() {
			v += "?"
		}
		all = append(all, v)
	}
	slices.Sort(all)
	return strings.Join(all, " ")
}

// letter returns the last message of that kind to that address.
func (d *desk) letter(kind message.Kind, to string) message.Message {
	d.Helper()
	for _, m := range slices.Backward(d.letters) {
		if m.Kind == kind && m.To.Value == to {
			return m
		}
	}
	d.Fatalf("nothing of the kind %s went to %s", kind, to)
	return message.Message{}
}

func (d *desk) happened(u identity.UserID, k event.Kind) int {
	d.Helper()
	all, err := d.events.List(d.Context(), storage.EventFilter{User: string(u), Limit: 1000})
	d.must(err)
	n := 0
	for _, e := range all {
		if e.Kind == k {
			n++
		}
	}
	return n
}

func TestAnAddressIsAddedByItsCodeAndMadeTheMainOneAndTheOldOneIsTold(t *testing.T) {
	each(t, func(d *desk) {
		ann := d.person("ann")
		d.password(ann)
		b, _ := d.on(nil, ann)
		b.Get("/account").Post("/account/identifiers", "kind", "email", "address", "Work@Example.com").Want(303, "/sign-in/attempt_")
		at := b.To
		b.Get(at).Want(200, "w•••@example.com")
		if got := d.file(ann); got != "ann@example.com!" {
			t.Fatalf("before it answered, on file are %s", got)
		}
		b.Post(at+"/prove", "method", "email_code", "code", "000000").Want(422)
		code := d.letter(message.VerifyAddress, "work@example.com").Code.Reveal()
		b.Post(at+"/prove", "method", "email_code", "code", code).Want(303, "/account?done=added").Follow().Want(200, "on your account now", "work@example.com")
		if got := d.file(ann); got != "ann@example.com! work@example.com" {
			t.Fatalf("on file are %s", got)
		}
		d.letters = nil
		id := d.idOf(ann, "work@example.com")
		b.Post("/account/identifiers/primary", "id", string(id)).Want(303, "done=primary").Follow().Want(200, "main one now")
		if got := d.file(ann); got != "ann@example.com work@example.com!" {
			t.Errorf("on file are %s", got)
		}
		if d.letter(message.Changed, "ann@example.com").Notice == nil || d.happened(ann, event.AddressPrimary) != 1 {
			t.Error("the old main address was not told")
		}
		d.letters = nil
		b.Post("/account/identifiers/remove", "id", string(d.idOf(ann, "ann@example.com"))).Want(303, "done=removed")
		d.letter(message.Changed, "ann@example.com")
		if got := d.file(ann); got != "work@example.com!" || d.happened(ann, event.AddressRemoved) != 1 {
			t.Errorf("on file are %s", got)
		}
	})
}

func (d *desk) idOf(u identity.UserID, value string) identity.HoldingID {
	d.Helper()
	p, err := d.people.Person(d.Context(), u)
	d.must(err)
	for _, h := range p.Holdings {
		if h.Identifier.Value == value {
			return h.ID
		}
	}
	d.Fatalf("%s is not on file", value)
	return ""
}

func TestAnOldSessionChangesNothingThatIsSensitive(t *testing.T) {
	each(t, func(d *desk) {
		ann := d.person("ann")
		d.password(ann)
		work := d.hold(ann, identity.Email, "work@example.com", true, identity.SourceSelf)
		b, _ := d.on(nil, ann)
		b.Get("/account").Want(200)
		d.clock.Add(11 * time.Minute)
		before := d.file(ann)
		for _, act := range [][]string{
			{"/account/identifiers/primary", "id", string(work)},
			{"/account/identifiers/remove", "id", string(work)},
			{"/account/password", "password", "another quiet harbour", "others", "yes"},
			{"/account/password/remove"},
			{"/account/export"},
			{"/account/delete", "confirm", "ann@example.com"},
		} {
			b.Post(act[0], act[1:]...).Want(303, "/sign-in/attempt_")
		}
		for _, act := range [][3]string{
			{"PATCH", "/me/identifiers/" + string(work), `{"primary":true}`}, {"DELETE", "/me/identifiers/" + string(work), ""},
			{"POST", "/me/password", `{"password":"another quiet harbour"}`}, {"DELETE", "/me/password", ""}, {"GET", "/me/export", ""},
			{"DELETE", "/me", `{"confirm":"ann@example.com"}`},
		} {
			d.call(b, act[0], act[1], act[2]).want(403, `"code":"step_up_required"`, `"goal":"step_up"`)
		}
		if d.file(ann) != before || d.happened(ann, event.PasswordChanged)+d.happened(ann, event.UserExported) != 0 {
			t.Errorf("something changed: %s", d.file(ann))
		}
		// Adding goes through the same attempt: first the proof, then the code of the new address.
		b.Get("/account").Post("/account/identifiers", "kind", "email", "address", "new@example.com")
		at := b.To
		b.Get(at).Want(200, "Password").Post(at+"/prove", "method", "password", "password", rightPassword).Want(303, at)
		if d.file(ann) != before {
			t.Fatalf("the password alone put it on file: %s", d.file(ann))
		}
		b.Get(at).Post(at+"/prove", "method", "email_code", "code", d.letter(message.VerifyAddress, "new@example.com").Code.Reveal()).Want(303, "/account?done=added")
	})
}

func TestTheLastAddressAndANumberInUseStay(t *testing.T) {
	each(t, func(d *desk) {
		ann := d.person("ann")
		assigned := d.hold(ann, identity.Email, "desk@corp.example", false, identity.SourceOperator)
		phone := d.hold(ann, identity.Phone, "+442079460018", true, identity.SourceSelf)
		b, _ := d.on(nil, ann)
		b.Get("/account").Post("/account/identifiers/remove", "id", string(d.idOf(ann, "ann@example.com"))).Want(409, "Add another one first")
		b.Post("/account/identifiers/primary", "id", string(assigned)).Want(409, "Verify it first")
		d.must(d.people.SaveFactor(t.Context(), identity.Factor{ID: "factor_sms", UserID: ann, Method: identity.PhoneCode, Secret: secret.NewString("+442079460018"), CreatedAt: d.clock.Now()}))
		b.Post("/account/identifiers/remove", "id", string(phone)).Want(409, "codes go to that number")
		d.must(d.people.DropFactor(t.Context(), ann, "factor_sms"))
		b.Post("/account/identifiers/remove", "id", string(phone)).Want(303, "done=removed")
		b.Post("/account/identifiers/remove", "id", string(assigned)).Want(303, "done=removed")
		if got := d.file(ann); got != "ann@example.com!" {
			t.Errorf("on file are %s", got)
		}
	})
}

func TestAnAddressThatAnOperatorAssignedIsVerifiedByItsCode(t *testing.T) {
	each(t, func(d *desk) {
		ann := d.person("ann")
		d.password(ann)
		d.hold(ann, identity.Email, "desk@corp.example", false, identity.SourceOperator)
		d.settings.Addresses.Allowed = []string{"example.com"} // the operator's own choice is above the rules
		b, _ := d.on(nil, ann)
		b.Get("/account").Want(200, "Not verified").Post("/account/identifiers", "kind", "email", "address", "desk@corp.example").Want(303, "/sign-in/attempt_")
		at := b.To
		b.Get(at).Post(at+"/prove", "method", "email_code", "code", d.letter(message.VerifyAddress, "desk@corp.example").Code.Reveal()).Want(303, "done=added")
		if got := d.file(ann); got != "ann@example.com! desk@corp.example" {
			t.Errorf("on file are %s", got)
		}
		b.Get("/account").Post("/account/identifiers", "kind", "email", "address", "eve@corp.example").Want(422)
	})
}

func TestNobodyTouchesWhatIsOnSomebodyElsesFile(t *testing.T) {
	each(t, func(d *desk) {
		ann, eve := d.person("ann"), d.person("eve")
		spare := d.hold(ann, identity.Email, "spare@example.com", true, identity.SourceSelf)
		before := d.file(ann)
		b, s := d.on(nil, eve)
		_, anns := d.on(nil, ann)
		b.Get("/account").Post("/account/identifiers/remove", "id", string(spare)).Want(404)
		b.Post("/account/identifiers/primary", "id", string(spare)).Want(404)
		d.call(b, "PATCH", "/me/identifiers/"+string(spare), `{"primary":true}`).want(404, "identifier_unknown")
		d.call(b, "DELETE", "/me/identifiers/"+string(spare), "").want(404, "identifier_unknown")
		d.call(b, "DELETE", "/me/sessions/"+string(anns.ID), "").want(404, "session_unknown")
		if d.file(ann) != before || !d.alive(anns) || !d.alive(s) {
			t.Errorf("ann's file is %s", d.file(ann))
		}
	})
}

func TestWhatIsNoSingleAddressIsRefused(t *testing.T) {
	each(t, func(d *desk) {
		ann := d.person("ann")
		b, _ := d.on(nil, ann)
		b.Get("/account")
		for _, bad := range []string{`"e@attacker.com"@victim.com`, "x\r\nBcc: y@example.com", "a@example.com,b@example.com", "a@x@y.com", "", "+15005550006", "Ann <a@example.com>"} {
			b.Post("/account/identifiers", "kind", "email", "address", bad).Want(422, `id="new-email-error"`)
		}
		b.Post("/account/identifiers", "kind", "phone", "address", "+442079460018").Want(422, `data-error="sms_off"`)
		b.Post("/account/identifiers", "kind", "phone", "address", "ann@example.com").Want(422, `data-error="phone_invalid"`)
		b.Post("/account/identifiers", "kind", "email", "address", "ann@example.com").Want(409, "on your account already")
		for i := range 49 {
			d.hold(ann, identity.Email, fmt.Sprintf("ann%d@example.com", i), true, identity.SourceSelf)
		}
		b.Post("/account/identifiers", "kind", "email", "address", "onemore@example.com").Want(409, "as many as an account can have")
		if len(d.letters) != 0 {
			t.Errorf("%d letters went out", len(d.letters))
		}
	})
}

func TestTwoTabsThatMakeDifferentAddressesTheMainOneLeaveOne(t *testing.T) {
	each(t, func(d *desk) {
		ann := d.person("ann")
		ids := []identity.HoldingID{d.hold(ann, identity.Email, "b@example.com", true, "self"), d.hold(ann, identity.Email, "c@example.com", true, "self")}
		b, _ := d.on(nil, ann)
		b.Get("/account")
		for range 4 {
			d.together(2, func(i int) {
				tab := *b
				tab.Post("/account/identifiers/primary", "id", string(ids[i])).Want(303)
			})
			if n := strings.Count(d.file(ann), "!"); n != 1 {
				t.Fatalf("%d main addresses: %s", n, d.file(ann))
			}
		}
	})
}

func TestOfTwoWhoAddTheSameAddressAtOnceOneHasIt(t *testing.T) {
	each(t, func(d *desk) {
		people := []identity.UserID{d.person("ann"), d.person("eve")}
		var tabs []*webtest.Browser
		var codes []string
		for _, u := range people {
			d.password(u)
			b, _ := d.on(nil, u)
			d.letters = nil
			b.Get("/account").Post("/account/identifiers", "kind", "email", "address", "shared@example.com").Want(303, "/sign-in/attempt_")
			b.Get(b.To)
			tabs, codes = append(tabs, b), append(codes, d.letter(message.VerifyAddress, "shared@example.com").Code.Reveal())
			d.clock.Add(31 * time.Second)
		}
		ats := []string{attemptIn(tabs[0]), attemptIn(tabs[1])}
		tabs[0].Post(ats[0]+"/prove", "method", "email_code", "code", codes[1]).Want(422) // a code of one attempt is none of another's
		var status [2]int
		d.together(2, func(i int) {
			status[i] = tabs[i].Post(ats[i]+"/prove", "method", "email_code", "code", codes[i]).Status
		})
		owners := strings.Count(d.file(people[0])+d.file(people[1]), "shared@example.com")
		if owners != 1 || slices.Max(status[:]) >= 500 {
			t.Errorf("%d have it; answered %v", owners, status)
		}
	})
}

// attemptIn is the path of the attempt that the forms of a page are about.
func attemptIn(b *webtest.Browser) string {
	b.Helper()
	_, rest, ok := strings.Cut(b.Page, `action="/sign-in/`)
	id, _, _ := strings.Cut(rest, "/")
	if !ok {
		b.Fatalf("no attempt on %s", b.Page)
	}
	return "/sign-in/" + id
}

// together does something n times at once.
func (d *desk) together(n int, do func(i int)) {
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() { do(i) })
	}
	all.Wait()
}
