package provider_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"net/http"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"idp/provider"
	"idp/storage"
)

// offering notes which algorithms keys were made for.
type offering struct {
	mu   sync.Mutex
	made []string
}

// Offer notes one.
func (o *offering) Offer(_ context.Context, algorithm string) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.made = append(o.made, algorithm)
	return nil
}

// open is a world where anybody may register, and a web elsewhere.
func (w *world) open() *elsewhere {
	there := &elsewhere{says: map[string][]byte{}}
	w.clients.Outbound = there
	w.wire(provider.Deps{OpenRegistration: true, Outbound: there})
	return there
}

type object = map[string]any

// register registers metadata and returns what the answer says.
func (w *world) register(metadata object) (int, object) {
	w.t.Helper()
	if metadata["redirect_uris"] == nil {
		metadata["redirect_uris"] = []string{callback}
	}
	return w.speak(http.MethodPost, "/oauth2/register", "", metadata)
}

func (w *world) speak(method, path, bearer string, metadata object) (int, object) {
	w.t.Helper()
	text, err := json.Marshal(metadata)
	must(w.t, err)
	rec := w.json(method, path, bearer, string(text))
	var answer object
	if err := json.Unmarshal(rec.Body.Bytes(), &answer); err != nil {
		answer = object{"words": rec.Body.String()}
	}
	return rec.Code, answer
}

func publicKeys(t *testing.T) json.RawMessage {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	text, err := json.Marshal(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: key.Public(), KeyID: "k1", Use: "sig"}}})
	must(t, err)
	return text
}

func privateKeys(t *testing.T) json.RawMessage {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	text, err := json.Marshal(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: key, KeyID: "k1"}}})
	must(t, err)
	return text
}

