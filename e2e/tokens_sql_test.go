package e2e

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/jackc/pgx/v5/pgconn"
)

// asPostgREST is what PostgREST and Supabase do with a token, in SQL: verified says what a token
// signed with a shared secret claims, or fails.
const asPostgREST = `
CREATE EXTENSION pgcrypto;
CREATE FUNCTION url_decode(t text) RETURNS bytea LANGUAGE sql IMMUTABLE STRICT AS
	$$ SELECT decode(rpad(translate(t, '-_', '+/'), (length(t) + 3) / 4 * 4, '='), 'base64') $$;
CREATE FUNCTION verified(token text, secret text, audience text) RETURNS jsonb LANGUAGE plpgsql AS $$
	DECLARE
		parts text[] := string_to_array(token, '.');
		header jsonb; claims jsonb;
	BEGIN
		IF array_length(parts, 1) IS DISTINCT FROM 3 THEN RAISE EXCEPTION 'not a JWT' USING ERRCODE = '28000'; END IF;
		header := convert_from(url_decode(parts[1]), 'UTF8');
		claims := convert_from(url_decode(parts[2]), 'UTF8');
		IF header ->> 'alg' <> 'HS256' OR hmac(convert_to(parts[1] || '.' || parts[2], 'UTF8'), convert_to(secret, 'UTF8'), 'sha256') <> url_decode(parts[3]) THEN
			RAISE EXCEPTION 'bad signature' USING ERRCODE = '28000';
		END IF;
		IF (claims ->> 'exp')::numeric <= extract(epoch FROM now()) OR (claims ->> 'nbf')::numeric > extract(epoch FROM now()) THEN
			RAISE EXCEPTION 'not now' USING ERRCODE = '28000';
		END IF;
		IF NOT (claims -> 'aud' = to_jsonb(audience) OR (jsonb_typeof(claims -> 'aud') = 'array' AND claims -> 'aud' ? audience)) THEN
			RAISE EXCEPTION 'for somebody else' USING ERRCODE = '28000';
		END IF;
		RETURN claims;
	END $$;
CREATE TABLE notes (owner text NOT NULL, body text NOT NULL);
ALTER TABLE notes ENABLE ROW LEVEL SECURITY;
GRANT SELECT ON notes TO web_user;
POLICY;
`

// backend is a database behind PostgREST.
type backend struct {
	t    *testing.T
	db   *sql.DB
	role string
}

// newBackend makes one with the policy that stands on the page about backends.
func newBackend(t *testing.T, admin string) *backend {
	t.Helper()
	db, err := sql.Open("pgx", postgresDatabase(t, admin))
	if err != nil {
		t.Fatal(err)
	}
	s := &backend{t: t, db: db, role: fmt.Sprintf("web_user_%x", rand.Uint64())}
	s.do("CREATE ROLE " + s.role + " NOLOGIN")
	t.Cleanup(func() {
		for _, statement := range []string{"DROP OWNED BY " + s.role, "DROP ROLE " + s.role} {
			if _, err := db.ExecContext(context.WithoutCancel(t.Context()), statement); err != nil {
				t.Log(err)
			}
		}
		_ = db.Close()
	})
	s.do(strings.ReplaceAll(strings.Replace(asPostgREST, "POLICY;", recipe(t, "sql", "", ""), 1), "web_user", s.role))
	return s
}

func (s *backend) do(statement string, args ...any) {
	s.t.Helper()
	if _, err := s.db.ExecContext(s.t.Context(), statement, args...); err != nil {
		s.t.Fatal(err)
	}
}

