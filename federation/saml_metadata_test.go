package federation_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"idp/event"
	"idp/federation"
	"idp/federation/federationtest"
	"idp/internal/problem"
	"idp/storage"
	"idp/storage/storagetest"
)

// published is a provider whose metadata is on the network.
type published struct {
	*samlHouse
	doc    atomic.Pointer[string] // what is there; nil: nothing
	read   atomic.Int32
	server *httptest.Server
}

func publish(t *testing.T, db *storage.DB) *published {
	t.Helper()
	p := &published{samlHouse: samlHouseOn(t, db)}
	p.server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		p.read.Add(1)
		if doc := p.doc.Load(); doc != nil {
			_, _ = w.Write([]byte(*doc))
			return
		}
		http.Error(w, "gone", http.StatusBadGateway)
	}))
	t.Cleanup(p.server.Close)
	p.say(p.idp.Metadata())
	p.c.Metadata, p.c.MetadataURL = "", p.server.URL
	p.f = p.local()
	return p
}

// local is a replica in development: its own address is http, and so may be others'.
func (p *published) local() *federation.Federation {
	f := p.replica()
	f.Issuer = "http://localhost"
	return f
}

func (p *published) say(doc string) { p.doc.Store(&doc) }

func (p *published) works(what string) {
	p.Helper()
	if _, err := p.signIn(); err != nil {
		p.Errorf("%s: %v", what, err)
	}
}

func TestSAMLMetadataIsReadKeptAndReadAgain(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *storage.DB) {
		p := publish(t, db)
		p.works("at first")
		p.works("at once again")
		if n := p.read.Load(); n != 1 {
			t.Errorf("it was read %d times", n)
		}
		p.f = p.local()
		p.works("on another replica")
		if n := p.read.Load(); n != 1 {
			t.Errorf("the other replica read it too: %d", n)
		}
		p.clock.Add(5 * time.Hour)
		p.works("hours later")
		if n := p.read.Load(); n != 2 {
			t.Errorf("it is not read again: %d", n)
		}
		p.doc.Store(nil)
		p.clock.Add(5 * time.Hour)
		p.works("while its address does not answer")
		p.f = p.local()
		p.works("after a restart while its address does not answer")
	})
}

func TestSAMLMetadataThatIsWorseDoesNotReplaceWhatIsKnown(t *testing.T) {
	p := publish(t, storagetest.Open(t))
	p.works("at first")
	good := p.idp.Metadata()
	begin, end := strings.Index(good, "<KeyDescriptor"), strings.Index(good, "</KeyDescriptor>")
	for name, doc := range map[string]string{
		"another provider":      strings.Replace(good, `entityID="https://idp.example/metadata"`, `entityID="https://evil.example"`, 1),
		"no certificate":        good[:begin] + good[end+len("</KeyDescriptor>"):],
		"a damaged certificate": strings.Replace(good, "MII", "!!!", 1),
		"over":                  strings.Replace(good, `validUntil="2026-02`, `validUntil="2025-02`, 1),
		"a document type":       "<!DOCTYPE x>" + good,
		"no document":           "hello",
		"too much":              good + strings.Repeat(" ", 1<<20),
		"nowhere to go":         strings.ReplaceAll(good, "https://idp.example/sso", "javascript:alert(1)"),
	} {
		if doc == good {
			t.Fatalf("%s: nothing is altered", name)
		}
		p.say(doc)
		p.clock.Add(5 * time.Hour)
		p.works(name)
		fresh := publish(t, storagetest.Open(t))
		fresh.say(doc)
		if _, err := fresh.f.Depart(t.Context(), fresh.c, fresh.d); name != "another provider" && !problem.Is(err, problem.Unavailable) {
			t.Errorf("%s, as the first word of the provider: %v", name, err)
		}
	}
	all, err := storage.NewEvents(p.db).List(t.Context(), storage.EventFilter{})
	p.must(err)
	told := 0
	for _, e := range all {
		if e.Kind == event.MetadataFailed {
			told++
		}
	}
	if told == 0 {
		t.Error("no operator is told")
	}
}

