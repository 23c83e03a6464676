package storage

import (
	"context"
	"time"

	"github.com/uptrace/bun"

	"idp/internal/secret"
)

// txKey carries a transaction of one particular database.
type txKey struct{ db *DB }

type transaction struct{ bun bun.Tx }

func (db *DB) current(ctx context.Context) *transaction {
	tx, _ := ctx.Value(txKey{db}).(*transaction)
	return tx
}

const (
	txTries   = 8
	txBackoff = 5 * time.Millisecond // the first pause at most, doubled each time
)

// InTx runs do in one transaction: all of it is kept, or nothing. Called inside a
// transaction it joins that one. A transaction that lost against another (40001, 40P01,
// SQLITE_BUSY_SNAPSHOT) is run again, a few times, so do must bear repetition: no network,
// hashing or rendering in there. The context given to do carries the transaction.
func (db *DB) InTx(ctx context.Context, do func(ctx context.Context) error) error {
	if db.current(ctx) != nil {
		return do(ctx)
	}
	backoff := txBackoff
	for try := 1; ; try++ {
		err := db.writer.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error {
			return do(context.WithValue(ctx, txKey{db}, &transaction{tx}))
		})
		if err == nil || try == txTries || !lostRace(err) || ctx.Err() != nil {
			return unreachable(err)
		}
		if err := pause(ctx, backoff); err != nil {
			return err
		}
		backoff *= 2
	}
}

// pause waits between half of most and most, so that those who collided part ways.
func pause(ctx context.Context, most time.Duration) error {
	b := secret.Bytes(1)
	wait := most/2 + most/2*time.Duration(b[0])/255
	t := time.NewTimer(wait)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}
