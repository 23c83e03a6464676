// Package doctor says whether a backend will take the tokens that a template makes.
//
// It mints one as a browser would get it, fetches discovery and keys from the issuer's public
// address as the backend would, verifies the token by them and by the backend's own rules, and
// says of each rule whether it is kept, what is wrong and what to do. At the end stands what
// to paste there. What a target demands is in targets.go, where each has its document; the
// rules are in claims.go, issuer.go and signature.go, and what to paste is in snippets.go.
package doctor

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"idp/internal/outbound"
	"idp/internal/problem"
	"idp/token"
)

// Doctor examines templates.
type Doctor struct {
	Issuer   string
	Outbound *outbound.Client
	Preview  func(ctx context.Context, t token.Template, s token.Subject) (token.Preview, error) // token.Minter.Preview
	Now      func() time.Time
}

// Result is how a finding turned out.
type Result string

// The results.
const (
	Fine    Result = "ok"
	Warning Result = "warning" // it works, but not well, or not for everybody
	Failure Result = "failure" // the target refuses the token, or would let in whom it should not
)

// Finding is what was found about one thing.
type Finding struct {
	Check  string `json:"check"`
	Result Result `json:"result"`
	Says   string `json:"says"`
	Do     string `json:"do,omitempty"` // what helps
}

// Snippet is something to paste.
type Snippet struct {
	Where string `json:"where"`
	Text  string `json:"text"`
}

// Report is what a Doctor found. It holds the claims of a token, and never the token.
type Report struct {
	Target   string          `json:"target"`
	Title    string          `json:"title"`
	Issuer   string          `json:"issuer"`
	JWKS     string          `json:"jwks_uri"`
	Template string          `json:"template"`
	Source   []string        `json:"source"` // the documents that say what the target wants
	Findings []Finding       `json:"findings"`
	Claims   json.RawMessage `json:"claims,omitempty"`
	Size     token.Size      `json:"size"`
	Snippets []Snippet       `json:"snippets"`
}

// OK reports whether nothing failed.
func (r Report) OK() bool {
	return !slices.ContainsFunc(r.Findings, func(f Finding) bool { return f.Result == Failure })
}

// Targets returns the names of what there are rules for.
func Targets() []string {
	names := make([]string, 0, len(targets))
	for _, t := range targets {
		names = append(names, t.name)
	}
	return names
}

// ErrTarget says that there are no rules for a target.
var ErrTarget = problem.New(problem.Invalid, "target_unknown", "That target is not known. There are "+strings.Join(Targets(), ", ")+".").On("target")

// Examine mints a token for somebody from a template and says whether the target takes it. Without
// a template, the one of the target's preset is examined as it stands. What is wrong is in the
// report; ErrTarget is the only problem.
func (d *Doctor) Examine(ctx context.Context, name string, t *token.Template, s token.Subject) (Report, error) {
	i := slices.IndexFunc(targets, func(one target) bool { return one.name == name })
	if i < 0 {
		return Report{}, ErrTarget
	}
	x := &exam{target: targets[i], Doctor: d, now: d.Now(), issuer: d.Issuer, subject: s}
	x.report = Report{Target: name, Title: x.title, Issuer: d.Issuer, JWKS: d.Issuer + "/.well-known/jwks.json", Snippets: []Snippet{}, Findings: []Finding{}}
	if preset, err := token.PresetNamed(x.preset); err == nil {
		x.report.Source = preset.Source
	}
	x.run(ctx, t)
	return x.report, nil
}

// exam is one examination.
type exam struct {
	*Doctor
	target

	now      time.Time
	issuer   string
	subject  token.Subject
	template *token.Compiled
	header   header
	claims   map[string]any
	found    discovery
	keys     keys
	report   Report
}

func (x *exam) run(ctx context.Context, t *token.Template) {
	if !x.take(t) {
		return
	}
	p, err := x.Preview(ctx, x.template.Template, x.subject)
	if err != nil {
		x.fail("mint", "No token can be made: "+says(err), "Change the template, or try it with another person by --user.")
		return
	}
	x.report.Size = p.Size
	if err := x.open(p.JWT.Reveal()); err != nil {
		x.fail("mint", "What was made is no JWT.", "This is a fault of idp: please report it.")
		return
	}
	x.fine("mint", fmt.Sprintf("A token of %d bytes, signed with %s.", p.Size.Bytes, x.header.Algorithm))
	x.weigh(p.Size)
	x.form()
	if !x.own {
		x.atIssuer(ctx)
	}
	x.signature(p.JWT.Reveal())
	x.registered()
	for _, rule := range x.rules {
		rule(x)
	}
	x.report.Snippets = x.snippets(x)
}

// take compiles the template, or the one of the preset.
func (x *exam) take(t *token.Template) bool {
	if t == nil {
		preset, err := token.PresetNamed(x.preset)
		if err != nil {
			x.fail("template", says(err), "")
			return false
		}
		made, err := preset.Make(nil)
		if err != nil {
			x.fail("template", says(err), x.create(preset))
			return false
		}
		x.report.Template = made.Name
		if preset.Key != "" {
			x.fail("template", "This target verifies by a key that you bring, and no template was named.", x.create(preset))
			return false
		}
		x.warn("template", "No template was named: the preset "+preset.Name+" is examined as it stands.", x.create(preset))
		t = &made
	}
	x.report.Template = t.Name
	c, err := token.Compile(*t)
	if err != nil {
		x.fail("template", says(err), "Correct the template and save it again.")
		return false
	}
	x.template = c
	return true
}

// create is the command that makes the preset's template.
func (x *exam) create(p token.Preset) string {
	line := "Make one: idp template create --preset " + p.Name
	for _, n := range p.Needs {
		if n.Otherwise == "" {
			line += " --set " + n.Name + "=" + n.Example
		}
	}
	if p.Key != "" {
		line += " --signing-key-file FILE"
	}
	return line
}

func (x *exam) fine(check, says string) { x.add(Finding{check, Fine, says, ""}) }

func (x *exam) warn(check, says, do string) { x.add(Finding{check, Warning, says, do}) }

func (x *exam) fail(check, says, do string) { x.add(Finding{check, Failure, says, do}) }

func (x *exam) add(f Finding) { x.report.Findings = append(x.report.Findings, f) }

// says is what a person may read of an error.
func says(err error) string {
	var p *problem.Error
	if errors.As(err, &p) {
		return p.Detail
	}
	return err.Error()
}

func (x *exam) weigh(s token.Size) {
	switch {
	case s.Weight == token.TooHeavy:
		x.fail("size", fmt.Sprintf("The token has %d bytes; more than %d are refused.", s.Bytes, token.MaxSize), "Let the template tell less: name single values of metadata instead of all of it.")
	case !s.InCookie:
		x.warn("size", fmt.Sprintf("The token has %d bytes and does not fit into a cookie.", s.Bytes), "Send it as a header, or let the template tell less.")
	case s.Weight == token.Heavy:
		x.warn("size", fmt.Sprintf("The token has %d bytes, which travel with every request.", s.Bytes), "Let the template tell less: name single values of metadata instead of all of it.")
	default:
		x.fine("size", fmt.Sprintf("%d bytes.", s.Bytes))
	}
}
