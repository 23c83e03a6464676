package admin

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"idp/event"
	"idp/identity"
	"idp/internal/problem"
	"idp/internal/secret"
)

const (
	importBatch = 500       // people per transaction
	importLine  = 64 * 1024 // bytes
)

// Imported is one line of an import: a person as another system knew them.
type Imported struct {
	Email         string           `json:"email"`
	EmailVerified bool             `json:"email_verified"`
	Hash          string           `json:"password_hash"` // a spelling that secret.CheckImported lists, or ""
	ExternalID    string           `json:"external_id"`   // the id there, at most 200 bytes; unique here
	Phone         string           `json:"phone"`         // with its country code, or ""
	PhoneVerified bool             `json:"phone_verified"`
	Profile       identity.Profile `json:"profile"` // as Profile.Check has it
	Groups        []string         `json:"groups"`
	Roles         []string         `json:"roles"`
	Banned        bool             `json:"banned"`
	CreatedAt     time.Time        `json:"created_at"` // RFC 3339; zero: now

	PublicMetadata  json.RawMessage `json:"public_metadata"` // as identity.CheckMetadata has them
	PrivateMetadata json.RawMessage `json:"private_metadata"`
	OwnMetadata     json.RawMessage `json:"own_metadata"`
}

// LineError says why one line of an import was not taken.
type LineError struct {
	Line   int    `json:"line"` // from 1
	Code   string `json:"code"`
	Field  string `json:"field,omitempty"`
	Detail string `json:"detail"`
}

// Tally counts what an import did.
type Tally struct {
	Imported int `json:"imported"`
	Refused  int `json:"refused"`
}

// Import makes people of JSON lines, up to 500 in a transaction. A line that cannot be
// taken is told to refuse and skipped; the others are imported. An error means that
// reading or the database failed: what Tally counts is imported, the rest is not.
func (u *Users) Import(ctx context.Context, from io.Reader, actor string, refuse func(LineError)) (Tally, error) {
	var t Tally
	lines := lineReader{from: bufio.NewReaderSize(from, importLine)}
	say := func(line int, err error) error {
		var p *problem.Error
		if !errors.As(err, &p) {
			return err
		}
		t.Refused++
		refuse(LineError{Line: line, Code: p.Code, Field: p.Field, Detail: p.Detail})
		return nil
	}
	batch := make([]numbered, 0, importBatch)
	flush := func() error {
		n, err := u.importBatch(ctx, batch, actor, say)
		t.Imported += n
		batch = batch[:0]
		return err
	}
	for {
		text, err := lines.next()
		if errors.Is(err, io.EOF) {
			return t, flush()
		}
		if err == nil && len(bytes.TrimSpace(text)) == 0 {
			continue
		}
		d := draft{}
		if err == nil {
			d, err = u.readImported(text)
		}
		if err != nil {
			if err := say(lines.line, err); err != nil {
				return t, fmt.Errorf("read line %d: %w", lines.line, err)
			}
			continue
		}
		if batch = append(batch, numbered{lines.line, d}); len(batch) == importBatch {
			if err := flush(); err != nil {
				return t, err
			}
		}
	}
}

type numbered struct {
	line int
	draft
}

// importBatch writes a batch in one transaction. If somebody else took an address at that
// very moment the transaction is lost; then each line gets one of its own.
func (u *Users) importBatch(ctx context.Context, batch []numbered, actor string, say func(int, error) error) (int, error) {
	if len(batch) == 0 {
		return 0, nil
	}
	var refused []error // by place in batch
	err := u.InTx(ctx, func(ctx context.Context) error {
		refused = make([]error, len(batch)) // afresh: a transaction may be tried again
		for i, n := range batch {
			err := u.taken(ctx, n.draft)
			if err == nil {
				err = u.write(ctx, n.draft, event.UserImported, actor)
			}
			if errors.Is(err, ErrAddressHeld) || errors.Is(err, ErrPhoneHeld) || errors.Is(err, errExternalHeld) {
				refused[i] = err
			} else if err != nil {
				return err
			}
		}
		return nil
	})
	if problem.Is(err, problem.Conflict) && len(batch) > 1 {
		return u.importSingly(ctx, batch, actor, say)
	}
	if problem.Is(err, problem.Conflict) {
		return 0, say(batch[0].line, err)
	}
	if err != nil {
		return 0, fmt.Errorf("import lines %d to %d: %w", batch[0].line, batch[len(batch)-1].line, err)
	}
	done := len(batch)
	for i, err := range refused {
		if err != nil {
			done--
			if err := say(batch[i].line, err); err != nil {
				return done, err
			}
		}
	}
	return done, nil
}

