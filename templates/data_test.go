package templates_test

import (
	"slices"
	"testing"

	"idp/templates"
)

func TestAPolicyNamesTheOriginsOfFramesAndNothingThatTheyHide(t *testing.T) {
	page := templates.LoggingOut{Frames: []string{
		"https://a.example/out?x=1", "https://a.example/other", "https://B.example:8443/out", "http://127.0.0.1:9/out", "https://[::1]:8/out",
		"https://evil.example;script-src *;/", "data:text/html,x", "javascript:alert(1)", "https://x.example *", "",
	}}
	want := []string{"https://a.example", "https://b.example:8443", "http://127.0.0.1:9", "https://[::1]:8", "https://evil.example", "https://x.example"}
	if got := page.FrameOrigins(); !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestALinkToAnAppIsFineAndOneThatRunsIsNot(t *testing.T) {
	for uri, want := range map[string]string{
		"com.example.app:/bye?state=1": "com.example.app:/bye?state=1", "https://a.example/": "https://a.example/",
		"javascript:alert(1)": "", "JavaScript:alert(1)": "", "data:text/html,x": "", "vbscript:x": "",
	} {
		if got := (templates.LoggingOut{To: uri}).Link(); string(got) != want {
			t.Errorf("%s leads to %q", uri, got)
		}
		if got := (templates.LoggedOut{Back: uri}).Link(); string(got) != want {
			t.Errorf("%s leads back to %q", uri, got)
		}
	}
}
