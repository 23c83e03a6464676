package conformance

import "slices"

// waiting are modules whose feature is being built elsewhere at this moment; they are not
// run. The list empties as features land, and this file goes with its last line.
var waiting = []string{
	"oidcc-request-uri-unsigned-supported-correctly-or-rejected-as-unsupported",
	"oidcc-unsigned-request-object-supported-correctly-or-rejected-as-unsupported",
	"oidcc-request-uri-unsigned", "oidcc-request-uri-signed-rs256", "oidcc-scope-phone", "oidcc-scope-all",
	"oidcc-frontchannel-logout-discovery-endpoint-verification", "oidcc-frontchannel-rp-initiated-logout",
	"oidcc-backchannel-logout-discovery-endpoint-verification", "oidcc-backchannel-rp-initiated-logout",
	"oidcc-session-management-discovery-endpoint-verification", "oidcc-session-management-rp-initiated-logout",
	"oidcc-registration-sector-bad", "oidcc-registration-logo-uri",
}

func (m module) waits() bool { return slices.Contains(waiting, m.name) }