// Everything a client may say of itself is kept, said back by every answer about it, and
// gone when it is left out.
func TestWhatAClientSaysOfItselfIsSaidBack(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		there := w.open()
		there.says["https://rp.example.org/sector"] = []byte(`["` + callback + `", "https://other.example.org/"]`)
		keys := publicKeys(t)
		for _, said := range []object{
			{"application_type": "native", "redirect_uris": []string{"com.example.app:/cb"}, "token_endpoint_auth_method": "none"},
			{"response_types": []string{"id_token token"}, "grant_types": []string{"implicit"}},
			{"response_types": []string{"code", "code id_token", "code token", "code id_token token"}, "grant_types": []string{"authorization_code", "implicit"}},
			{"token_endpoint_auth_method": "private_key_jwt", "token_endpoint_auth_signing_alg": "ES256", "jwks": keys},
			{"token_endpoint_auth_method": "private_key_jwt", "jwks_uri": "https://rp.example.org/jwks"},
			{"token_endpoint_auth_method": "client_secret_jwt", "token_endpoint_auth_signing_alg": "HS256"},
			{"token_endpoint_auth_method": "client_secret_post"},
			{"id_token_signed_response_alg": "PS256", "userinfo_signed_response_alg": "ES384"},
			{"id_token_signed_response_alg": "HS256"},
			{
				"id_token_encrypted_response_alg": "ECDH-ES", "id_token_encrypted_response_enc": "A256GCM", "jwks": keys,
				"userinfo_encrypted_response_alg": "dir", "userinfo_encrypted_response_enc": "A128CBC-HS256",
			},
			{"request_object_signing_alg": "none", "request_uris": []string{"https://rp.example.org/request#hash"}},
			{
				"request_object_signing_alg": "ES256", "request_object_encryption_alg": "RSA-OAEP-256", "request_object_encryption_enc": "A128GCM",
				"require_signed_request_object": true, "require_pushed_authorization_requests": true, "jwks_uri": "https://rp.example.org/jwks",
			},
			{"subject_type": "pairwise"},
			{"subject_type": "pairwise", "sector_identifier_uri": "https://rp.example.org/sector", "redirect_uris": []string{callback, "https://other.example.org/"}},
			{"default_max_age": float64(0), "require_auth_time": true, "default_acr_values": []string{"aal2", "phr"}},
			{"initiate_login_uri": "https://rp.example.org/start", "post_logout_redirect_uris": []string{"https://rp.example.org/bye"}},
			{"frontchannel_logout_uri": "https://rp.example.org/front?x=1", "frontchannel_logout_session_required": true},
			{"backchannel_logout_uri": "https://else.example.org/back", "backchannel_logout_session_required": true},
			{"software_id": "s-1", "software_version": "2.0", "contacts": []string{"ops@rp.example.org"}, "scope": "openid email"},
			{
				"client_name": "Größe", "client_name#fr": "Taille", "logo_uri": "https://rp.example.org/l.png", "logo_uri#ja-Jpan-JP": "https://rp.example.org/ja.png",
				"client_uri": "https://rp.example.org/", "policy_uri": "https://rp.example.org/p", "tos_uri": "https://rp.example.org/t", "tos_uri#fr": "https://rp.example.org/fr",
			},
		} {
			code, made := w.register(said)
			if code != http.StatusCreated {
				t.Errorf("%v: %d %v", said, code, made)
				continue
			}
			id, key := made["client_id"].(string), made["registration_access_token"].(string)
			_, read := w.speak(http.MethodGet, "/oauth2/register/"+id, key, nil)
			again := object{"client_id": id}
			for k, v := range said {
				again[k] = v
			}
			status, changed := w.speak(http.MethodPut, "/oauth2/register/"+id, key, again)
			if status != http.StatusOK {
				t.Errorf("the same again, %v: %d %v", said, status, changed)
			}
			for member, value := range said {
				want := plainJSON(t, value)
				for where, answer := range map[string]object{"registration": made, "read": read, "update": changed} {
					if !reflect.DeepEqual(answer[member], want) {
						t.Errorf("%s of %v says %v in the answer to the %s", member, want, answer[member], where)
					}
				}
			}
			bare := object{"client_id": id, "redirect_uris": said["redirect_uris"], "application_type": said["application_type"]}
			_, emptied := w.speak(http.MethodPut, "/oauth2/register/"+id, key, bare)
			for member := range said {
				if kept := emptied[member]; !defaults[member] && bare[member] == nil && kept != nil {
					t.Errorf("%s is left out and still %v", member, kept)
				}
			}
		}
	})
}

// defaults are members that have a value also if nobody gives one.
var defaults = map[string]bool{
	"redirect_uris": true, "grant_types": true, "response_types": true, "scope": true, "client_name": true, "subject_type": true,
	"token_endpoint_auth_method": true, "id_token_signed_response_alg": true, "application_type": true,
}

func plainJSON(t *testing.T, v any) (plain any) {
	t.Helper()
	text, err := json.Marshal(v)
	must(t, err)
	must(t, json.Unmarshal(text, &plain))
	return plain
}

