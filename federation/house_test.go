package federation_test

import (
	"testing"

	"idp/federation"
	"idp/federation/federationtest"
	"idp/internal/problem"
	"idp/storage"
	"idp/storage/storagetest"
)

// house is a federation on a real database, with a clock that tests can turn and a provider.
type house struct {
	*testing.T
	db    *storage.DB
	clock *storagetest.Clock
	f     *federation.Federation
	op    *federationtest.OP
	c     federation.Connection
}

func newHouse(t *testing.T) *house { t.Helper(); return houseOn(t, storagetest.Open(t)) }

func houseOn(t *testing.T, db *storage.DB) *house {
	t.Helper()
	h := &house{T: t, db: db, clock: storagetest.NewClock()}
	h.op = federationtest.New(t, h.clock.Now)
	h.c = h.op.Connection("acme")
	h.f = &federation.Federation{
		Store: storage.NewConnections(db), Outbound: federationtest.Outbound(h.op), Box: storagetest.Box(),
		Issuer: "https://id.example.com", Now: h.clock.Now,
	}
	return h
}

func (h *house) must(err error) {
	h.Helper()
	if err != nil {
		h.Fatal(err)
	}
}

// departure is a fresh one.
func (h *house) departure() federation.Departure {
	return federation.Departure{State: federation.NewState("attempt_1"), At: h.clock.Now()}
}

// signIn takes somebody through the connection.
func (h *house) signIn() (federation.Assertion, error) {
	h.Helper()
	return h.op.Through(h.f, h.c, h.departure())
}

// refused says that err must be a problem of that code, whose sentence has nothing of the provider's.
func (h *house) refused(what string, x federation.Assertion, err error, want *problem.Error) {
	h.Helper()
	if !problem.HasCode(err, want.Code) {
		h.Errorf("%s: %v, want %s", what, err, want.Code)
	}
	if x.Account.Subject != "" || x.Verdict.Verified {
		h.Errorf("%s: still, somebody came out: %+v", what, x)
	}
}
