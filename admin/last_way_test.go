package admin_test

import (
	"testing"

	"idp/admin"
	"idp/event"
	"idp/internal/problem"
)

func TestWhereOnlyConnectionsAreLeftTheLastOfThemStays(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		c, ctx := h.connections(), t.Context()
		c.SignIn, h.settings.Connections = h.settings.SignIn, c.Federation.Store.Connections
		must := func(err error) {
			t.Helper()
			if err != nil {
				t.Fatal(err)
			}
		}
		only := func() error {
			s, version, err := h.settings.Load(ctx)
			must(err)
			s.SignIn.Password, s.SignIn.EmailCode, s.SignIn.EmailLink = false, false, false
			return h.settings.Save(ctx, s, version, admin.CLI)
		}
		refused := func(what string, err error, code string) {
			t.Helper()
			if !problem.HasCode(err, code) {
				t.Errorf("%s: %v, want %s", what, err, code)
			}
		}
		refused("without any", only(), "settings_invalid")
		hidden := upstream("hidden")
		hidden.Hidden = true
		_, err := c.Create(ctx, hidden, admin.CLI)
		must(err)
		off := upstream("off")
		off.Disabled = true
		_, err = c.Create(ctx, off, admin.CLI)
		must(err)
		refused("with one that has no button and one that is off", only(), "settings_invalid")
		if !h.settings.SignIn().Password || len(h.happened(t, event.SettingsChanged)) != 0 {
			t.Error("what was refused is in force")
		}

		_, err = c.Create(ctx, upstream("acme", "acme.com"), admin.CLI)
		must(err)
		must(only())
		if in := h.settings.SignIn(); in.Password || in.EmailCode || in.EmailLink {
			t.Fatalf("%+v", in)
		}
		must(h.settings.Reload(ctx)) // as another process does
		if h.settings.SignIn().Password {
			t.Error("the saved settings stay unused")
		}
		x := upstream("acme")
		x.Hidden = true
		_, err = c.Replace(ctx, "acme", x, admin.CLI)
		refused("hide the last", err, "connection_last")
		refused("disable the last", c.Disable(ctx, "acme", admin.CLI), "connection_last")
		_, err = c.Delete(ctx, "acme", false, admin.CLI)
		refused("delete the last", err, "connection_last")
		if x, err := c.Get(ctx, "acme"); err != nil || x.Disabled || x.Hidden {
			t.Errorf("%+v %v", x, err)
		}
		must(c.Disable(ctx, "hidden", admin.CLI))

		must(c.Enable(ctx, "off", admin.CLI))
		must(c.Disable(ctx, "acme", admin.CLI))
		_, err = c.Delete(ctx, "off", true, admin.CLI)
		must(err) // who insists may
	})
}
