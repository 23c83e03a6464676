package admin

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"idp/event"
	"idp/identity"
	"idp/internal/problem"
	"idp/internal/secret"
	"idp/login"
	"idp/provider"
	"idp/token"
)

// Templates makes, changes and ends what tokens tell about people. Each change is in force in
// this process when it returns, and in others within a second.
type Templates struct {
	Kept   *token.Templates
	Keys   *token.KeySet
	Minter *token.Minter
	// Using returns the relying parties whose tokens are made by a template.
	Using  func(ctx context.Context, template string) ([]provider.Client, error)
	Events event.Recorder
	InTx   func(ctx context.Context, do func(ctx context.Context) error) error
	Now    func() time.Time
}

const mostTemplates = 500

// The problems of operators with templates.
var (
	errTemplateName   = problem.New(problem.Conflict, "template_exists", "There is a template of that name already.").On("name")
	errTemplateNew    = problem.New(problem.Invalid, "template_name", "A template cannot be called new.").On("name")
	errTemplateMoved  = problem.New(problem.Conflict, "template_changed", "Somebody else changed this template in between. Look at it again.")
	errTemplateMany   = problem.New(problem.Conflict, "templates_full", "There are as many templates as an instance can have.")
	errTemplateRename = problem.New(problem.Invalid, "template_renamed", "The name of a template never changes: applications ask for it. Make another one.").On("name")
)

// List returns all templates, by name.
func (t *Templates) List(ctx context.Context) ([]token.Template, error) {
	return t.Kept.Store.Templates(ctx)
}

// Get returns one, or token.ErrTemplate.
func (t *Templates) Get(ctx context.Context, name string) (token.Template, error) {
	all, err := t.List(ctx)
	if err != nil {
		return token.Template{}, err
	}
	for _, x := range all {
		if x.Name == name {
			return x, nil
		}
	}
	return token.Template{}, token.ErrTemplate
}

// Create makes a template. What is wrong with it is problem.Invalid on the member at fault, in
// claims with the position; a name that another one has is problem.Conflict.
func (t *Templates) Create(ctx context.Context, x token.Template, actor string) (token.Template, error) {
	if x.Name == "new" { // the page of new templates is called so
		return x, errTemplateNew
	}
	if err := madeFrom(x, token.Template{}); err != nil {
		return x, err
	}
	x, err := t.ready(ctx, x, token.Template{})
	if err != nil {
		return x, err
	}
	x.Version, x.CreatedAt, x.UpdatedAt = 0, t.Now(), t.Now()
	err = t.change(ctx, func(ctx context.Context) error {
		all, err := t.List(ctx)
		if err != nil {
			return err
		}
		if slices.ContainsFunc(all, func(other token.Template) bool { return other.Name == x.Name }) {
			return errTemplateName
		}
		if len(all) >= mostTemplates {
			return errTemplateMany
		}
		if err := t.Kept.Store.SaveTemplate(ctx, x); err != nil {
			if problem.Is(err, problem.Conflict) {
				return errTemplateName.Because(err)
			}
			return err
		}
		return t.tell(ctx, event.TemplateCreated, x.Name, actor, map[string]string{"preset": x.Preset})
	})
	x.Version = 1
	return x, err
}

// Replace puts what is written in the place of what there was, all of it but the name, which may
// be left out, and a key that it names without bringing it (token.Template.KeepKey). A Version that is not 0
// has to be the one on file, else somebody was faster: problem.Conflict.
func (t *Templates) Replace(ctx context.Context, name string, x token.Template, actor string) (token.Template, error) {
	old, err := t.Get(ctx, name)
	switch {
	case err != nil:
		return x, err
	case x.Name != "" && x.Name != name:
		return x, errTemplateRename
	case x.Version != 0 && x.Version != old.Version:
		return x, errTemplateMoved
	}
	x.Name, x.Version, x.CreatedAt, x.UpdatedAt = name, old.Version, old.CreatedAt, old.UpdatedAt
	if err := madeFrom(x, old); err != nil {
		return x, err
	}
	if x, err = t.ready(ctx, x, old); err != nil {
		return x, err
	}
	changed := altered(old, x)
	if len(changed) == 0 {
		return x, nil
	}
	x.UpdatedAt = t.Now()
	err = t.change(ctx, func(ctx context.Context) error {
		if err := t.Kept.Store.SaveTemplate(ctx, x); err != nil { // the version says whether old still is what is on file
			if problem.Is(err, problem.Conflict) {
				return errTemplateMoved.Because(err)
			}
			return err
		}
		if !x.Key.None() && old.Key.None() { // after the write, behind which an app that names it just now has to wait
			if err := t.unused(ctx, name, "It cannot sign with a key of its own while these apps use it, whose tokens are signed with ours: %s."); err != nil {
				return err
			}
		}
		return t.tell(ctx, event.TemplateUpdated, name, actor, map[string]string{"changed": strings.Join(changed, " ")})
	})
	x.Version++
	return x, err
}

// Delete forgets a template and its key. One that the tokens of relying parties are made by is
// problem.Conflict, which names them.
func (t *Templates) Delete(ctx context.Context, name, actor string) error {
	return t.change(ctx, func(ctx context.Context) error {
		if err := t.Kept.Store.DropTemplate(ctx, name); err != nil {
			return err
		}
		// After the write, behind which an app that names it just now has to wait.
		if err := t.unused(ctx, name, "The tokens of these apps are made by it: %s. Let them name another one first."); err != nil {
			return err
		}
		return t.tell(ctx, event.TemplateDeleted, name, actor, nil)
	})
}

