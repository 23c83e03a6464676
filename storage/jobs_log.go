package storage

import (
	"context"
	"errors"
	"log/slog"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"
)

// quiet lets of River's log only what somebody should look at. River tells of every start
// and every round, and of queries that it cancelled itself to stop or to hand over its lead.
type quiet struct{ slog.Handler }

// Enabled implements slog.Handler.
func (q quiet) Enabled(ctx context.Context, level slog.Level) bool {
	return level >= slog.LevelWarn && !errors.Is(ctx.Err(), context.Canceled) && q.Handler.Enabled(ctx, level)
}

// WithAttrs implements slog.Handler.
func (q quiet) WithAttrs(attrs []slog.Attr) slog.Handler { return quiet{q.Handler.WithAttrs(attrs)} }

// WithGroup implements slog.Handler.
func (q quiet) WithGroup(name string) slog.Handler { return quiet{q.Handler.WithGroup(name)} }

// failures logs jobs that failed, by the kind in the envelope; to River that is a detail.
type failures struct{ log *slog.Logger }

// HandleError implements river.ErrorHandler.
func (f failures) HandleError(ctx context.Context, row *rivertype.JobRow, err error) *river.ErrorHandlerResult {
	f.log.LogAttrs(ctx, slog.LevelWarn, "job failed", append(about(row), slog.Any("err", err))...)
	return nil
}

// HandlePanic implements river.ErrorHandler.
func (f failures) HandlePanic(ctx context.Context, row *rivertype.JobRow, cause any, stack string) *river.ErrorHandlerResult {
	f.log.LogAttrs(ctx, slog.LevelWarn, "job panicked", append(about(row), slog.Any("cause", cause), slog.String("stack", stack))...)
	return nil
}

func about(row *rivertype.JobRow) []slog.Attr {
	var e envelope
	attrs := []slog.Attr{slog.Int64("job", row.ID), slog.Int("attempt", row.Attempt), slog.Int("of", row.MaxAttempts)}
	if err := decode("river_job.args", string(row.EncodedArgs), &e); err != nil {
		return append(attrs, slog.Any("args", err))
	}
	return append(attrs, slog.String("kind", e.Name))
}
