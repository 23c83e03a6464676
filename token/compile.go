package token

import (
	"encoding/json"
	"fmt"
	"slices"

	"github.com/go-jose/go-jose/v4"

	"idp/internal/problem"
)

// Compiled is a template that is ready to speak. It may be used by many at once.
type Compiled struct {
	Template

	claims *object
	sub    node        // the claim sub, nil if the minter says it
	signer jose.Signer // of a key of its own, otherwise nil
}

// Compile checks a template and makes it ready. What is missing of lifetime and algorithm becomes
// the default. What is wrong is problem.Invalid on the member it is about; in the claims it wraps a
// *Mistake, which has the position.
func Compile(t Template) (*Compiled, error) {
	t = t.whole()
	if err := t.Check(); err != nil {
		return nil, err
	}
	c := &Compiled{Template: t}
	var err error
	if c.claims, err = readClaims(t.Claims, !t.Key.None()); err != nil {
		return nil, err
	}
	if i := slices.Index(c.claims.names, "sub"); i >= 0 {
		c.sub = c.claims.values[i]
	}
	if !t.Key.None() {
		if c.signer, err = t.Key.signer(t.Algorithm); err != nil {
			return nil, err
		}
	}
	return c, nil
}

// Fill returns the template's claims for somebody, without those that the minter adds. A template
// with a key of its own may bring "iss" and "sub", which then stand. The map is the caller's to add
// to; what is in it is not to be changed. Numbers are int64 or json.Number. A person of whom "sub"
// has nothing to tell is problem.Invalid; so are claims of more than MaxSize.
func (c *Compiled) Fill(s Subject) (map[string]any, error) {
	f := &facts{Subject: &s}
	if c.sub != nil {
		if err := c.nobody(f); err != nil {
			return nil, err
		}
	}
	return c.claims.members(f, 12) // the minter adds some
}

// nobody sees to it that what makes a person's sub is there: people who lack it would be one.
func (c *Compiled) nobody(f *facts) error {
	var choices []choice
	switch n := c.sub.(type) {
	case whole:
		choices = []choice{n.choice}
	case mixed:
		for _, p := range n {
			if p.choice != nil {
				choices = append(choices, p.choice)
			}
		}
	}
	_, alone := c.sub.(whole)
	for _, one := range choices {
		switch v := one.pick(f).(type) {
		case string:
			if v != "" {
				continue
			}
		case json.Number:
			if !alone {
				continue
			}
		}
		return problem.New(problem.Invalid, "template_subject",
			fmt.Sprintf("The template makes sub of %s, of which this person has no text.", one[0].name())).On("claims")
	}
	return nil
}

// Sign encodes claims and signs them with the template's own key; typ is JWT. Without one it fails:
// the issuer's keys are a KeySet's.
func (c *Compiled) Sign(claims any) (string, error) {
	if c.signer == nil {
		return "", fmt.Errorf("template %s has no key of its own", c.Name)
	}
	payload, err := json.Marshal(claims)
	if err != nil {
		return "", fmt.Errorf("encode claims: %w", err)
	}
	signed, err := c.signer.Sign(payload)
	if err != nil {
		return "", fmt.Errorf("sign with the key of template %s: %w", c.Name, err)
	}
	return signed.CompactSerialize()
}

func (o operand) name() string {
	if o.fact == nil {
		return "a literal"
	}
	return o.fact.name
}
