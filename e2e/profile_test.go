package e2e

import (
	"crypto/sha1" //nolint:gosec // lists of breached passwords are made of it
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
)

func TestPeopleSetUpEveryWayToProveThemselvesInAProfile(t *testing.T) {
	needBrowser(t)
	eachEngine(t, func(t *testing.T, i *instance) {
		i.Start()
		i.Settle(map[string]string{"sign_in.sms": "yes"})
		i.Person("ann@example.com", good)
		i.walk(t, "profile-ways.mjs", append(pictures(t), "PHONE="+mobile, "ANN=ann@example.com")...)
	})
}

func TestElementsLeadOnWhereSomethingStandsInTheWay(t *testing.T) {
	needBrowser(t)
	eachEngine(t, func(t *testing.T, i *instance) {
		const known = "everybody knows this one 7"
		list := filepath.Join(t.TempDir(), "breached")
		if err := os.WriteFile(list, fmt.Appendf(nil, "%X:9\r\n", sha1.Sum([]byte(known))), 0o600); err != nil { //nolint:gosec // as above
			t.Fatal(err)
		}
		i.Person("bob@example.com", known)
		i.Person("cat@example.com", good)
		i.env = append(i.env, "IDP_BREACHED_PASSWORDS_CHECK=file", "IDP_BREACHED_PASSWORDS_FILE="+list)
		o := needOpenProvider(t)
		i.Connect(o.Register(i, "other", nil))
		i.Start()
		i.Settle(map[string]string{"sign_in.sign_up": "invited"})
		i.CLI("", "user", "invite", "kim@example.com")
		o.Says("cat", map[string]any{"email": "cat@elsewhere.example", "email_verified": true})
		d := i.open()
		late := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { // all attempts took too long
			if _, err := d.db.ExecContext(r.Context(), "UPDATE attempts SET expires_at = 1"); err != nil {
				http.Error(w, err.Error(), http.StatusInternalServerError)
			}
		}))
		t.Cleanup(late.Close)
		i.walk(t, "components-owed.mjs", "UPSTREAM="+o.Origin, "LATE="+late.URL, "KNOWN="+known, "KIM=kim@example.com", "BOB=bob@example.com", "CAT=cat@example.com")
	})
}
