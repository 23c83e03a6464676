package main

import (
	"context"
	"encoding/json"
	"io"
	"net"
	"strings"
	"testing"

	"idp/token/doctor"
)

func TestTheDoctorExaminesARunningInstance(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	_ = l.Close()
	s := newShell(t, "IDP_LISTEN="+address)
	if r := s.do("doctor", "hasura"); r.code != 1 || !strings.Contains(r.out, "cannot be fetched") || !strings.Contains(r.out, "Start idp serve") {
		t.Errorf("nothing runs: %+v", r)
	}
	var ann struct{ ID string }
	s.must(&ann, "user", "create", "--email", "ann@example.com", "--json")

	ctx, stop := context.WithCancel(t.Context())
	said, tell := io.Pipe()
	ended := make(chan int, 1)
	go func() {
		ended <- run(ctx, terminal{in: strings.NewReader(""), out: tell, err: io.Discard, environ: s.env}, []string{"serve"})
		_ = tell.Close()
	}()
	readUntil(t, said, "?token=op_")
	go func() { _, _ = io.Copy(io.Discard, said) }()

	r := s.do("doctor", "hasura")
	for _, want := range []string{"ok       signature: It verifies", "ok       cache: public, max-age=600", "idp template create --preset hasura", `"jwk_url": "http://localhost:`, "hasura.io/docs"} {
		if r.code != 0 || !strings.Contains(r.out, want) {
			t.Errorf("exit %d, %q is missing\n%s%s", r.code, want, r.out, r.err)
		}
	}
	var report doctor.Report
	s.must(&report, "doctor", "hasura", "--user", "ann@example.com", "--json")
	var events []struct {
		Actor, User string
		Detail      map[string]string
	}
	s.must(&events, "events", "list", "--kind", "template.previewed", "--json")
	if len(events) != 1 || events[0].Actor != "operator:cli" || events[0].User != ann.ID || events[0].Detail["doctor"] != "hasura" {
		t.Errorf("it leaves %+v", events)
	}
	var claims struct{ Sub, Sid string }
	if err := json.Unmarshal(report.Claims, &claims); err != nil || claims.Sub != ann.ID || claims.Sid != "" {
		t.Errorf("%s, %v; want claims of %s without a session", report.Claims, err, ann.ID)
	}
	if r := s.do("doctor", "instantdb", "--user", "ann@example.com"); r.code != 1 || !strings.Contains(r.out, "address is not verified") {
		t.Errorf("%+v", r)
	}
	s.must(nil, "template", "create", "--preset", "postgrest", "--set", "role=app_user", "--name", "api")
	report = doctor.Report{}
	s.must(&report, "doctor", "postgrest", "--template", "api", "--json")
	if !report.OK() || report.Template != "api" || !strings.Contains(string(report.Claims), `"role": "app_user"`) {
		t.Errorf("%s: %s", report.Template, report.Claims)
	}
	if r := s.do("doctor", "hasura", "--template", "api"); r.code != 1 || !strings.Contains(r.out, "failure  namespace: ") || !strings.Contains(r.err, "tokens of api will not do for Hasura") {
		t.Errorf("a template for something else: %+v", r)
	}
	if r := s.with("c2f1a09be37d4486b5f0e1d2a3c4f5e6", "template", "create", "--preset", "supabase-legacy", "--signing-key-file", "-"); r.code != 0 {
		t.Fatalf("%+v", r)
	}
	if r := s.do("doctor", "supabase-legacy", "--template", "supabase-legacy"); r.code != 0 || strings.Contains(r.out, "c2f1a09b") || strings.Contains(r.out, "eyJ") {
		t.Errorf("by a shared secret: %+v", r)
	}
	for why, args := range map[string][]string{
		"no target":               {"doctor"},
		"an unknown target":       {"doctor", "nowhere"},
		"an unknown template":     {"doctor", "hasura", "--template", "nowhere"},
		"an unknown person":       {"doctor", "hasura", "--user", "user_nobody"},
		"a key that is not there": {"doctor", "supabase-legacy"},
	} {
		if r := s.do(args...); r.code == 0 {
			t.Errorf("%s: %+v", why, r)
		}
	}
	stop()
	<-ended
}
