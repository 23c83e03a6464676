package storage

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"
	"github.com/uptrace/bun"

	"idp/internal/problem"
	"idp/job"
)

var (
	_ job.Queue    = (*Queue)(nil)
	_ job.Registry = (*Queue)(nil)
)

// Queue keeps jobs in the database, where River finds them. River knows one kind of work,
// an envelope; what is in it is between those who enqueue and job.Handlers.
type Queue struct {
	db       *DB
	log      *slog.Logger
	inserter *river.Client[*sql.Tx]

	mu     sync.Mutex
	worker *river.Client[*sql.Tx] // nil unless started
}

// NewQueue returns the job queue of a database. It accepts jobs at once and works none
// until Start. What goes wrong with the queue or with a job goes to log; nil is nowhere.
func NewQueue(db *DB, log *slog.Logger) (*Queue, error) {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	client, err := river.NewClient(db.riverDriver(), &river.Config{Logger: slog.New(quiet{log.Handler()})})
	if err != nil {
		return nil, fmt.Errorf("open the job queue: %w", err)
	}
	return &Queue{db: db, log: log, inserter: client}, nil
}

// envelope is the one kind of job that River sees.
type envelope struct {
	Name    string          `json:"kind"`
	Payload json.RawMessage `json:"payload"`
}

// Kind implements river.JobArgs. It is in the database, so it stays.
func (envelope) Kind() string { return "idp" }

const (
	jobAttempts = 10
	jobTimeout  = 30 * time.Second
	jobRescue   = 45 * time.Second // a job whose process died runs again after this
	jobPoll     = 100 * time.Millisecond
	jobWorkers  = 8
)

var errNoJob = problem.New(problem.NotFound, "job_unknown", "There is no such job.")

// Enqueue adds a job, in the transaction of ctx if there is one.
func (q *Queue) Enqueue(ctx context.Context, j job.Job) error {
	payload := j.Args
	if len(payload) == 0 {
		payload = json.RawMessage("null")
	}
	opts := &river.InsertOpts{MaxAttempts: jobAttempts, Priority: int(job.Normal), ScheduledAt: j.RunAt}
	if j.Attempts > 0 {
		opts.MaxAttempts = j.Attempts
	}
	if j.Priority > 0 {
		opts.Priority = int(j.Priority)
	}
	return q.db.InTx(ctx, func(ctx context.Context) error {
		defer q.counted(ctx, q.db.now())
		_, err := q.inserter.InsertTx(ctx, q.db.current(ctx).bun.Tx, envelope{Name: j.Kind, Payload: payload}, opts)
		return explain("enqueue "+j.Kind, err)
	})
}

// counted tells the hook of the statement that went round bun.
func (q *Queue) counted(ctx context.Context, start time.Time) {
	if h := q.db.hook; h != nil {
		e := &bun.QueryEvent{DB: q.db.writer, Query: "INSERT INTO river_job", StartTime: start}
		h.AfterQuery(h.BeforeQuery(ctx, e), e)
	}
}

// courier opens envelopes.
type courier struct {
	river.WorkerDefaults[envelope]
	handlers job.Handlers
}

// Work implements river.Worker.
func (c *courier) Work(ctx context.Context, j *river.Job[envelope]) error {
	if j.Attempt >= j.MaxAttempts {
		ctx = job.OnLast(ctx)
	}
	return c.handlers.Do(ctx, j.Args.Name, j.Args.Payload)
}