func TestMetadataThatDoesNotFitIsRefusedByName(t *testing.T) {
	w := newWorld(t, sqlite(t), clockOf())
	w.open()
	keys := publicKeys(t)
	many := make([]string, 51)
	for i := range many {
		many[i] = fmt.Sprintf("https://rp.example.org/%d", i)
	}
	for _, tc := range []struct {
		member string
		said   object
		why    string
	}{
		{"redirect_uris", object{"redirect_uris": []string{}}, "none"},
		{"redirect_uris", object{"redirect_uris": []string{"https://rp.example.org/cb#x"}}, "a fragment"},
		{"redirect_uris", object{"redirect_uris": []string{"JaVaScRiPt:alert(1)//"}}, "script"},
		{"redirect_uris", object{"redirect_uris": []string{"myapp://cb"}, "application_type": "native"}, "a scheme anybody takes"},
		{"redirect_uris", object{"redirect_uris": many}, "too many"},
		{"redirect_uris", object{"redirect_uris": "x"}, "no list"},
		{"response_types", object{"response_types": []string{"id_token"}, "grant_types": []string{"authorization_code"}}, "implicit is missing"},
		{"response_types", object{"response_types": []string{"code"}, "grant_types": []string{"authorization_code", "implicit"}}, "implicit for nothing"},
		{"response_types", object{"response_types": []string{"token"}}, "no ID token"},
		{"response_types", object{"response_types": []string{"code code"}}, "twice"},
		{"grant_types", object{"grant_types": []string{"password"}}, "unknown"},
		{"application_type", object{"application_type": "spa"}, "unknown on the wire"},
		{"token_endpoint_auth_method", object{"token_endpoint_auth_method": "tls_client_auth"}, "unknown"},
		{"token_endpoint_auth_signing_alg", object{"token_endpoint_auth_method": "private_key_jwt", "token_endpoint_auth_signing_alg": "HS256", "jwks": keys}, "of the other method"},
		{"token_endpoint_auth_signing_alg", object{"token_endpoint_auth_method": "client_secret_jwt", "token_endpoint_auth_signing_alg": "RS256"}, "of the other method"},
		{"token_endpoint_auth_signing_alg", object{"token_endpoint_auth_signing_alg": "none"}, "unsigned"},
		{"jwks", object{"token_endpoint_auth_method": "private_key_jwt"}, "no keys"},
		{"jwks", object{"jwks": keys, "jwks_uri": "https://rp.example.org/jwks"}, "twice"},
		{"jwks", object{"jwks": privateKeys(t)}, "private keys"},
		{"jwks", object{"jwks": object{"keys": []any{}}}, "empty"},
		{"jwks_uri", object{"jwks_uri": "ftp://rp.example.org/jwks"}, "another scheme"},
		{"jwks_uri", object{"jwks_uri": "http://10.0.0.1/jwks"}, "plain"},
		{"id_token_signed_response_alg", object{"id_token_signed_response_alg": "none"}, "unsigned"},
		{"id_token_signed_response_alg", object{"id_token_signed_response_alg": "HS256", "token_endpoint_auth_method": "none"}, "no secret"},
		{"userinfo_signed_response_alg", object{"userinfo_signed_response_alg": "XS1"}, "unknown"},
		{"id_token_encrypted_response_alg", object{"id_token_encrypted_response_alg": "RSA-OAEP"}, "no keys"},
		{"id_token_encrypted_response_alg", object{"id_token_encrypted_response_alg": "RSA1_5", "jwks": keys}, "leaks"},
		{"userinfo_encrypted_response_alg", object{"userinfo_encrypted_response_alg": "A128KW", "token_endpoint_auth_method": "none"}, "no secret"},
		{"id_token_encrypted_response_enc", object{"id_token_encrypted_response_enc": "A128GCM"}, "no key"},
		{"request_object_signing_alg", object{"request_object_signing_alg": "RS256"}, "no keys"},
		{"request_object_encryption_alg", object{"request_object_encryption_alg": "dir"}, "not to us"},
		{"require_signed_request_object", object{"require_signed_request_object": true, "request_object_signing_alg": "none"}, "against itself"},
		{"require_signed_request_object", object{"require_signed_request_object": "yes"}, "no boolean"},
		{"request_uris", object{"request_uris": many}, "too many"},
		{"request_uris", object{"request_uris": []string{"file:///etc/passwd"}}, "another scheme"},
		{"subject_type", object{"subject_type": "private"}, "unknown"},
		{"sector_identifier_uri", object{"subject_type": "pairwise", "redirect_uris": []string{callback, "https://other.example.org/"}}, "several hosts"},
		{"sector_identifier_uri", object{"sector_identifier_uri": "http://10.1.1.1/"}, "plain"},
		{"default_max_age", object{"default_max_age": -1}, "negative"},
		{"default_max_age", object{"default_max_age": "10"}, "no number"},
		{"default_acr_values", object{"default_acr_values": []string{"a b"}}, "two in one"},
		{"initiate_login_uri", object{"initiate_login_uri": "http://rp.example.org/start"}, "plain"},
		{"initiate_login_uri", object{"initiate_login_uri": "http://localhost/start"}, "plain"},
		{"post_logout_redirect_uris", object{"post_logout_redirect_uris": []string{"data:text/html,x"}}, "script"},
		{"frontchannel_logout_uri", object{"frontchannel_logout_uri": "https://rp.example.org:444/out"}, "another port"},
		{"frontchannel_logout_uri", object{"frontchannel_logout_uri": "https://evil.example/out"}, "another host"},
		{"backchannel_logout_uri", object{"backchannel_logout_uri": "https://rp.example.org/out#x"}, "a fragment"},
		{"backchannel_logout_uri", object{"backchannel_logout_uri": "http://rp.example.org/out"}, "plain"},
		{"logo_uri", object{"logo_uri": "javascript:alert(1)"}, "script"},
		{"logo_uri", object{"logo_uri#fr": "javascript:alert(1)"}, "script in French"},
		{"client_name", object{"client_name#fr": "Acme\u202emoc"}, "reads backwards in French"},
		{"client_name", object{"client_name#not a language": "Acme"}, "no language"},
		{"client_name", object{"client_name": strings.Repeat("x", 300)}, "too long"},
		{"software_id", object{"software_id": "a\nb"}, "two lines"},
		{"scope", object{"scope": "openid payments:write"}, "the operator's"},
		{"software_statement", object{"software_statement": "a.b.c"}, "nobody we trust"},
		{"software_statement", object{"software_statement": 1}, "no statement"},
	} {
		code, answer := w.register(tc.said)
		words, _ := answer["error_description"].(string)
		want := "invalid_client_metadata"
		switch {
		case tc.member == "redirect_uris" && tc.why != "no list":
			want = "invalid_redirect_uri"
		case tc.why == "nobody we trust":
			want = "unapproved_software_statement"
		case tc.why == "no statement":
			want = "invalid_software_statement"
		}
		if tc.why == "no list" {
			want = answer["error"].(string)
		}
		if code != http.StatusBadRequest || answer["error"] != want || !strings.HasPrefix(words, tc.member+": ") {
			t.Errorf("%s (%s): %d %v", tc.member, tc.why, code, answer)
		}
	}
	if list, err := w.clients.List(t.Context(), "", 10); err != nil || len(list) != 0 {
		t.Errorf("%d clients were made, %v", len(list), err)
	}
}

