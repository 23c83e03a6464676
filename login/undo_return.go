package login

import (
	"context"
	"slices"

	"idp/identity"
	"idp/internal/problem"
)

// returnFactors puts the person's factors back to what the undo holds. Factors that came
// since go, those that went come back, and those that stayed are left alone. No counter goes
// back: what was used since, as far as later changes tell, stays used.
func (e *Engine) returnFactors(ctx context.Context, u Undo, p Person, later []Undo, void bool) (voided bool, err error) {
	held := func(all []identity.Factor, id identity.FactorID) bool {
		return slices.ContainsFunc(all, func(f identity.Factor) bool { return f.ID == id })
	}
	for _, f := range p.Factors {
		isPassword := f.Method == identity.Password
		if isPassword && !void || !isPassword && held(u.Factors, f.ID) {
			continue
		}
		if err := e.People.DropFactor(ctx, p.User.ID, f.ID); err != nil {
			return voided, err
		}
		voided = voided || isPassword
	}
	for _, f := range u.Factors {
		if held(p.Factors, f.ID) {
			continue
		}
		if f.Credential != "" {
			_, err := e.People.ByCredential(ctx, f.Credential)
			if err == nil {
				continue // it is on somebody's file by now
			}
			if !problem.Is(err, problem.NotFound) {
				return voided, err
			}
		}
		for _, l := range later {
			for _, seen := range l.Factors {
				if seen.ID == f.ID && seen.Counter > f.Counter {
					f.Counter, f.LastUsedAt = seen.Counter, seen.LastUsedAt
				}
			}
		}
		err := e.People.SaveFactor(ctx, f)
		if f.Method.Federated() && problem.Is(err, problem.NotFound) {
			continue // its connection is deleted since, and all accounts with it
		}
		if err != nil {
			return voided, err
		}
	}
	return voided, nil
}

// returnHoldings puts addresses and phone numbers back to what the undo holds, with their
// rank. One that is somebody else's since is theirs, and missing. What an operator put on
// file stays.
func (e *Engine) returnHoldings(ctx context.Context, u Undo, p Person) (missing []identity.Identifier, err error) {
	var file []identity.Holding
	for _, h := range p.Holdings {
		kept := slices.ContainsFunc(u.Holdings, func(was identity.Holding) bool { return was.Identifier == h.Identifier })
		if kept || h.Source == identity.SourceOperator || h.Source == identity.SourceImport {
			file = append(file, h)
			continue
		}
		if err := e.Undos.DropHolding(ctx, p.User.ID, h.Identifier); err != nil {
			return nil, err
		}
	}
	for _, was := range u.Holdings {
		if !was.Verified() {
			continue // a claim is not worth bringing back
		}
		i := slices.IndexFunc(file, func(h identity.Holding) bool { return h.Identifier == was.Identifier })
		if i >= 0 && file[i].Verified() && file[i].Primary == was.Primary {
			continue
		}
		holder, err := e.People.Find(ctx, was.Identifier)
		switch {
		case err == nil && holder.User.ID != p.User.ID: // proven by them, or given to them by an operator
			missing = append(missing, was.Identifier)
			continue
		case err != nil && !problem.Is(err, problem.NotFound):
			return nil, err
		}
		if err := e.Claim(ctx, was.Identifier, p.User.ID, ""); err != nil {
			return nil, err
		}
		was.UserID = p.User.ID
		if err := e.People.SaveHolding(ctx, was); err != nil {
			return nil, err
		}
		if i < 0 {
			file = append(file, was)
		} else {
			file[i] = was
		}
	}
	return missing, e.rank(ctx, file)
}

// rank makes sure that of each kind one proven address is the main one, if there is any: the
// one that was may be somebody else's by now.
func (e *Engine) rank(ctx context.Context, file []identity.Holding) error {
	for _, kind := range []identity.Kind{identity.Email, identity.Phone} {
		first := -1
		for i, h := range file {
			switch {
			case h.Identifier.Kind != kind || !h.Verified():
			case h.Primary:
				first = -2
			case first == -1:
				first = i
			}
		}
		if first < 0 {
			continue
		}
		h := file[first]
		h.Primary = true
		if err := e.People.SaveHolding(ctx, h); err != nil {
			return err
		}
	}
	return nil
}