// Start begins to work jobs and to enqueue periodic ones, until Stop. Of several processes
// on one database each works, and one enqueues what is periodic.
func (q *Queue) Start(ctx context.Context, handlers job.Handlers, periodic []job.Periodic) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.worker != nil {
		return errors.New("start the job queue: it runs already")
	}
	workers := river.NewWorkers()
	if err := river.AddWorkerSafely(workers, &courier{handlers: handlers}); err != nil {
		return fmt.Errorf("start the job queue: %w", err)
	}
	client, err := river.NewClient(q.db.riverDriver(), &river.Config{
		Workers:              workers,
		Queues:               map[string]river.QueueConfig{river.QueueDefault: {MaxWorkers: jobWorkers}},
		PeriodicJobs:         schedule(periodic),
		FetchCooldown:        jobPoll,
		FetchPollInterval:    jobPoll,
		JobTimeout:           jobTimeout,
		RescueStuckJobsAfter: jobRescue,
		MaxAttempts:          jobAttempts,
		Logger:               slog.New(quiet{q.log.Handler()}),
		ErrorHandler:         failures{q.log},
	})
	if err != nil {
		return fmt.Errorf("start the job queue: %w", err)
	}
	// Stop alone ends it: a cancelled context would tear running jobs.
	if err := client.Start(context.WithoutCancel(ctx)); err != nil {
		return fmt.Errorf("start the job queue: %w", err)
	}
	q.worker = client
	return nil
}

// schedule gives River the periodic jobs. They are unique within their period, so that a
// restart neither loses a turn nor adds one.
func schedule(periodic []job.Periodic) []*river.PeriodicJob {
	all := make([]*river.PeriodicJob, 0, len(periodic))
	for _, p := range periodic {
		envelop := func() (river.JobArgs, *river.InsertOpts) {
			return envelope{Name: p.Kind, Payload: json.RawMessage("null")}, &river.InsertOpts{
				MaxAttempts: 3, Priority: int(job.Low),
				UniqueOpts: river.UniqueOpts{ByArgs: true, ByPeriod: p.Every},
			}
		}
		all = append(all, river.NewPeriodicJob(river.PeriodicInterval(p.Every), envelop, &river.PeriodicJobOpts{RunOnStart: true}))
	}
	return all
}

// Stop lets running jobs finish and takes no more. When ctx ends first, they are
// cancelled; they will run again.
func (q *Queue) Stop(ctx context.Context) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.worker == nil {
		return nil
	}
	client := q.worker
	q.worker = nil
	if err := client.Stop(ctx); err == nil {
		return nil
	}
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	if err := client.StopAndCancel(last); err != nil {
		return fmt.Errorf("stop the job queue: %w", err)
	}
	return nil
}

var jobStates = []rivertype.JobState{
	rivertype.JobStateAvailable, rivertype.JobStateScheduled, rivertype.JobStateRunning, rivertype.JobStateRetryable,
	rivertype.JobStatePending, rivertype.JobStateDiscarded, rivertype.JobStateCancelled,
}

// Jobs lists jobs, the newest first, in one state or ("") in all but completed. At most 1000.
func (q *Queue) Jobs(ctx context.Context, state string, limit int) ([]job.State, error) {
	states := jobStates
	if state != "" {
		states = []rivertype.JobState{rivertype.JobState(state)}
	}
	found, err := q.inserter.JobList(ctx, river.NewJobListParams().
		States(states...).
		OrderBy(river.JobListOrderByID, river.SortOrderDesc).
		First(min(max(limit, 1), 1000)))
	if err != nil {
		return nil, explain("list jobs", err)
	}
	all := make([]job.State, 0, len(found.Jobs))
	for _, row := range found.Jobs {
		var e envelope
		if err := decode("river_job.args", string(row.EncodedArgs), &e); err != nil {
			return nil, err
		}
		s := job.State{
			ID: row.ID, Kind: e.Name, State: string(row.State), Priority: job.Priority(row.Priority),
			Attempt: row.Attempt, Max: row.MaxAttempts, RunAt: row.ScheduledAt.UTC(),
		}
		if n := len(row.Errors); n > 0 {
			s.LastError = row.Errors[n-1].Error
		}
		all = append(all, s)
	}
	return all, nil
}

// Retry makes a job run now, whatever became of it; problem.NotFound if it is gone.
func (q *Queue) Retry(ctx context.Context, id int64) error {
	_, err := q.inserter.JobRetry(ctx, id)
	if errors.Is(err, rivertype.ErrNotFound) {
		return errNoJob.Because(err)
	}
	return explain("retry a job", err)
}
