package token

import (
	"context"
	"fmt"
	"slices"
	"time"

	"idp/event"
	"idp/internal/problem"
)

// The rhythm of keys. A successor is published for lead before it signs, longer than
// verifiers may cache the key set; a key is retired past after it stopped, longer than
// anything it signed can live.
const (
	every = 90 * 24 * time.Hour
	lead  = time.Hour
	past  = 26 * time.Hour
)

// Advance does what is due by the clock: publish successors, put them to use, retire what
// nobody needs. It is safe to call at any time, by any number of processes.
func (k *KeySet) Advance(ctx context.Context) error {
	now := k.Now()
	for _, s := range k.slots() {
		current, next := k.find(s, Current), k.find(s, Next)
		if current == nil {
			continue
		}
		if next == nil && now.Sub(current.ActivatedAt) >= every-24*time.Hour {
			if err := k.publish(ctx, s); err != nil {
				return err
			}
		}
		// A published successor is put to use when its time has come, whoever asked for it.
		if next != nil && now.Sub(next.CreatedAt) >= lead && (next.soon() || now.Sub(current.ActivatedAt) >= every) {
			if err := k.promote(ctx, *next, *current, "system"); err != nil {
				return err
			}
		}
	}
	for _, key := range k.Keys() {
		if key.State == Past && now.Sub(key.PastAt) >= past {
			if err := k.drop(ctx, key, "system", "outlived"); err != nil {
				return err
			}
		}
	}
	return k.Reload(ctx)
}

// slots are those in use: the standing ones, and those somebody asked for.
func (k *KeySet) slots() []slot {
	all := slices.Clone(standing)
	for _, key := range k.loaded().keys {
		if s := (slot{key.Purpose, key.Algorithm}); key.State == Current && !slices.Contains(all, s) {
			all = append(all, s)
		}
	}
	return all
}

// soon reports whether the successor was asked for by an operator: then it does not wait
// for the predecessor's time to run out. ActivatedAt of a next key says so.
func (key Key) soon() bool { return !key.ActivatedAt.IsZero() }

// Rotate begins a rotation of every key of that purpose on behalf of actor: a successor is
// published now and signs after an hour, at the next Advance. With force it signs at once;
// verifiers that cached the key set must then fetch it again.
func (k *KeySet) Rotate(ctx context.Context, p Purpose, force bool, actor string) error {
	if err := k.Reload(ctx); err != nil {
		return err
	}
	now, known := k.Now(), false
	for _, s := range k.slots() {
		if s.purpose != p {
			continue
		}
		known = true
		next := k.find(s, Next)
		if next == nil {
			key, err := k.generate(s, Next)
			if err != nil {
				return err
			}
			key.ActivatedAt = now // asked for: see soon
			if err := k.save(ctx, key, actor); err != nil {
				return err
			}
			next = &key
		}
		current := k.find(s, Current)
		if current == nil || !force && now.Sub(next.CreatedAt) < lead {
			continue
		}
		if err := k.promote(ctx, *next, *current, actor); err != nil {
			return err
		}
	}
	if !known {
		return problem.New(problem.NotFound, "purpose_unknown", "There are no keys for that purpose.")
	}
	return k.Reload(ctx)
}

// Retire pulls one key at once: it leaves the key set and is refused from now on. A current
// key is replaced first. Unknown keys are problem.NotFound.
func (k *KeySet) Retire(ctx context.Context, id, actor string) error {
	if err := k.Reload(ctx); err != nil {
		return err
	}
	for _, key := range k.Keys() {
		if key.ID != id {
			continue
		}
		if err := k.replace(ctx, key, actor); err != nil {
			return err
		}
		return k.Reload(ctx)
	}
	return problem.New(problem.NotFound, "key_unknown", "There is no such key, or it is retired already.")
}

// replace retires key; if it signs, its successor signs from the same moment on.
func (k *KeySet) replace(ctx context.Context, key Key, actor string) error {
	if key.State != Current {
		return k.drop(ctx, key, actor, "pulled")
	}
	s := slot{key.Purpose, key.Algorithm}
	fresh, err := k.generate(s, Current)
	if err != nil {
		return err
	}
	next := k.find(s, Next)
	return k.InTx(ctx, func(ctx context.Context) error {
		if err := k.retire(ctx, key, actor, "pulled"); err != nil {
			return err
		}
		if next == nil {
			return k.Store.SaveKey(ctx, fresh)
		}
		moved := *next
		moved.State, moved.ActivatedAt = Current, k.Now()
		return k.Store.MoveKey(ctx, moved, Next)
	})
}

func (k *KeySet) publish(ctx context.Context, s slot) error {
	key, err := k.generate(s, Next)
	if err != nil {
		return err
	}
	return k.save(ctx, key, "system")
}

// save publishes a successor. Another process that was faster has published one already.
func (k *KeySet) save(ctx context.Context, key Key, actor string) error {
	err := k.InTx(ctx, func(ctx context.Context) error {
		if err := k.Store.SaveKey(ctx, key); err != nil {
			return err
		}
		return k.record(ctx, event.KeyRotated, key, actor, "published")
	})
	if problem.Is(err, problem.Conflict) {
		return k.Reload(ctx)
	}
	return err
}

func (k *KeySet) promote(ctx context.Context, next, current Key, actor string) error {
	now := k.Now()
	err := k.InTx(ctx, func(ctx context.Context) error {
		old := current
		old.State, old.PastAt = Past, now
		if err := k.Store.MoveKey(ctx, old, Current); err != nil {
			return err
		}
		fresh := next
		fresh.State, fresh.ActivatedAt = Current, now
		if err := k.Store.MoveKey(ctx, fresh, Next); err != nil {
			return err
		}
		return k.record(ctx, event.KeyRotated, fresh, actor, "in_use")
	})
	if problem.Is(err, problem.Conflict) {
		return k.Reload(ctx) // another process did it
	}
	return err
}

func (k *KeySet) drop(ctx context.Context, key Key, actor, why string) error {
	err := k.InTx(ctx, func(ctx context.Context) error { return k.retire(ctx, key, actor, why) })
	if problem.Is(err, problem.Conflict) {
		return nil // another process did it
	}
	return err
}

func (k *KeySet) retire(ctx context.Context, key Key, actor, why string) error {
	from := key.State
	key.State, key.RetiredAt = Retired, k.Now()
	if err := k.Store.MoveKey(ctx, key, from); err != nil {
		return fmt.Errorf("retire key %s: %w", key.ID, err)
	}
	return k.record(ctx, event.KeyRetired, key, actor, why)
}

func (k *KeySet) record(ctx context.Context, kind event.Kind, key Key, actor, what string) error {
	return k.Events.Record(ctx, event.Event{Kind: kind, Actor: actor, Detail: map[string]string{
		"key": key.ID, "purpose": string(key.Purpose), "algorithm": key.Algorithm, "what": what,
	}})
}

func (k *KeySet) find(s slot, state State) *Key {
	for _, key := range k.loaded().keys {
		if key.Purpose == s.purpose && key.Algorithm == s.algorithm && key.State == state {
			return &key
		}
	}
	return nil
}
