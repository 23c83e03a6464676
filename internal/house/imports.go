package house

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// levels is the map of the house: an import points to a lower number, or stays inside
// its room. Neighbours on one level never meet. docs/architecture.md draws it.
var levels = map[string]int{
	"internal/problem":  -3,
	"internal/secret":   -2,
	"internal/config":   -1,
	"internal/outbound": -1,

	"internal/breach": 0,
	"internal/place":  0,

	"identity":  0,
	"event":     0,
	"job":       0,
	"templates": 0,
	"avatar":    0,
	"sdk/js":    0,

	"docs/openapi": 0,

	"org":          1,
	"internal/web": 1,

	"session": 2,

	"token":      3,
	"federation": 3,
	"message":    3,

	"login":   4,
	"consent": 4,

	"provider":         5,
	"provider/samlidp": 5,
	"account":          5,
	"webhook":          5,

	"admin": 6,

	"storage": 7,

	"server": 8,

	"cmd": 9,

	"internal/house": 10,
	"e2e":            10,
	"bench":          10,
}

// roomOf returns the longest room that holds the package, and its level.
func roomOf(pkg string) (string, int, bool) {
	for dir := pkg; dir != "" && dir != "."; dir = parent(dir) {
		if level, ok := levels[dir]; ok {
			return dir, level, true
		}
	}
	return "", 0, false
}

func parent(dir string) string {
	if i := strings.LastIndexByte(dir, '/'); i >= 0 {
		return dir[:i]
	}
	return ""
}

// homes says where a library lives. A library without a line here may be used anywhere.
var homes = map[string][]string{
	"github.com/ory/":                 {"provider"},
	"github.com/go-jose/go-jose/v3":   {"provider"},
	"github.com/go-jose/go-jose/v4":   {"token", "provider", "federation"}, // federation: Apple's client secret
	"github.com/go-webauthn/webauthn": {"login"},
	"github.com/pquerna/otp":          {"login"},
	"github.com/crewjam/saml":         {"federation", "provider/samlidp", "e2e"},
	"github.com/russellhaering/":      {"federation", "provider/samlidp", "e2e"},
	"github.com/beevik/etree":         {"federation", "provider/samlidp", "e2e"},
	"github.com/coreos/go-oidc":       {"federation", "e2e"},
	"golang.org/x/oauth2":             {"federation", "e2e"},
	"github.com/gorilla/":             {"session"},
	"github.com/uptrace/bun":          {"storage"},
	"github.com/jackc/pgx":            {"storage", "e2e", "bench"},
	"modernc.org/sqlite":              {"storage", "e2e", "bench"},
	"database/sql":                    {"storage", "server", "e2e", "bench"}, // server counts connections
	"github.com/riverqueue/river":     {"storage"},
	"github.com/spf13/cobra":          {"cmd"},
	"go.yaml.in/yaml":                 {"internal/config", "internal/house"},
	"github.com/hashicorp/":           {"provider"},
	"github.com/wneessen/go-mail":     {"message"},
	"golang.org/x/crypto":             {"internal/secret", "bench"},
}

// pure rooms speak of people and facts; none of them, nor anything they link, speaks HTTP.
var pure = []string{"identity", "org", "event", "job", "avatar", "internal/problem", "internal/secret"}

// unwelcome is what must not be linked into the product: it came along with a library,
// costs megabytes and start time, and nothing of ours uses it.
var unwelcome = []string{
	"google.golang.org/grpc", "github.com/gobuffalo/pop", "github.com/sirupsen/logrus",
	"go.opentelemetry.io/otel/exporters", "github.com/ory/x/otelx/semconv", "github.com/mattn/go-sqlite3",
	"github.com/danielgtaylor/huma", // describes our APIs, in tests
}

