package message

import "context"

// Keep is the Sender of development: letters stay in the Inbox, codes and links beside
// them, so that a person or a test needs no mail server.
type Keep struct{ Inbox Inbox }

// Send keeps the letter.
func (k Keep) Send(ctx context.Context, l Letter) error { return k.Inbox.Keep(ctx, l) }
