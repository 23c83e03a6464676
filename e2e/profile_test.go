package e2e

import "testing"

func TestPeopleSetUpEveryWayToProveThemselvesInAProfile(t *testing.T) {
	needBrowser(t)
	eachEngine(t, func(t *testing.T, i *instance) {
		i.Start()
		i.Settle(map[string]string{"sign_in.sms": "yes"})
		i.Person("ann@example.com", good)
		i.walk(t, "profile-ways.mjs", append(pictures(t), "PHONE="+mobile, "ANN=ann@example.com")...)
	})
}