func TestGrantsFollowFromResponseTypes(t *testing.T) {
	w := newWorld(t, sqlite(t), clockOf())
	w.open()
	for _, tc := range []struct{ types, grants, wantTypes, wantGrants string }{
		{"", "", "code", "authorization_code refresh_token"},
		{"code", "", "code", "authorization_code refresh_token"},
		{"id_token", "", "id_token", "implicit"},
		{"token id_token", "", "id_token token", "implicit"},
		{"code,id_token", "", "code,id_token", "authorization_code implicit refresh_token"},
		{"code id_token", "", "code id_token", "authorization_code implicit refresh_token"},
		{"", "authorization_code", "code", "authorization_code"},
		{"", "authorization_code implicit", "code", "authorization_code"},
		{"", "implicit", "id_token", "implicit"},
		{"", "client_credentials", "", "client_credentials"},
	} {
		said := object{}
		if tc.types != "" {
			said["response_types"] = strings.Split(tc.types, ",")
		}
		if tc.grants != "" {
			said["grant_types"] = strings.Fields(tc.grants)
		}
		code, answer := w.register(said)
		if got := fmt.Sprint(answer["response_types"], answer["grant_types"]); code != http.StatusCreated ||
			strings.ReplaceAll(got, "<nil>", "[]") != fmt.Sprint(strings.Split(tc.wantTypes, ","), strings.Fields(tc.wantGrants)) {
			t.Errorf("%q with %q became %d %s", tc.types, tc.grants, code, got)
		}
	}
}

