package server_test

import (
	"testing"

	"idp/federation"
	"idp/internal/web"
)

func TestAProviderMaySpendLessTimeThanItsPageHas(t *testing.T) {
	if federation.TalkTime+web.HandlerTime/8 > web.HandlerTime {
		t.Errorf("a page has %s, a provider %s of them", web.HandlerTime, federation.TalkTime)
	}
}