// Preview makes the token that a template describes for a person; the template need not be
// kept. Old is what it is to replace, or a zero one. It is in the audit trail.
func (t *Templates) Preview(ctx context.Context, x, old token.Template, p login.Person, actor string) (token.Preview, error) {
	made, err := t.preview(ctx, x, old, p)
	if err != nil {
		return token.Preview{}, err
	}
	return made, t.Looked(ctx, p, actor, map[string]string{"template": x.Name})
}

// Looked puts into the audit trail that somebody was shown what a template says of a person; the
// detail says of which template, and how.
func (t *Templates) Looked(ctx context.Context, p login.Person, actor string, detail map[string]string) error {
	return t.Events.Record(ctx, event.Event{Kind: event.TemplatePreviewed, Actor: actor, User: string(p.User.ID), Detail: detail})
}

func (t *Templates) preview(ctx context.Context, x, old token.Template, p login.Person) (token.Preview, error) {
	x, err := t.ready(ctx, x, old)
	if err != nil {
		return token.Preview{}, err
	}
	return t.Minter.Preview(ctx, x, subject(p))
}

var errTokenBanned = problem.New(problem.Conflict, "user_banned", "This person may not sign in, so no token speaks for them.")

// Token is Preview of a template that is kept, for an operator who takes the token away. Whoever
// has it is that person to those who believe it, so it is in the audit trail.
func (t *Templates) Token(ctx context.Context, name string, p login.Person, actor string) (token.Preview, error) {
	x, err := t.Get(ctx, name)
	if err != nil {
		return token.Preview{}, err
	}
	if !p.User.MayEnter() {
		return token.Preview{}, errTokenBanned
	}
	made, err := t.preview(ctx, x, token.Template{}, p)
	if err != nil {
		return token.Preview{}, err
	}
	if made.Size.Weight == token.TooHeavy {
		return token.Preview{}, token.ErrTokenTooLarge
	}
	return made, t.Events.Record(ctx, event.Event{
		Kind: event.TemplateTokenTaken, Actor: actor, User: string(p.User.ID), Detail: map[string]string{"template": name},
	})
}

// subject is a person of whom a token speaks, outside of any session.
func subject(p login.Person) token.Subject {
	s := token.Subject{User: p.User}
	for _, h := range p.Holdings {
		switch {
		case !h.Primary:
		case h.Identifier.Kind == identity.Email:
			s.Email = h
		case h.Identifier.Kind == identity.Phone:
			s.Phone = h
		}
	}
	return s
}

// ready completes a template that is to take the place of old, says what is wrong with it, and
// sees to it that there is a key of ours that it can sign with. It makes keys: not for inside a transaction.
func (t *Templates) ready(ctx context.Context, x, old token.Template) (token.Template, error) {
	x, err := x.KeepKey(old)
	if err != nil {
		return x, err
	}
	if !x.Key.None() && x.Key.SetAt.IsZero() {
		x.Key.SetAt = t.Now()
	}
	if err := t.Keys.Foreign(x.Key); err != nil {
		return x, err
	}
	c, err := token.Compile(x)
	if err != nil {
		return x, err
	}
	x = c.Template // with its defaults
	if err := t.Keys.Foreign(x.Key); err != nil {
		return x, err
	}
	if x.Key.None() {
		if err := t.Keys.OfferFor(ctx, token.Session, x.Algorithm); err != nil {
			return x, fmt.Errorf("offer %s: %w", x.Algorithm, err)
		}
	}
	return x, nil
}

// madeFrom checks the preset that a template says it was made from: one of ours, or the one that was
// on file, which a newer release may not have any more.
func madeFrom(x, old token.Template) error {
	if x.Preset == "" || x.Preset == old.Preset {
		return nil
	}
	_, err := token.PresetNamed(x.Preset)
	return err
}

// change does it in one transaction and takes what came of it into force here.
func (t *Templates) change(ctx context.Context, do func(ctx context.Context) error) error {
	if err := t.InTx(ctx, do); err != nil {
		return err
	}
	return t.Kept.Reload(ctx)
}

// unused refuses, in these words, what relying parties stand in the way of.
func (t *Templates) unused(ctx context.Context, name, why string) error {
	using, err := t.Using(ctx, name)
	if err != nil || len(using) == 0 {
		return err
	}
	return problem.New(problem.Conflict, "template_used", fmt.Sprintf(why, named(using)))
}

// named lists relying parties, the first few by name.
func named(clients []provider.Client) string {
	var names []string
	for i, c := range clients {
		if i == 5 {
			names = append(names, fmt.Sprintf("and %d more", len(clients)-i))
			break
		}
		names = append(names, fmt.Sprintf("%s (%s)", c.Name, c.ID))
	}
	return strings.Join(names, ", ")
}

func (t *Templates) tell(ctx context.Context, kind event.Kind, name, actor string, more map[string]string) error {
	return t.Events.Record(ctx, event.Event{Kind: kind, Actor: actor, Detail: about("template", name, more)})
}

// altered names the members that are not the same, for the audit trail.
func altered(old, now token.Template) []string {
	return unlike(members(old), members(now))
}

// members are a template as it is written, and its key by a digest.
func members(x token.Template) map[string]string {
	x.CreatedAt, x.UpdatedAt, x.Key.SetAt = time.Time{}, time.Time{}, time.Time{}
	claims, material := string(x.Claims), x.Key.Material
	x.Claims = json.RawMessage("null")
	text, err := json.Marshal(x)
	if err != nil {
		return nil
	}
	var all map[string]json.RawMessage
	if err := json.Unmarshal(text, &all); err != nil {
		return nil
	}
	said := map[string]string{}
	for k, v := range all {
		said[k] = string(v)
	}
	said["claims"] = claims
	if !material.Empty() {
		said["key"] += string(secret.DigestOf(material.Reveal()))
	}
	return said
}