func TestTokensInFrontNeedAHomeOnTheWebInProduction(t *testing.T) {
	w := newWorld(t, sqlite(t), clockOf())
	w.open()
	local := func() int {
		code, _ := w.register(object{"redirect_uris": []string{"https://localhost/cb"}, "response_types": []string{"id_token token"}})
		return code
	}
	if local() != http.StatusCreated {
		t.Error("development")
	}
	w.clients.Production = true
	if local() != http.StatusBadRequest {
		t.Error("production lets tokens go to whatever listens on a person's machine")
	}
	for _, said := range []object{{"jwks_uri": "http://localhost/jwks"}, {"backchannel_logout_uri": "http://127.0.0.1/out"}, {"request_uris": []string{"http://[::1]/r"}}} {
		if code, answer := w.register(said); code != http.StatusBadRequest {
			t.Errorf("%v: %d %v", said, code, answer)
		}
	}
}

func TestKeysAreMadeBeforeAClientNeedsThem(t *testing.T) {
	w := newWorld(t, sqlite(t), clockOf())
	w.open()
	made := &offering{}
	w.clients.Keys = made
	for _, said := range []object{
		{"id_token_signed_response_alg": "ES384", "userinfo_signed_response_alg": "PS256"}, {"id_token_signed_response_alg": "HS256"}, {},
		{"id_token_signed_response_alg": "none"}, {"id_token_signed_response_alg": "ES512", "redirect_uris": []string{"http://rp.example.org/"}},
	} {
		w.register(said)
	}
	if got := strings.Join(made.made, " "); got != "ES384 PS256" {
		t.Errorf("keys were made for %q", got)
	}
}

func TestASecretThatIsAKeyIsKeptSealedAndNoOther(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.open()
		kept := func(id string) provider.ClientSecret {
			t.Helper()
			c, err := storage.NewClients(w.db).Client(t.Context(), provider.ClientID(id))
			must(t, err)
			return c.Secrets[0]
		}
		_, plain := w.register(object{})
		id, access := plain["client_id"].(string), plain["registration_access_token"].(string)
		if s := kept(id); !s.Value.Empty() {
			t.Error("a secret that nobody needs back is kept")
		}
		path, first := "/oauth2/register/"+id, plain["client_secret"].(string)
		turn := object{"client_id": id, "redirect_uris": []string{callback}, "token_endpoint_auth_method": "client_secret_jwt"}
		code, turned := w.speak(http.MethodPut, path, access, turn)
		second, _ := turned["client_secret"].(string)
		if code != http.StatusOK || second == "" || second == first || kept(id).Value.Reveal() != second {
			t.Fatalf("%d %v", code, turned)
		}
		_, again := w.speak(http.MethodPut, path, access, turn)
		_, read := w.speak(http.MethodGet, path, access, nil)
		if again["client_secret"] != nil || read["client_secret"] != nil || again["client_secret_expires_at"] != float64(0) {
			t.Errorf("shown again: %v %v", again, read)
		}
		turn["token_endpoint_auth_method"] = "client_secret_basic"
		if _, back := w.speak(http.MethodPut, path, access, turn); back["client_secret"] != nil || !kept(id).Value.Empty() {
			t.Errorf("%v", back)
		}
		_, err := w.clients.Update(t.Context(), provider.ClientID(id), "operator:cli", func(c *provider.Client) error {
			c.IDToken.JWS = "HS256"
			return nil
		})
		if err == nil || !kept(id).Value.Empty() {
			t.Errorf("a key was made of a secret whose value is gone: %v", err)
		}
		for _, said := range []object{{"token_endpoint_auth_method": "none"}, {"token_endpoint_auth_method": "private_key_jwt", "jwks_uri": "https://rp.example.org/jwks"}} {
			if _, made := w.register(said); made["client_secret"] != nil || made["client_secret_expires_at"] != nil {
				t.Errorf("%v: %v", said, made)
			}
		}
	})
}

