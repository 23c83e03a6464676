package e2e

import (
	"encoding/json"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// fails runs an operator's command that must not succeed and returns what it says.
func (i *instance) fails(args ...string) string {
	i.t.Helper()
	cmd := exec.Command(binary, args...)
	cmd.Env = i.environment(i.Issuer[strings.Index(i.Issuer, "://")+3:])
	out, err := cmd.CombinedOutput()
	if err == nil {
		i.t.Errorf("idp %s succeeds:\n%s", strings.Join(args, " "), out)
	}
	return string(out)
}

// soon waits until the processes know of a change, which takes them a second where the machine is idle.
func soon(t testing.TB, what string, done func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !done(); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("after %s, still not: %s", patience, what)
		}
	}
}

func TestOperatorsConnectTryCloseAndDeleteProvidersThatOthersWrote(t *testing.T) {
	eachEngine(t, func(t *testing.T, i *instance) {
		o, c := needOpenProvider(t), newCorporation(t)
		i.Start()
		b := newBrowser(t, i.Issuer)
		offered := func(name string) func() bool {
			return func() bool { return b.Get("/sign-in").Has(button(name)) }
		}

		i.Connect(o.Register(i, "other", nil)) // while it runs
		i.Connect(c.Connection("corp", nil))
		soon(t, "both are offered", func() bool { return offered("other")() && offered("corp")() })
		for name, callback := range map[string]string{"other": "/federation/other/callback", "corp": "/federation/corp/acs"} {
			if said := i.CLI("", "connection", "test", name); !strings.Contains(said, i.Issuer+callback) {
				t.Errorf("trying %s says\n%s", name, said)
			}
		}

		o.Says("olga", map[string]any{"email": "olga@example.com", "email_verified": true})
		o.Enter(b.Get("/sign-in").PressID(button("other")), "olga", "Enter").wantHome(t, "olga@example.com")
		var all []struct {
			Name, Type string
			Linked     int
			Disabled   bool
		}
		list := func() {
			t.Helper()
			said := i.CLI("", "connection", "list", "--json")
			if all = nil; json.Unmarshal([]byte(said), &all) != nil || strings.Contains(said, "secret") {
				t.Fatalf("the list reads\n%s", said)
			}
		}
		if list(); len(all) != 2 || all[0].Name != "corp" || all[0].Type != "saml" || all[1].Linked != 1 {
			t.Errorf("the list is %+v", all)
		}

		// Switched off, nobody departs or arrives by it, who set out before included.
		under := i.depart(t, "other")
		there := o.at(under)
		there.Fill("Name there", "olga").Press("Enter")
		way := there.Left
		i.CLI("", "connection", "disable", "other")
		b = newBrowser(t, i.Issuer)
		soon(t, "it is not offered any more", func() bool { return !offered("other")() })
		d := i.open()
		before := d.ledger()
		refused(t, under.Get(way.String()))
		d.grown(t, before, ledger{})
		if list(); !all[1].Disabled || all[1].Linked != 1 {
			t.Errorf("the list is %+v", all)
		}

		i.CLI("", "connection", "enable", "other")
		soon(t, "it is offered again", offered("other"))
		o.Enter(b.PressID(button("other")), "olga", "Enter").wantHome(t, "olga@example.com")

		// Deleted, what was linked by it is gone.
		i.CLI("", "connection", "delete", "other", "--force")
		if n := d.ledger().links; n != 0 {
			t.Errorf("%d links are left", n)
		}
		b = newBrowser(t, i.Issuer)
		soon(t, "it is gone", func() bool { return !offered("other")() })
		if said := i.fails("connection", "test", "other"); !strings.Contains(said, "no connection of that name") {
			t.Errorf("trying what is gone says %s", said)
		}
	})
}

func TestTryingAConnectionSaysWhatIsWrongWithIt(t *testing.T) {
	i := newInstance(t, sqliteDatabase(t))
	o := needOpenProvider(t)
	wrong := o.Register(i, "elsewhere", map[string]any{"issuer": o.Origin + "/not/here"})
	i.Connect(wrong)
	if said := i.fails("connection", "test", "elsewhere"); !strings.Contains(said, "/.well-known/openid-configuration") || strings.Contains(said, wrong["client_secret"].(string)) {
		t.Errorf("it says\n%s", said)
	}
	c := newCorporation(t)
	i.Connect(c.Connection("nowhere", map[string]any{"metadata_url": c.URL + "/nothing"}))
	if said := i.fails("connection", "test", "nowhere"); !strings.Contains(said, "metadata") {
		t.Errorf("it says\n%s", said)
	}
}
