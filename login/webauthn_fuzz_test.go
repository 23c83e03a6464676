package login_test

import (
	"encoding/json"
	"errors"
	"math/rand/v2"
	"testing"

	"idp/internal/problem"
	"idp/login"
)

// answers are a right one for each ceremony and some that are wrong at their core.
func answers(t *testing.T) (d *device, all []string) {
	t.Helper()
	d = newDevice(t)
	asked := json.RawMessage(`{"publicKey":{"challenge":"` + b64.EncodeToString(make([]byte, 32)) + `","rp":{"id":"id.example.com"},"user":{"id":"AA"},"rpId":"id.example.com"}}`)
	d.auth.Options.UserHandle = make([]byte, 64)
	all = []string{d.makes(asked, d.cred.Key.AttestationData(), nil), d.creates(asked), d.signs(asked), d.forges(asked, nil)}
	d.auth.Options.UserHandle = make([]byte, 64)
	all = append(all, d.signs(asked))
	object := func(cbor ...byte) string {
		return d.says(map[string]any{"clientDataJSON": b64.EncodeToString(d.client("webauthn.create", challengeOf(asked), nil)), "attestationObject": b64.EncodeToString(cbor)})
	}
	return d, append(all, "", "null", "[]", `{"id":1}`, `{"id":"","rawId":"","type":"public-key","response":{}}`,
		object(), object(0xff), object(0xbf, 0xff), object(0x9b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff), object(0xa1, 0x61), object(0xd9, 0xd9, 0xf7, 0xa0),
		object(0xa3, 0x63, 'f', 'm', 't', 0x64, 'n', 'o', 'n', 'e', 0x67, 'a', 't', 't', 'S', 't', 'm', 't', 0xa0, 0x68, 'a', 'u', 't', 'h', 'D', 'a', 't', 'a', 0x41, 0x00),
		d.makes(asked, []byte{0xff}, nil), d.makes(asked, cose(), nil), d.makes(asked, cose(1, 2, 3, -7, -1, 1, -2, []byte{}, -3, []byte{}), nil),
		d.makes(asked, cose(1, 3, 3, -257, -1, []byte{}, -2, []byte{}), nil), d.makes(asked, cose(1, 1, 3, -8, -1, 6, -2, []byte{1}), nil))
}

func tried(t *testing.T, d *device, answer string) (create, get error) {
	t.Helper()
	site, err := login.NewWebAuthn("id.example.com", "Acme", []string{origin})
	if err != nil {
		t.Fatal(err)
	}
	create, get = site.Try([]byte(answer), d.cred.Key.AttestationData())
	for _, err := range []error{create, get} {
		var p *problem.Error
		if err != nil && (!errors.As(err, &p) || p.Kind != problem.Invalid) {
			t.Errorf("%q: %v", answer, err)
		}
	}
	return create, get
}

func TestTheRightAnswersAreRightInTheFuzzer(t *testing.T) {
	d, all := answers(t)
	if create, get := tried(t, d, all[0]); create != nil || get == nil {
		t.Errorf("a creation: %v, %v", create, get)
	}
	if create, get := tried(t, d, all[2]); create == nil || get != nil {
		t.Errorf("an assertion: %v, %v", create, get)
	}
}

func TestTenThousandBrokenAnswersAreRefusedAndNothingElse(t *testing.T) {
	d, all := answers(t)
	dice := rand.New(rand.NewPCG(1, 2))
	for range 10_000 {
		raw := []byte(all[dice.IntN(len(all))])
		for range dice.IntN(4) {
			if len(raw) == 0 {
				break
			}
			switch at := dice.IntN(len(raw)); dice.IntN(4) {
			case 0:
				raw[at] ^= 1 << dice.IntN(8)
			case 1:
				raw[at] = "ABCabc019-_{}[]\""[dice.IntN(16)]
			case 2:
				raw = raw[:at]
			default:
				raw = append(raw[:at:at], raw[min(len(raw), at+1+dice.IntN(9)):]...)
			}
		}
		_, _ = tried(t, d, string(raw))
	}
}

func FuzzWhatABrowserAnswers(f *testing.F) {
	t := &testing.T{}
	d, all := answers(t)
	for _, a := range all {
		f.Add(a)
	}
	f.Fuzz(func(t *testing.T, answer string) { _, _ = tried(t, d, answer) })
}
