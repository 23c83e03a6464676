package secret

import "context"

// Gate lets tests hold a slot for as long as they like.
func Gate(slots int) func(ctx context.Context, do func()) error { return newGate(slots).pass }
