package main

import (
	"bytes"
	"strings"
	"testing"

	"idp/login"
	"idp/login/prover"
)

func TestProveTellsWhatTheSettingsOfAnInstanceLeadTo(t *testing.T) {
	s := newShell(t)
	r := s.do("prove")
	if r.code != 0 || !strings.Contains(r.out, "Proven: ") {
		t.Fatalf("%+v", r)
	}
	for _, want := range []string{"ON FILE", "password + totp", "set up passkey", "aal2 | phr"} {
		if !strings.Contains(r.out, want) {
			t.Errorf("%q is missing", want)
		}
	}
	var report prover.Report
	s.must(&report, "prove", "--json")
	if len(report.Rows) == 0 || report.Sessions == 0 || len(report.Faults) != 0 {
		t.Errorf("%d rows, %d sessions, faults %v", len(report.Rows), report.Sessions, report.Faults)
	}
}

// What there is no name for on this instance leads nowhere, whatever the settings say.
func TestProveWalksWhatTheServerWouldOffer(t *testing.T) {
	s := newShell(t, "IDP_ISSUER=http://127.0.0.1:8080")
	r := s.do("prove")
	if r.code != 0 || !strings.Contains(r.out, "password + totp") || strings.Contains(r.out, "set up passkey") || strings.Contains(r.out, "phr") {
		t.Errorf("exit %d\n%s%s", r.code, r.out, r.err)
	}
}

func TestProveFailsWhereAPathGoesRoundOrNothingIsShown(t *testing.T) {
	var out bytes.Buffer
	c := &cli{terminal: terminal{out: &out}}
	faulty := prover.Product()
	faulty.Next = func(a login.Attempt, f login.Facts, p login.Policy) login.Step {
		f.Factors = nil
		return login.Next(a, f, p)
	}
	err := c.proven(prover.Job{Rules: faulty, Policies: prover.Policies(login.DefaultSettings()), Rows: true}.Run())
	if err == nil || !strings.Contains(out.String(), "FAULT: two-step verification was passed over") || !strings.Contains(out.String(), "identify app@example.com, prove password") {
		t.Errorf("%v\n%s", err, out.String())
	}
	if strings.Contains(out.String(), "Proven") {
		t.Error("a proof with faults says that it is one")
	}
	if err := c.proven(prover.Report{}); err == nil {
		t.Error("nothing was walked, and that is a proof")
	}
}