func TestASectorDocumentMustListEveryRedirectURI(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		there := w.open()
		at := "https://sector.example.org/uris.json"
		said := object{"subject_type": "pairwise", "sector_identifier_uri": at}
		for text, why := range map[string]string{
			`["https://rp.example.org/other"]`: "lists others", `{"redirect_uris": []}`: "no list", `[1]`: "no texts", `x`: "no JSON", ``: "empty",
			`["` + callback + `"]` + strings.Repeat(" ", 256<<10): "too long",
		} {
			there.says[at] = []byte(text)
			if code, answer := w.register(said); code != http.StatusBadRequest || answer["error"] != "invalid_client_metadata" {
				t.Errorf("%s: %d %v", why, code, answer)
			}
		}
		delete(there.says, at)
		_, unreachable := w.register(said)
		if words := unreachable["error_description"]; words != "sector_identifier_uri: It could not be fetched." {
			t.Errorf("what is told of an address that cannot be reached: %v", words)
		}
		there.says[at] = []byte(`["` + callback + `"]`)
		before := there.times(at)
		code, made := w.register(said)
		if code != http.StatusCreated || there.times(at) != before+1 {
			t.Fatalf("%d %v, fetched %d times", code, made, there.times(at)-before)
		}
		c, err := w.clients.Get(t.Context(), provider.ClientID(made["client_id"].(string)))
		must(t, err)
		if !c.Pairwise || c.Sector != "sector.example.org" {
			t.Errorf("%+v", c)
		}
		path, access := "/oauth2/register/"+string(c.ID), made["registration_access_token"].(string)
		said["client_id"], said["client_name"] = string(c.ID), "Renamed"
		if code, _ := w.speak(http.MethodPut, path, access, said); code != http.StatusOK || there.times(at) != before+1 {
			t.Errorf("a new name fetched the sector again: %d", code)
		}
		said["redirect_uris"] = []string{callback, "https://evil.example/cb"}
		if code, _ := w.speak(http.MethodPut, path, access, said); code != http.StatusBadRequest {
			t.Errorf("an update is weaker than the registration: %d", code)
		}
	})
}

func TestANetworkRegistersOnlySoManyAppsInAnHour(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		there := &elsewhere{says: map[string][]byte{"https://sector.example.org/": []byte(`["` + callback + `"]`)}}
		w.clients.Outbound = there
		w.wire(provider.Deps{OpenRegistration: true, Outbound: there, Throttle: storage.NewThrottle(w.db), Registrations: 3})
		for range 5 {
			if code, _ := w.register(object{"scope": "payments"}); code != http.StatusBadRequest {
				t.Fatal("what is refused at a glance counts")
			}
		}
		var last object
		for range 3 {
			code, made := w.register(object{})
			if code != http.StatusCreated {
				t.Fatal(made)
			}
			last = made
		}
		over := object{"sector_identifier_uri": "https://sector.example.org/"}
		if code, answer := w.register(over); code == http.StatusCreated || !strings.Contains(fmt.Sprint(answer), "registrations_spent") {
			t.Errorf("%d %v", code, answer)
		}
		over["client_id"] = last["client_id"]
		if code, _ := w.speak(http.MethodPut, "/oauth2/register/"+last["client_id"].(string), last["registration_access_token"].(string), over); code == http.StatusOK {
			t.Error("an update makes us call without end")
		}
		if there.times("https://sector.example.org/") != 0 {
			t.Error("we called although the budget is spent")
		}
		key, _, err := w.clients.NewRegistrationToken(t.Context(), 1, time.Hour, "operator:cli")
		must(t, err)
		if code, answer := w.speak(http.MethodPost, "/oauth2/register", key.Reveal(), object{"redirect_uris": []string{callback}}); code != http.StatusCreated {
			t.Errorf("with leave: %d %v", code, answer)
		}
		w.clock.Add(time.Hour + time.Second)
		if code, answer := w.register(object{}); code != http.StatusCreated {
			t.Errorf("an hour later: %d %v", code, answer)
		}
	})
}
