package token

import "slices"

// Theirs reports whether a claim, or anything in it, is told as the person wrote it: who decides
// by such a claim lets people decide for themselves. The path names the claim and what is inside.
func (c *Compiled) Theirs(path ...string) bool {
	var n node = c.claims
	for _, name := range path {
		o, ok := n.(*object)
		if !ok {
			break
		}
		i := slices.Index(o.names, name)
		if i < 0 {
			return false
		}
		n = o.values[i]
	}
	return theirs(n)
}

func theirs(n node) bool {
	switch n := n.(type) {
	case *object:
		return slices.ContainsFunc(n.values, theirs)
	case list:
		return slices.ContainsFunc(n, theirs)
	case whole:
		return n.theirs()
	case mixed:
		return slices.ContainsFunc(n, func(p part) bool { return p.theirs() })
	}
	return false
}

func (c choice) theirs() bool {
	return slices.ContainsFunc(c, func(o operand) bool { return o.fact != nil && o.fact.by == person })
}
