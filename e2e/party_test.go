package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"testing"
)

const ann = "ann@example.com"

// Register registers a relying party over HTTP (RFC 7591), as those do that know how.
func (i *instance) Register(metadata map[string]any) registered {
	i.t.Helper()
	wish, err := json.Marshal(metadata)
	if err != nil {
		i.t.Fatal(err)
	}
	res, err := i.http.Post(i.Issuer+"/oauth2/register", "application/json", bytes.NewReader(wish))
	if err != nil {
		i.t.Fatal(err)
	}
	defer res.Body.Close()
	said, err := io.ReadAll(res.Body)
	var c registered
	if err != nil || res.StatusCode != http.StatusCreated || json.Unmarshal(said, &c) != nil {
		i.t.Fatalf("registering %s answered %s: %s, %v", wish, res.Status, said, err)
	}
	return c
}

// elsewhere is an origin of another site than the issuer's, for a relying party to serve.
func elsewhere(t testing.TB, scheme string) string {
	return fmt.Sprintf("%s://127.0.0.1:%d", scheme, freePort(t))
}

// meet runs the story of a relying party and of Ann, who is on file.
func (i *instance) meet(t *testing.T, script, origin string, c registered, env ...string) {
	t.Helper()
	env = append(env, "ORIGIN="+origin, "CLIENT_ID="+c.ID, "EMAIL="+ann)
	if c.Secret != "" {
		env = append(env, "CLIENT_SECRET="+c.Secret)
	}
	i.walk(t, script, env...)
}

func TestPeopleSignInAndOutOfAPassportApplication(t *testing.T) {
	needBrowser(t)
	eachEngine(t, func(t *testing.T, i *instance) {
		i.Start()
		i.Person(ann, good)
		origin := elsewhere(t, "http")
		i.meet(t, "passport.mjs", origin, i.Client("--name", "Acme", "--redirect-uri", origin+"/callback", "--post-logout-redirect-uri", origin+"/bye"))
	})
}

func TestAPassportApplicationThatNeverAsksUserinfoIsToldInTheIDToken(t *testing.T) {
	needBrowser(t)
	i := newInstance(t, sqliteDatabase(t))
	i.Start()
	i.Person(ann, good)
	origin := elsewhere(t, "http")
	i.meet(t, "passport.mjs", origin, i.Client("--name", "Acme", "--id-token-claims", "--redirect-uri", origin+"/callback", "--post-logout-redirect-uri", origin+"/bye"), "PROFILE=token")
}

func TestPeopleSignInAndOutOfAnExpressApplicationByCode(t *testing.T) {
	needBrowser(t)
	eachEngine(t, func(t *testing.T, i *instance) {
		i.Start()
		i.Person(ann, good)
		origin := elsewhere(t, "http")
		i.meet(t, "express.mjs", origin, i.Client("--name", "Acme", "--redirect-uri", origin+"/callback", "--post-logout-redirect-uri", origin+"/bye"), "FLOW=code")
	})
}

// page registers a page in the browser, which has no secret.
func (i *instance) page(origin string) registered {
	i.t.Helper()
	return i.Client("--name", "Acme", "--type", "spa", "--redirect-uri", origin+"/callback", "--redirect-uri", origin+"/popup",
		"--redirect-uri", origin+"/silent", "--post-logout-redirect-uri", origin+"/bye")
}

func TestPeopleSignInAndOutOfAPageOfTheIssuersSite(t *testing.T) {
	needBrowser(t)
	eachEngine(t, func(t *testing.T, i *instance) {
		i.Secure()
		i.env = append(i.env, "IDP_SESSION_MANAGEMENT=true")
		i.Start()
		i.Person(ann, good)
		origin := fmt.Sprintf("https://localhost:%d", freePort(t))
		i.meet(t, "oidc-client-ts.mjs", origin, i.page(origin), "SITE=same", "MONITOR=yes")
	})
}

func TestPeopleSignInAndOutOfAPageOfAnotherSite(t *testing.T) {
	needBrowser(t)
	i := newInstance(t, sqliteDatabase(t))
	i.Secure()
	i.env = append(i.env, "IDP_SESSION_MANAGEMENT=true")
	i.Start()
	i.Person(ann, good)
	origin := elsewhere(t, "https")
	i.meet(t, "oidc-client-ts.mjs", origin, i.page(origin), "SITE=other", "MONITOR=yes")
}

func TestPeopleSignInAndOutOfAPageOverPlainHTTP(t *testing.T) {
	needBrowser(t)
	i := newInstance(t, sqliteDatabase(t))
	i.Start()
	i.Person(ann, good)
	origin := elsewhere(t, "http")
	i.meet(t, "oidc-client-ts.mjs", origin, i.page(origin), "SITE=other")
}

func TestPeopleSignInAndOutOfApplicationsThatTakeTheStrictRoads(t *testing.T) {
	needBrowser(t)
	eachEngine(t, func(t *testing.T, i *instance) {
		i.Secure()
		i.Start()
		i.Person(ann, good)
		i.meet(t, "openid-client.mjs", elsewhere(t, "https"), registered{})
	})
}

func TestPeopleSignInAndOutOfAnExpressApplicationAsItComes(t *testing.T) {
	needBrowser(t)
	eachEngine(t, func(t *testing.T, i *instance) {
		i.Secure()
		i.Start()
		i.Person(ann, good)
		origin := elsewhere(t, "https")
		app := i.Client("--name", "Acme", "--response-type", "id_token", "--redirect-uri", origin+"/callback", "--post-logout-redirect-uri", origin+"/bye")
		i.meet(t, "express.mjs", origin, registered{ID: app.ID}) // it has no use for the secret
	})
}

func TestAnswersArePostedSafelyWithAndWithoutScript(t *testing.T) {
	needBrowser(t)
	eachEngine(t, func(t *testing.T, i *instance) {
		i.Secure()
		i.Start()
		i.Person(ann, good)
		origin := elsewhere(t, "https")
		i.meet(t, "form-post.mjs", origin, i.Register(map[string]any{
			"client_name": "Acme", "redirect_uris": []string{origin + "/callback"},
			"response_types": []string{"code id_token token"}, "grant_types": []string{"authorization_code", "implicit"},
		}))
	})
}
