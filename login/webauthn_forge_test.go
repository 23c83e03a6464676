package login_test

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"slices"
)

// This file makes by hand what no honest authenticator answers.

var b64 = base64.RawURLEncoding

// client is what a browser says of where it was; more overrides or adds.
func (d *device) client(kind string, challenge string, more map[string]any) []byte {
	d.Helper()
	data := map[string]any{"type": kind, "challenge": challenge, "origin": d.site.Origin, "crossOrigin": false}
	for k, v := range more {
		data[k] = v
	}
	raw, err := json.Marshal(data)
	if err != nil {
		d.Fatal(err)
	}
	return raw
}

func challengeOf(options json.RawMessage) string {
	var o struct {
		PublicKey struct {
			Challenge string `json:"challenge"`
		} `json:"publicKey"`
	}
	if err := json.Unmarshal(options, &o); err != nil {
		panic(err)
	}
	return o.PublicKey.Challenge
}

// authData is what an authenticator signs of itself.
func (d *device) authData(flags byte, attested []byte) []byte {
	hash := sha256.Sum256([]byte(d.site.ID))
	data := append(hash[:], flags)
	data = binary.BigEndian.AppendUint32(data, d.cred.Counter)
	return append(data, attested...)
}

// forges signs with client data of any content.
func (d *device) forges(options json.RawMessage, more map[string]any) string {
	d.Helper()
	d.cred.Counter++
	client, auth := d.client("webauthn.get", challengeOf(options), more), d.authData(0b101, nil)
	hash := sha256.Sum256(client)
	digest := sha256.Sum256(slices.Concat(auth, hash[:]))
	signature, err := d.cred.Key.Sign(digest[:])
	if err != nil {
		d.Fatal(err)
	}
	return d.says(map[string]any{
		"clientDataJSON": b64.EncodeToString(client), "authenticatorData": b64.EncodeToString(auth),
		"signature": b64.EncodeToString(signature), "userHandle": b64.EncodeToString(d.auth.Options.UserHandle),
	})
}

func (d *device) says(response map[string]any) string {
	d.Helper()
	raw, err := json.Marshal(map[string]any{"id": d.id(), "rawId": d.id(), "type": "public-key", "response": response})
	if err != nil {
		d.Fatal(err)
	}
	return string(raw)
}

// makes answers a creation with any key, attesting nothing.
func (d *device) makes(options json.RawMessage, cose []byte, more map[string]any) string {
	d.Helper()
	id := binary.BigEndian.AppendUint16(make([]byte, 16), uint16(len(d.cred.ID)))
	auth := d.authData(0b1000101, slices.Concat(id, d.cred.ID, cose))
	object := slices.Concat([]byte{0xa3}, cborText("fmt"), cborText("none"), cborText("attStmt"), []byte{0xa0}, cborText("authData"), cborBytes(auth))
	return d.says(map[string]any{
		"clientDataJSON":    b64.EncodeToString(d.client("webauthn.create", challengeOf(options), more)),
		"attestationObject": b64.EncodeToString(object),
	})
}

// The little of CBOR (RFC 8949) that a key needs: numbers, bytes, text, and a map of numbers.
func cborHead(kind byte, n uint64) []byte {
	switch {
	case n < 24:
		return []byte{kind<<5 | byte(n)}
	case n < 1<<8:
		return []byte{kind<<5 | 24, byte(n)}
	default:
		return binary.BigEndian.AppendUint16([]byte{kind<<5 | 25}, uint16(n))
	}
}

func cborInt(n int) []byte {
	if n < 0 {
		return cborHead(1, uint64(-1-n))
	}
	return cborHead(0, uint64(n))
}

func cborBytes(b []byte) []byte { return append(cborHead(2, uint64(len(b))), b...) }
func cborText(s string) []byte  { return append(cborHead(3, uint64(len(s))), s...) }

// cose is a COSE key: pairs of label and value.
func cose(pairs ...any) []byte {
	key := cborHead(5, uint64(len(pairs)/2))
	for _, p := range pairs {
		switch p := p.(type) {
		case int:
			key = append(key, cborInt(p)...)
		case []byte:
			key = append(key, cborBytes(p)...)
		}
	}
	return key
}