func (u *Users) importSingly(ctx context.Context, batch []numbered, actor string, say func(int, error) error) (int, error) {
	done := 0
	for i := range batch {
		n, err := u.importBatch(ctx, batch[i:i+1], actor, say)
		done += n
		if err != nil {
			return done, err
		}
	}
	return done, nil
}

var errExternalHeld = problem.New(problem.Conflict, "external_id_taken", "Somebody was imported under that external id already.").On("external_id")

func (u *Users) taken(ctx context.Context, d draft) error {
	if d.user.ExternalID == "" {
		return nil
	}
	switch _, err := u.Store.ByExternalID(ctx, d.user.ExternalID); {
	case err == nil:
		return errExternalHeld
	case !problem.Is(err, problem.NotFound):
		return fmt.Errorf("look for the external id: %w", err)
	}
	return nil
}

func (u *Users) readImported(text []byte) (draft, error) {
	var in Imported
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&in); err != nil {
		return draft{}, problem.New(problem.Malformed, "line_malformed", "The line is no JSON object with known members: "+plain(err))
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return draft{}, problem.New(problem.Malformed, "line_malformed", "The line has something after its JSON object.")
	}
	address, err := identity.ParseEmail(in.Email)
	if err != nil {
		return draft{}, identity.ErrEmail.On("email")
	}
	if len(in.ExternalID) > 200 || strings.ContainsRune(string(text), 0) || strings.Contains(string(text), `\u0000`) {
		return draft{}, problem.New(problem.Invalid, "line_invalid", "An external id has at most 200 bytes, and no text has a zero byte.")
	}
	d := u.person(address, in.EmailVerified, identity.SourceImport)
	d.user.ExternalID, d.user.Profile = in.ExternalID, in.Profile
	if err := in.Profile.Check(); err != nil {
		return draft{}, err
	}
	if d.user.Groups, err = identity.Names("groups", in.Groups); err != nil {
		return draft{}, err
	}
	if d.user.Roles, err = identity.Names("roles", in.Roles); err != nil {
		return draft{}, err
	}
	if d.user.Metadata, err = in.metadata(); err != nil {
		return draft{}, err
	}
	if in.Phone != "" {
		phone, err := identity.ParsePhone(in.Phone)
		if err != nil {
			return draft{}, err
		}
		d.phone = u.phone(d.user.ID, phone, in.PhoneVerified, identity.SourceImport)
	}
	if in.Banned {
		d.user.Status = identity.Banned
	}
	if at := in.CreatedAt; !at.IsZero() && at.Before(d.user.CreatedAt) {
		d.user.CreatedAt = at.UTC().Truncate(time.Microsecond)
	}
	if in.Hash != "" {
		d.hash = secret.NewString(in.Hash)
		if err := secret.CheckImported(d.hash); err != nil {
			return draft{}, err
		}
	}
	return d, nil
}

func (in Imported) metadata() (m identity.Metadata, err error) {
	for _, x := range []struct {
		name string
		text json.RawMessage
		into *json.RawMessage
	}{
		{identity.PublicMetadata, in.PublicMetadata, &m.Public}, {identity.PrivateMetadata, in.PrivateMetadata, &m.Private},
		{identity.OwnMetadata, in.OwnMetadata, &m.Own},
	} {
		if x.text == nil {
			continue
		}
		if *x.into, err = identity.CheckMetadata(x.name, x.text); err != nil {
			return m, err
		}
	}
	return m, nil
}

// plain keeps the decoder's words but not what it quotes: a line may hold hashes.
func plain(err error) string {
	var kind *json.UnmarshalTypeError
	if errors.As(err, &kind) {
		return "the member " + kind.Field + " has the wrong type"
	}
	if name, ok := strings.CutPrefix(err.Error(), "json: unknown field "); ok && len(name) < 60 {
		return "there is no member " + name
	}
	return "it does not parse"
}

// lineReader reads lines of a bounded length, and gets past longer ones.
type lineReader struct {
	from *bufio.Reader
	line int
}

var errLineLong = problem.New(problem.TooLarge, "line_too_long", "A line has at most 64 KiB.")

// next returns the next line, io.EOF after the last, or a problem for one that is too long.
func (r *lineReader) next() ([]byte, error) {
	text, err := r.from.ReadSlice('\n')
	if len(text) == 0 && errors.Is(err, io.EOF) {
		return nil, io.EOF
	}
	r.line++
	if !errors.Is(err, bufio.ErrBufferFull) {
		if errors.Is(err, io.EOF) {
			err = nil
		}
		return text, err
	}
	for errors.Is(err, bufio.ErrBufferFull) {
		_, err = r.from.ReadSlice('\n')
	}
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	return nil, errLineLong
}
