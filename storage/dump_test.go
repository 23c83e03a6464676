package storage_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"idp/identity"
	"idp/internal/secret"
	"idp/login"
	"idp/message"
	"idp/provider"
	"idp/session"
	"idp/storage"
	"idp/storage/storagetest"
	"idp/token"
)

// Whoever steals the database file finds nothing to sign in with, in no usual spelling.
func TestADumpRevealsNothingUsable(t *testing.T) {
	url := storagetest.SQLite(t)
	db := storagetest.OpenURL(t, url, nil)
	ctx, people, logins := within(t), storage.NewPeople(db), storage.NewLogin(db)
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	pkcs8, err := x509.MarshalPKCS8PrivateKey(key)
	must(t, err)
	scalar, err := key.Bytes()
	must(t, err)
	secrets := map[string][]byte{"signing key": pkcs8, "scalar of the signing key": scalar}
	mark := func(what string) string {
		s := "marked-" + what + "-" + hex.EncodeToString(secret.Bytes(8))
		secrets[what] = []byte(s)
		return s
	}
	u := person(t, db, "visible-name")
	browser := session.NewToken()
	secrets["cookie"] = []byte(browser.Secret.Reveal())
	must(t, errors.Join(
		people.SaveFactor(ctx, identity.Factor{ID: "factor_1", UserID: u.ID, Method: identity.Password, Secret: secret.NewString(mark("hash"))}),
		people.SaveFactor(ctx, identity.Factor{ID: "factor_2", UserID: u.ID, Method: identity.TOTP, Secret: secret.NewString(mark("seed"))}),
		people.SaveFactor(ctx, identity.Factor{ID: "factor_3", UserID: u.ID, Method: identity.PhoneCode, Secret: secret.NewString(mark("number of a factor"))}),
		people.SaveFactor(ctx, identity.Factor{ID: "factor_4", UserID: u.ID, Method: identity.BackupCode, Secret: secret.NewString(mark("backup code"))}),
		people.SaveFactor(ctx, identity.Factor{ID: "factor_5", UserID: u.ID, Method: identity.Passkey, Credential: "credential", Secret: secret.NewString(mark("public key"))}),
		// Numbers and addresses on file are looked up by, and plain: the database is as private as they are.
		people.SaveHolding(ctx, identity.Holding{ID: "holding_1", UserID: u.ID, Identifier: identity.Identifier{Kind: identity.Phone, Value: "+447400123456"}, Source: identity.SourceSelf}),
		storage.NewUndos(db).SaveUndo(ctx, login.Undo{
			ID: "undo_1", Digest: secret.DigestOf(mark("undo link")), User: u.ID, Kind: login.FactorRemoved, Name: mark("name in an undo"), Network: mark("network in an undo"),
			Address:  identity.Identifier{Kind: identity.Email, Value: mark("address in an undo")},
			Holdings: []identity.Holding{{ID: "holding_2", UserID: u.ID, Identifier: identity.Identifier{Kind: identity.Phone, Value: mark("number in an undo")}}},
			Factors:  []identity.Factor{{ID: "factor_6", UserID: u.ID, Method: identity.TOTP, Secret: secret.NewString(mark("seed in an undo"))}},
		}),
		logins.SaveAttempt(ctx, login.Attempt{
			ID: "att_1", Draft: login.Draft{
				Name: "Ann", PasswordHash: secret.NewString(mark("draft")),
				Factor: &login.DraftFactor{Method: identity.TOTP, Secret: secret.NewString(mark("seed to confirm"))},
			},
			Challenges: map[identity.Method]login.Challenge{identity.EmailCode: {
				Code: storagetest.Box().MAC("code", mark("code")), Link: secret.DigestOf(mark("link")),
			}},
		}),
		logins.SaveInvitation(ctx, login.Invitation{ID: "inv_1", Token: secret.DigestOf(mark("invitation")), ExpiresAt: noon}),
		storage.NewAdmin(db).SaveOperatorLink(ctx, secret.DigestOf(mark("operator")), noon, noon),
		storage.NewInbox(db).Keep(ctx, message.Letter{ID: "letter_1", To: "ann@example.org", Code: mark("letter code"), Link: mark("letter link"), Text: mark("letter text")}),
		storage.NewSessions(db).SaveBrowser(ctx, session.Browser{ID: browser.ID, Digest: secret.DigestOf(browser.Secret.Reveal())}),
		storage.NewTrust(db).SaveTrusted(ctx, login.Trusted{ID: "trust_1", Browser: browser.ID, User: u.ID, CreatedAt: noon, ExpiresAt: noon.Add(time.Hour)}),
		second(storage.NewThrottle(db).Reserve(ctx, []login.Budget{{Key: mark("throttled address"), Limit: 1, Window: time.Hour}}, noon)),
		storage.NewClients(db).SaveClient(ctx, provider.Client{ID: "client_1", AuthMethod: "client_secret_jwt", Secrets: []provider.ClientSecret{
			{Digest: "digest", Value: secret.NewString(mark("client secret"))},
		}}),
		storage.NewTemplates(db).SaveTemplate(ctx, token.Template{
			Name: "hasura", Claims: []byte("{}"), Key: token.CustomKey{ID: "shared", Material: secret.NewString(mark("key of a template"))},
		}),
		storage.NewKeys(db).SaveKey(ctx, token.Key{ID: "kid", Purpose: token.OIDC, Algorithm: "ES256", State: token.Current, Private: key, CreatedAt: noon}),
	))
	dump := everyByte(t, url)
	for _, plain := range []string{"visible-name", "+447400123456"} {
		if !bytes.Contains(dump, []byte(plain)) {
			t.Fatalf("the dump lacks %s, which is no secret; this test would find nothing", plain)
		}
	}
	for what, s := range secrets {
		for spelling, hidden := range map[string][]byte{
			"as is": s, "base64": []byte(base64.RawStdEncoding.EncodeToString(s)), "base64url": []byte(base64.RawURLEncoding.EncodeToString(s)),
			"hex": []byte(hex.EncodeToString(s)),
		} {
			if bytes.Contains(bytes.ToLower(dump), bytes.ToLower(hidden)) {
				t.Errorf("the %s is in the database, %s", what, spelling)
			}
		}
	}
}

// everyByte reads the database's files, the log that was not folded in yet included.
func everyByte(t *testing.T, url string) []byte {
	t.Helper()
	files, err := filepath.Glob(strings.TrimPrefix(url, "sqlite:") + "*")
	must(t, err)
	if len(files) < 2 {
		t.Fatalf("no write-ahead log among %v", files)
	}
	var all []byte
	for _, f := range files {
		b, err := os.ReadFile(f)
		must(t, err)
		all = append(all, b...)
	}
	return all
}

func TestTheDatabaseFileIsItsOwnersAlone(t *testing.T) {
	path := filepath.Join(t.TempDir(), "data", "idp.db")
	db := storagetest.OpenURL(t, "sqlite:"+path, nil)
	must(t, db.Migrate(t.Context()))
	for name, want := range map[string]os.FileMode{filepath.Dir(path): 0o700, path: 0o600, path + "-wal": 0o600} {
		info, err := os.Stat(name)
		must(t, err)
		if info.Mode().Perm() != want {
			t.Errorf("%s has mode %o", filepath.Base(name), info.Mode().Perm())
		}
	}
}