// Notes are those that the caller with these claims sees: as the role, with the claims beside it.
func (s *backend) Notes(claims string) string {
	s.t.Helper()
	ctx := s.t.Context()
	tx, err := s.db.BeginTx(ctx, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	defer func() { _ = tx.Rollback() }()
	for _, statement := range []string{
		"SELECT set_config('request.jwt.claims', $1, true)", "SELECT set_config('role', $1::jsonb ->> 'role', true)",
	} {
		if _, err := tx.ExecContext(ctx, statement, claims); err != nil {
			s.t.Fatal(err)
		}
	}
	var seen string
	if err := tx.QueryRowContext(ctx, "SELECT current_user || ': ' || coalesce(string_agg(body, ', ' ORDER BY body), 'nothing') FROM notes").Scan(&seen); err != nil {
		s.t.Fatal(err)
	}
	return seen
}

func TestPostgreSQLKnowsByATokenWhoseRowsToShow(t *testing.T) {
	admin := os.Getenv("IDP_TEST_POSTGRES")
	if admin == "" {
		t.Skip("needs PostgreSQL: make test brings it and sets IDP_TEST_POSTGRES")
	}
	eachEngine(t, func(t *testing.T, i *instance) {
		i.Start()
		i.Person(ann, good)
		i.Person("bob@example.com", good)
		const app, shared = "http://localhost:3111", "a shared secret of forty characters, 7 8 9"
		s := newBackend(t, admin)
		at := filepath.Join(t.TempDir(), "secret.txt")
		if err := os.WriteFile(at, []byte(shared), 0o600); err != nil {
			t.Fatal(err)
		}
		i.tell("", "--preset", "supabase-legacy", "--signing-key-file", at, "--set", "role="+s.role)
		i.tell("", "--preset", "postgrest", "--set", "role="+s.role)
		in := func(email string) *browser { return signIn(newBrowser(t, i.Issuer).Get("/sign-in"), email, good) }
		browserOfAnn, browserOfBob := in(ann), in("bob@example.com")

		verified := func(token, secret, audience string) (claims string, err error) {
			err = s.db.QueryRowContext(t.Context(), "SELECT verified($1, $2, $3)", token, secret, audience).Scan(&claims)
			return claims, err
		}
		subject := func(b *browser) (sub, claims string) {
			t.Helper()
			claims, err := verified(b.Token(app, "supabase-legacy"), shared, "authenticated")
			if err != nil {
				t.Fatal(err)
			}
			var said struct{ Sub, Role, Email string }
			if err := json.Unmarshal([]byte(claims), &said); err != nil || said.Sub == "" || said.Role != s.role || said.Email == "" {
				t.Fatalf("%v %s", err, claims)
			}
			return said.Sub, claims
		}
		annID, annClaims := subject(browserOfAnn)
		bobID, bobClaims := subject(browserOfBob)
		s.do("INSERT INTO notes VALUES ($1, 'of Ann'), ($1, 'more of Ann'), ($2, 'of Bob')", annID, bobID)
		if got := s.Notes(annClaims); got != s.role+": more of Ann, of Ann" {
			t.Errorf("Ann sees %s", got)
		}
		if got := s.Notes(bobClaims); got != s.role+": of Bob" {
			t.Errorf("Bob sees %s", got)
		}
		if got := s.Notes(`{"role":"` + s.role + `"}`); got != s.role+": nothing" {
			t.Errorf("nobody sees %s", got)
		}

		// A token of the issuer's own key, which PostgREST verifies by the JWKS.
		provider, err := oidc.NewProvider(t.Context(), i.Issuer)
		if err != nil {
			t.Fatal(err)
		}
		public := browserOfAnn.Token(app, "postgrest")
		token, err := provider.Verifier(&oidc.Config{ClientID: "postgrest", SupportedSigningAlgs: []string{"ES256"}}).Verify(t.Context(), public)
		if err != nil {
			t.Fatal(err)
		}
		var claims json.RawMessage
		if err := token.Claims(&claims); err != nil {
			t.Fatal(err)
		}
		if got := s.Notes(string(claims)); got != s.role+": more of Ann, of Ann" {
			t.Errorf("by the public keys Ann sees %s", got)
		}

		legacy := browserOfAnn.Token(app, "supabase-legacy")
		head, rest, _ := strings.Cut(legacy, ".")
		_, tail, _ := strings.Cut(rest, ".")
		_, rest, _ = strings.Cut(browserOfBob.Token(app, "supabase-legacy"), ".")
		body, _, _ := strings.Cut(rest, ".")
		for about, c := range map[string]struct{ token, secret, audience string }{
			"another secret":              {legacy, shared + "!", "authenticated"},
			"another audience":            {legacy, shared, "anon"},
			"another's claims":            {head + "." + body + "." + tail, shared, "authenticated"},
			"a session token":             {browserOfAnn.Token(app), shared, "authenticated"},
			"a token by the issuer's key": {public, shared, "postgrest"},
		} {
			var refused *pgconn.PgError
			if _, err := verified(c.token, c.secret, c.audience); !errors.As(err, &refused) || refused.Code != "28000" {
				t.Errorf("%s: %v", about, err)
			}
		}
	})
}
