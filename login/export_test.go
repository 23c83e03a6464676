package login

import (
	"encoding/json"

	"github.com/go-webauthn/webauthn/webauthn"

	"idp/identity"
)

// ResendAfter is how long another message has to wait.
const ResendAfter = resendAfter

// Try runs what a browser might answer through both ceremonies, as if it had been asked just
// that: the challenge is taken from the answer, the key belongs to whatever credential it names.
func (w *WebAuthn) Try(answer, cose []byte) (create, get error) {
	var said struct {
		RawID    string `json:"rawId"`
		Response struct {
			ClientDataJSON string `json:"clientDataJSON"`
			UserHandle     string `json:"userHandle"`
		} `json:"response"`
	}
	var client struct {
		Challenge string `json:"challenge"`
	}
	_ = json.Unmarshal(answer, &said)
	raw, _ := encoding.DecodeString(said.Response.ClientDataJSON)
	_ = json.Unmarshal(raw, &client)
	id, _ := encoding.DecodeString(said.RawID)
	who := holder{handle: make([]byte, handleSize), name: "ann", call: "Ann"}
	asked := func(_, session json.RawMessage, err error) (c ceremony) {
		if err == nil {
			err = json.Unmarshal(session, &c)
		}
		if err != nil {
			panic(err)
		}
		if len(client.Challenge) == len(c.Session.Challenge) {
			c.Session.Challenge = client.Challenge
		}
		return c
	}
	_, create = w.registered(asked(w.creation(identity.Passkey, who)), who, answer)
	c := asked(w.request(identity.Passkey, nil))
	a, get := w.read(c, answer)
	if get != nil {
		return create, get
	}
	who.handle, who.keys = a.Handle, []webauthn.Credential{key{PublicKey: cose}.credential(id, 0)}
	_, get = w.asserted(c, who, a)
	return create, get
}
