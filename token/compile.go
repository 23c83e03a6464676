package token

import (
	"encoding/json"

	"idp/internal/problem"
)

// Compiled is a template that is ready to speak.
type Compiled struct {
	Template

	claims map[string]any
}

// Compile reads the claims of a template. What is wrong with them is problem.Invalid on "claims".
func Compile(t Template) (*Compiled, error) {
	c := &Compiled{Template: t}
	if err := json.Unmarshal(t.Claims, &c.claims); err != nil || c.claims == nil {
		return nil, problem.New(problem.Invalid, "template_claims", "Claims are a JSON object.").On("claims").Because(err)
	}
	return c, nil
}
