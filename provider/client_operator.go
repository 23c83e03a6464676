package provider

import (
	"encoding/json"
	"fmt"
)

// Describe returns the client as metadata (RFC 7591 §2), with the members that are the
// operator's to say and more ones, and with no secret but what more holds. Described reads it.
func (c Client) Describe(more map[string]any) (json.RawMessage, error) {
	all := map[string]any{"client_id": c.ID, "first_party": c.FirstParty, "may_introspect": c.MayIntrospect}
	for member, value := range more {
		all[member] = value
	}
	g := c.wire()
	g.FirstParty, g.MayIntrospect = false, false // said above, also when they are not so
	text, err := withMembers(g, all)
	if err != nil {
		return nil, fmt.Errorf("describe client %s: %w", c.ID, err)
	}
	return text, nil
}

// Described turns metadata that an operator wrote into a client that takes the place of was:
// what it leaves out is gone. Unlike what a client says of itself it may name any scope,
// and first_party, may_introspect, id_token_claims, id_token_template, access_token_format,
// access_token_signed_response_alg, access_token_template, audience and type. What cannot be read is problem.Invalid.
func Described(text []byte, was Client) (Client, error) {
	g, err := readMetadata(text)
	if err != nil {
		return Client{}, err
	}
	switch {
	case g.Secret != "":
		return Client{}, invalid("client_secret", "client_secret_given", "Secrets are made here and not given.")
	case g.ID != "" && g.ID != string(was.ID):
		return Client{}, invalid("client_id", "client_id_mismatch", "That is the metadata of another app; leave client_id out.")
	}
	return g.client(was)
}

// Amended is Described for metadata that says only what changes. Null takes a member away.
func Amended(text []byte, was Client) (Client, error) {
	if _, err := readMetadata(text); err != nil {
		return Client{}, err
	}
	now, err := was.Describe(nil)
	if err != nil {
		return Client{}, err
	}
	var all, changes map[string]json.RawMessage
	if err := json.Unmarshal(now, &all); err != nil {
		return Client{}, fmt.Errorf("amend client %s: %w", was.ID, err)
	}
	if err := json.Unmarshal(text, &changes); err != nil {
		return Client{}, errMetadata.Because(err)
	}
	_, answers := changes["response_types"]
	if _, grants := changes["grant_types"]; answers && !grants {
		delete(all, "grant_types") // they follow from the response types
	}
	for member, value := range changes {
		all[member] = value
	}
	whole, err := json.Marshal(all)
	if err != nil {
		return Client{}, fmt.Errorf("amend client %s: %w", was.ID, err)
	}
	return Described(whole, was)
}
