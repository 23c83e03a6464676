package e2e

import "testing"

func TestNobodySeesTheBotCheckAndNobodyNeedsScriptForIt(t *testing.T) {
	needBrowser(t)
	eachEngine(t, func(t *testing.T, i *instance) {
		i.walkUnclaimed(t, "human.mjs")
	})
}
