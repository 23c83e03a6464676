package message

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"

	"idp/internal/outbound"
	"idp/internal/secret"
)

// Gateway sends SMS through any service that takes a POST of {"to", "text", "id"} in JSON.
// The id, also in the header Idempotency-Key, is the message's for ever: whoever gets it a
// second time sends nothing.
type Gateway struct {
	URL      string
	Key      secret.String // sent as Bearer token, if not empty
	Outbound *outbound.Client
}

// Send implements Sender. Any status 2xx says that the message was taken; 400, 410 and 422
// that it never will be. After anything else it is tried again.
func (g *Gateway) Send(ctx context.Context, l Letter) error {
	body, err := json.Marshal(struct {
		To   string `json:"to"` // E.164
		Text string `json:"text"`
		ID   string `json:"id"`
	}{l.To, l.Text, l.ID})
	if err != nil {
		return fmt.Errorf("write message %s for the gateway: %w", l.ID, err)
	}
	header := http.Header{"Content-Type": {"application/json"}, "Idempotency-Key": {l.ID}}
	if !g.Key.Empty() {
		header.Set("Authorization", "Bearer "+g.Key.Reveal())
	}
	status, answer, err := g.Outbound.Post(ctx, g.URL, header, body, mostAnswer)
	switch {
	case err != nil:
		return unreached(err)
	case status/100 == 2:
		return nil
	}
	final := status == http.StatusBadRequest || status == http.StatusGone || status == http.StatusUnprocessableEntity
	return &Failed{SMS: true, Code: status, Final: final, Said: said(answer)}
}
