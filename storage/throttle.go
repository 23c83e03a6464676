package storage

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"github.com/uptrace/bun"

	"idp/login"
)

var _ login.Throttle = (*Throttle)(nil)

// Throttle counts failures. It keeps a MAC of each key, never the address in it.
type Throttle struct{ db *DB }

// NewThrottle returns the throttle of a database.
func NewThrottle(db *DB) *Throttle { return &Throttle{db} }

type throttleRow struct {
	bun.BaseModel `bun:"table:throttles,alias:t"`

	ID        string `bun:",pk"`
	Failures  int
	ExpiresAt int64
}

func (t *Throttle) id(key string) string { return string(t.db.box.MAC("throttle", key)) }

// ids returns the rows of keys, in one order for all: then two transactions never wait
// for each other.
func (t *Throttle) ids(keys []string) []string {
	ids := make([]string, len(keys))
	for i, k := range keys {
		ids[i] = t.id(k)
	}
	slices.Sort(ids)
	return ids
}

// errBudgetSpent rolls a reservation back; nobody outside sees it.
var errBudgetSpent = errors.New("a budget is spent")

// Reserve takes one try from every budget, or none if one is spent. Then it says how long
// to wait until the last of the spent ones is forgotten.
func (t *Throttle) Reserve(ctx context.Context, budgets []login.Budget, now time.Time) (time.Duration, error) {
	_, _, wait, err := t.reserve(ctx, nil, budgets, now)
	return wait, err
}

// ReserveUnless is Reserve, except that it takes nothing and says so if one of the watched is
// spent. It costs no more than Reserve: one look is for both.
func (t *Throttle) ReserveUnless(ctx context.Context, watched, budgets []login.Budget, now time.Time) (doubtful bool, wait time.Duration, err error) {
	_, doubtful, wait, err = t.reserve(ctx, watched, budgets, now)
	return doubtful, wait, err
}

// Count is Reserve that says how many tries each budget has given, if it gave one of each.
// Of those who race exactly one is told of each number.
func (t *Throttle) Count(ctx context.Context, budgets []login.Budget, now time.Time) (counts []int, wait time.Duration, err error) {
	counts, _, wait, err = t.reserve(ctx, nil, budgets, now)
	return counts, wait, err
}

func (t *Throttle) reserve(ctx context.Context, watched, budgets []login.Budget, now time.Time) (counts []int, doubtful bool, wait time.Duration, err error) {
	if len(budgets)+len(watched) == 0 {
		return nil, false, 0, nil
	}
	order := make([]int, len(budgets))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int { return cmp.Compare(t.id(budgets[a].Key), t.id(budgets[b].Key)) })
	// A look first: a flood of refused tries must not queue for the writer.
	rows, err := t.look(ctx, slices.Concat(watched, budgets), now)
	if err != nil {
		return nil, false, 0, err
	}
	wait = t.spent(rows, budgets, now)
	if doubtful = t.spent(rows, watched, now) > 0; doubtful || wait > 0 || len(budgets) == 0 {
		return nil, doubtful, wait, nil
	}
	counts = make([]int, len(budgets))
	err = t.db.InTx(ctx, func(ctx context.Context) error {
		wait = 0
		for _, i := range order {
			count, left, err := t.take(ctx, budgets[i], now)
			if err != nil {
				return err
			}
			counts[i], wait = count, max(wait, left)
		}
		if wait > 0 {
			return errBudgetSpent
		}
		return nil
	})
	if errors.Is(err, errBudgetSpent) {
		return nil, false, wait, nil
	}
	return counts, false, 0, err
}

// look reads what is counted under the keys of the budgets.
func (t *Throttle) look(ctx context.Context, budgets []login.Budget, now time.Time) (map[string]throttleRow, error) {
	ids := make([]string, 0, len(budgets))
	for _, b := range budgets {
		ids = append(ids, t.id(b.Key))
	}
	var rows []throttleRow
	err := t.db.read(ctx).NewSelect().Model(&rows).
		Where("id IN (?)", bun.List(ids)).
		Where("expires_at > ?", stamp(now)).
		Limit(int64(len(ids))).
		Scan(ctx)
	if err != nil {
		return nil, explain("read throttles", err)
	}
	counted := make(map[string]throttleRow, len(rows))
	for _, r := range rows {
		counted[r.ID] = r
	}
	return counted, nil
}

// spent is how long to wait until none of the budgets is spent any more.
func (t *Throttle) spent(counted map[string]throttleRow, budgets []login.Budget, now time.Time) (wait time.Duration) {
	for _, b := range budgets {
		if r, ok := counted[t.id(b.Key)]; ok && r.Failures >= b.Limit {
			wait = max(wait, instant(r.ExpiresAt).Sub(now))
		}
	}
	return wait
}

// take counts one failure in one statement and returns how many there are, or how long to
// wait if the budget was spent.
func (t *Throttle) take(ctx context.Context, b login.Budget, now time.Time) (int, time.Duration, error) {
	var r throttleRow
	at, until := stamp(now), stamp(now.Add(b.Window))
	err := t.db.write(ctx).NewRaw(`
		INSERT INTO throttles AS t (id, failures, expires_at)
		VALUES (?0, 1, ?1)
		ON CONFLICT (id) DO UPDATE SET
			failures = CASE
				WHEN t.expires_at <= ?2 THEN 1
				WHEN t.failures < ?3 THEN t.failures + 1
				ELSE ?3 + 1
			END,
			expires_at = CASE
				WHEN t.expires_at <= ?2 OR t.failures < ?3 THEN ?1
				ELSE t.expires_at
			END
		RETURNING failures, expires_at`, t.id(b.Key), until, at, b.Limit).Scan(ctx, &r.Failures, &r.ExpiresAt)
	if err != nil {
		return 0, 0, explain("count a try", err)
	}
	if r.Failures <= b.Limit {
		return r.Failures, 0, nil
	}
	return r.Failures, max(instant(r.ExpiresAt).Sub(now), time.Microsecond), nil
}

// Release gives one try back to each key that is still counted at now.
func (t *Throttle) Release(ctx context.Context, keys []string, now time.Time) error {
	return t.Forgive(ctx, keys, nil, now)
}

// Clear forgets the keys.
func (t *Throttle) Clear(ctx context.Context, keys []string) error {
	return t.Forgive(ctx, nil, keys, time.Time{})
}

// Forgive gives a try back to the first keys and forgets the second. All rows are taken in
// the one order that Reserve takes them in.
func (t *Throttle) Forgive(ctx context.Context, release, clear []string, now time.Time) error {
	if len(release)+len(clear) == 0 {
		return nil
	}
	forgotten := t.ids(clear)
	return t.db.InTx(ctx, func(ctx context.Context) error {
		for _, id := range t.ids(slices.Concat(release, clear)) {
			var err error
			if slices.Contains(forgotten, id) {
				_, err = t.db.write(ctx).NewDelete().Model((*throttleRow)(nil)).Where("id = ?", id).Exec(ctx)
			} else {
				_, err = t.db.write(ctx).NewUpdate().Model((*throttleRow)(nil)).
					Set("failures = failures - 1").
					Where("id = ?", id).
					Where("failures > 0").
					Where("expires_at > ?", stamp(now)).
					Exec(ctx)
			}
			if err != nil {
				return explain("forgive", err)
			}
		}
		return nil
	})
}