func TestSAMLMetadataIsReadAtNeedWhenTheCertificateChanges(t *testing.T) {
	p := publish(t, storagetest.Open(t))
	p.works("at first")
	p.idp.Certificate = federationtest.SelfSigned(t, p.idp.Key, p.clock.Now())
	p.say(p.idp.Metadata())
	p.clock.Add(2 * time.Minute)
	p.idp.Key = otherKey(t)
	p.idp.Certificate = federationtest.SelfSigned(t, p.idp.Key, p.clock.Now())
	p.say(p.idp.Metadata())
	p.works("signed by a new key that the metadata has")
	before := p.read.Load()
	p.idp.SignAssertion = false
	for range 5 {
		p.d = p.departure()
		p.refused("unsigned", p.idp.Answer(p.samlHouse.asked()))
	}
	if n := p.read.Load() - before; n > 1 {
		t.Errorf("strangers made us ask %d times within a minute", n)
	}
}

func TestSAMLMetadataWithoutUseIsForSigning(t *testing.T) {
	h := newSAMLHouse(t)
	h.c.Metadata = strings.Replace(h.idp.Metadata(), ` use="signing"`, "", 1)
	if _, err := h.signIn(); err != nil {
		t.Error(err)
	}
	h.idp.SignAssertion = false
	h.d = h.departure()
	h.refused("unsigned", h.idp.Answer(h.asked()))
}

func TestSAMLEntryPointAndCertificateStandForMetadata(t *testing.T) {
	h := newSAMLHouse(t)
	h.c.Metadata, h.c.EntityID, h.c.EntryPoint = "", h.idp.EntityID, "https://idp.example/sso"
	h.c.Certificate = inPEM("CERTIFICATE", h.idp.Certificate.Raw)
	if _, err := h.signIn(); err != nil {
		t.Error(err)
	}
}

func TestSAMLMetadataOfAllIsReadByTheJob(t *testing.T) {
	p := publish(t, storagetest.Open(t))
	p.c.CreatedAt, p.c.UpdatedAt = p.clock.Now(), p.clock.Now()
	p.must(storage.NewConnections(p.db).SaveConnection(t.Context(), p.c))
	p.must(p.f.Reload(t.Context()))
	p.must(p.f.RefreshMetadata(t.Context(), json.RawMessage(nil)))
	if p.server.Close(); p.read.Load() != 1 {
		t.Errorf("it was read %d times", p.read.Load())
	}
	p.works("once it was read")
}

func TestSAMLConnectionIsTriedStepByStep(t *testing.T) {
	p := publish(t, storagetest.Open(t))
	steps := func() (all map[string]federation.Result, r federation.Report) {
		r, all = p.f.Test(t.Context(), p.c), map[string]federation.Result{}
		for _, f := range r.Findings {
			if all[f.Step] != federation.Trouble {
				all[f.Step] = f.Result
			}
			if f.Says == "" || f.Result != federation.Fine && f.Do == "" {
				t.Errorf("%s says %q and to do %q", f.Step, f.Says, f.Do)
			}
		}
		return all, r
	}
	all, r := steps()
	if !r.OK() || all["certificate"] != federation.Fine || all["binding"] != federation.Fine || r.Callback != "http://localhost/federation/acme/acs" {
		t.Errorf("a right connection: %+v", r)
	}
	p.works("the provider is known now")
	p.say(strings.Replace(p.idp.Metadata(), `entityID="https://idp.example/metadata"`, `entityID="https://evil.example"`, 1))
	if all, r = steps(); r.OK() || all["issuer"] != federation.Trouble {
		t.Errorf("another provider: %+v", r)
	}
	p.doc.Store(nil)
	if all, r = steps(); r.OK() || all["address"] != federation.Trouble {
		t.Errorf("nothing there: %+v", r)
	}
	p.say("<x/>")
	if all, r = steps(); r.OK() || all["document"] != federation.Trouble {
		t.Errorf("no metadata there: %+v", r)
	}
	p.say(p.idp.Metadata())
	p.clock.Add(200 * 24 * time.Hour)
	p.say(p.idp.Metadata())
	if all, r = steps(); r.OK() || all["certificate"] != federation.Trouble {
		t.Errorf("a certificate that is over: %+v", r)
	}
}
