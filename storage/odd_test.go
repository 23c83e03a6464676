package storage_test

import (
	"testing"

	"idp/event"
	"idp/internal/problem"
	"idp/login"
	"idp/provider"
	"idp/storage"
	"idp/storage/storagetest"
)

// What a stranger types reaches lookups as it is. It must never look like our own fault.
func TestTextThatNoColumnCanHoldIsNotFoundOrMalformed(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *storage.DB) {
		ctx := within(t)
		for why, text := range map[string]string{
			"a NUL": "a\x00b", "no UTF-8": "a\xff\xfeb", "half a rune": "a\xc3", "a quote": `a'b"c\d`, "a question": "a?b?0",
		} {
			_, err := storage.NewLogin(db).Attempt(ctx, login.AttemptID(text))
			if !problem.Is(err, problem.NotFound) {
				t.Errorf("looking for %s: %v", why, err)
			}
			_, err = storage.NewClients(db).Client(ctx, provider.ClientID(text))
			if !problem.Is(err, problem.NotFound) {
				t.Errorf("looking for a client with %s: %v", why, err)
			}
			err = storage.NewEvents(db).Record(ctx, event.Event{Kind: event.UserBanned, Network: text})
			if err != nil && !problem.Is(err, problem.Malformed) {
				t.Errorf("writing %s: %v", why, err)
			}
			list, err := storage.NewEvents(db).List(ctx, storage.EventFilter{User: text})
			if len(list) != 0 || err != nil && !problem.Is(err, problem.Malformed) {
				t.Errorf("listing by %s: %v", why, err)
			}
		}
	})
}
