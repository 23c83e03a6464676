package admin

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"idp/event"
	"idp/identity"
	"idp/internal/problem"
	"idp/internal/web"
)

// MetadataChange is what an operator changes of what applications keep about a person. What is
// nil stays. Each is a patch (RFC 7396) unless Whole says that it takes the place of what was.
type MetadataChange struct {
	Public, Private []byte
	Whole           bool
	Version         int // of the person as the operator saw them, 0 for whatever it is
}

var errPersonMoved = problem.New(problem.Conflict, "user_changed", "Somebody changed this person in between. Look at them again.")

// SetMetadata changes a person's public and private metadata, and returns the person. What is
// no such object is problem.Invalid on its name.
func (u *Users) SetMetadata(ctx context.Context, id identity.UserID, c MetadataChange, actor string) (identity.User, error) {
	var changed identity.User
	err := u.InTx(ctx, func(ctx context.Context) error {
		p, err := u.People.Person(ctx, id)
		if err != nil {
			return err
		}
		changed = p.User
		if c.Version != 0 && c.Version != p.User.Version {
			return errPersonMoved
		}
		var parts []string
		for _, x := range []struct {
			name string
			to   []byte
			on   *json.RawMessage
		}{{identity.PrivateMetadata, c.Private, &changed.Metadata.Private}, {identity.PublicMetadata, c.Public, &changed.Metadata.Public}} {
			if x.to == nil {
				continue
			}
			put := identity.MergeMetadata
			if c.Whole {
				put = func(name string, _ json.RawMessage, whole []byte) (json.RawMessage, error) {
					return identity.CheckMetadata(name, whole)
				}
			}
			now, err := put(x.name, *x.on, x.to)
			if err != nil {
				return err
			}
			if string(now) != string(*x.on) {
				*x.on, parts = now, append(parts, x.name)
			}
		}
		if len(parts) == 0 {
			return nil
		}
		changed.UpdatedAt = u.Now()
		if err := u.People.SaveUser(ctx, changed); err != nil {
			return fmt.Errorf("save metadata: %w", err)
		}
		changed.Version++
		return u.Events.Record(ctx, event.Event{
			Kind: event.UserUpdated, Actor: actor, User: string(id), Detail: map[string]string{"changed": strings.Join(parts, " ")},
		})
	})
	return changed, err
}

// SaveMetadata answers POST /operator/users/{user}/metadata.
func (p *Pages) SaveMetadata() web.Handler {
	return p.operator(func(w http.ResponseWriter, r *http.Request, by identity.User) error {
		person, err := p.People.Person(r.Context(), identity.UserID(r.PathValue("user")))
		if err != nil {
			return err
		}
		written := func(field string) []byte {
			if text := strings.TrimSpace(r.PostFormValue(field)); text != "" {
				return []byte(text)
			}
			return []byte("{}")
		}
		version, _ := strconv.Atoi(r.PostFormValue("version")) // what is no number is no version
		c := MetadataChange{
			Public: written(identity.PublicMetadata), Private: written(identity.PrivateMetadata), Whole: true, Version: version,
		}
		if _, err := p.Users.SetMetadata(r.Context(), person.User.ID, c, string(by.ID)); err != nil {
			data := personOf(person, by, "")
			data.Public, data.Private = r.PostFormValue(identity.PublicMetadata), r.PostFormValue(identity.PrivateMetadata)
			return p.Web.Again(w, r, err, "operator_person", data)
		}
		return web.Redirect(w, r, "/operator/users/"+string(person.User.ID)+"?done=metadata")
	})
}