// floors are the oldest versions that lack a known hole.
var floors = map[string]string{
	"github.com/go-jose/go-jose/v3":         "v3.0.5",  // CVE-2026-34986, a panic while unwrapping a JWE key
	"github.com/go-jose/go-jose/v4":         "v4.1.4",  // the same in v4
	"github.com/uptrace/bun":                "v1.3.0",  // SQL injection by negative numbers and NUL bytes
	"github.com/golang-jwt/jwt/v5":          "v5.2.2",  // CVE-2025-30204, memory spent on header parsing
	"github.com/russellhaering/goxmldsig":   "v1.6.0",  // CVE-2026-33487, signature bypass
	"golang.org/x/oauth2":                   "v0.27.0", // CVE-2025-22868, memory spent on parsing
	"github.com/hashicorp/go-retryablehttp": "v0.7.7",  // CVE-2024-6104, credentials in logs
}

var importRules = []Rule{
	{"every package has a level, and its imports point down", importsPointDown},
	{"a library is imported only in its home", librariesAtHome},
	{"rooms that hold facts link no net/http", pureRooms},
	{"idp links nothing heavy that it does not use", nothingUnwelcome},
	{"dependencies with a known hole are new enough", newEnough},
}

func importsPointDown(h *House) (found []string) {
	h.own(func(p Package, at string) {
		room, level, ok := roomOf(at)
		if !ok {
			found = append(found, fmt.Sprintf("%s has no level: give it one in internal/house/imports.go and docs/architecture.md", at))
			return
		}
		for _, imp := range p.Imports {
			to, ours := strings.CutPrefix(imp, module+"/")
			if !ours {
				continue
			}
			target, below, ok := roomOf(to)
			switch {
			case !ok, target == room: // reported by itself; a room may have parts
			case room == "storage" && slices.Contains([]string{"internal/web", "templates", "avatar"}, target):
				found = append(found, fmt.Sprintf("%s → %s: storage never draws or serves", at, to))
			case below >= level:
				found = append(found, fmt.Sprintf("%s (level %d) → %s (level %d): imports point down", at, level, to, below))
			}
		}
	})
	return found
}

func librariesAtHome(h *House) (found []string) {
	h.own(func(p Package, at string) {
		room, _, _ := roomOf(at)
		for _, imp := range p.Imports {
			for library, rooms := range homes {
				if under(imp, library) && !slices.Contains(rooms, room) {
					found = append(found, fmt.Sprintf("%s imports %s, which lives in %s", at, imp, strings.Join(rooms, ", ")))
				}
			}
		}
	})
	return found
}

// under reports whether an import is that library or a package of it.
func under(imp, library string) bool {
	if strings.HasSuffix(library, "/") {
		return strings.HasPrefix(imp, library)
	}
	return within(imp, library)
}

func pureRooms(h *House) (found []string) {
	h.own(func(p Package, at string) {
		if slices.Contains(pure, at) && (slices.Contains(p.Deps, "net/http") || slices.Contains(p.Imports, "net/http")) {
			found = append(found, at+" links net/http: keep facts apart from how they travel")
		}
	})
	return found
}

func nothingUnwelcome(h *House) (found []string) {
	h.own(func(p Package, at string) {
		if at != "cmd/idp" {
			return
		}
		for _, dep := range p.Deps {
			for _, bad := range unwelcome {
				if within(dep, bad) {
					found = append(found, fmt.Sprintf("cmd/idp links %s", dep))
				}
			}
		}
	})
	return found
}

func newEnough(h *House) (found []string) {
	linked := map[string]string{}
	for _, p := range h.Packages {
		if p.Module != nil {
			linked[p.Module.Path] = p.Module.Version
		}
	}
	for _, name := range slices.Sorted(maps.Keys(floors)) {
		if have, ok := linked[name]; ok && older(have, floors[name]) {
			found = append(found, fmt.Sprintf("%s is %s, at least %s is needed", name, have, floors[name]))
		}
	}
	return found
}

// older compares the three numbers of two versions; a pre-release counts as its release.
func older(a, b string) bool {
	x, y := numbers(a), numbers(b)
	return slices.Compare(x, y) < 0
}

func numbers(version string) []int {
	core, _, _ := strings.Cut(strings.TrimPrefix(version, "v"), "-")
	var out []int
	for part := range strings.SplitSeq(core, ".") {
		n, err := strconv.Atoi(part)
		if err != nil {
			return nil
		}
		out = append(out, n)
	}
	return out
}
