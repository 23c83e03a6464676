package doctor

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"idp/token"
)

// rule judges one thing that a target demands.
type rule func(x *exam)

// leeway is how far a target's clock may be off, in seconds, before a token is not valid yet.
const leeway = 10

var uuid = regexp.MustCompile(`^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$`)

// registered judges what every target looks at.
func (x *exam) registered() {
	iss, _ := x.claims["iss"].(string)
	switch {
	case x.own:
	case iss == x.issuer:
		x.fine("iss", iss)
	default:
		x.fail("iss", fmt.Sprintf("The token says %q and the issuer is %q.", iss, x.issuer), "Take iss out of the template.")
	}
	if sub, ok := x.claims["sub"].(string); ok && sub != "" {
		x.fine("sub", sub)
	} else {
		x.fail("sub", "The token does not say whose it is.", "Take sub out of the template, or make it {{user.id}}.")
	}
	x.times()
}

func (x *exam) times() {
	iat, exp, nbf := x.second("iat"), x.second("exp"), x.second("nbf")
	now := x.now.Unix()
	switch {
	case iat == 0 || exp == 0 || exp <= iat:
		x.fail("exp", "The token has no lifetime.", "This is a fault of idp: please report it.")
		return
	case exp <= now:
		x.fail("exp", "The token has expired already.", "Set this machine's clock.")
		return
	case exp-iat > 3600:
		x.warn("exp", fmt.Sprintf("The token lives for %s: who signs out, or is banned, stays in there for as long.", span(exp-iat)), "Set the template's lifetime to 60: the SDK fetches the next one by itself.")
	default:
		x.fine("exp", fmt.Sprintf("It lives for %s.", span(exp-iat)))
	}
	if nbf > iat-leeway {
		x.warn("nbf", fmt.Sprintf("A target whose clock is %d seconds late refuses a fresh token.", iat-nbf+1), "Set the template's skew to 10.")
	} else {
		x.fine("nbf", fmt.Sprintf("Clocks may be %d seconds late.", iat-nbf))
	}
}

func span(seconds int64) string {
	if seconds%3600 == 0 {
		return fmt.Sprintf("%d h", seconds/3600)
	}
	return fmt.Sprintf("%d s", seconds)
}

// second is a claim that is a time, 0 if it is none.
func (x *exam) second(name string) int64 {
	n, ok := x.claims[name].(json.Number)
	if !ok {
		return 0
	}
	v, err := n.Int64()
	if err != nil {
		return 0
	}
	return v
}

// audience are the members of aud.
func (x *exam) audience() []string {
	switch aud := x.claims["aud"].(type) {
	case string:
		return []string{aud}
	case []any:
		list, _ := listOf(aud)
		return list
	}
	return nil
}

// forSomebody demands an audience: tokens for one backend are to be of no use at another.
func forSomebody(x *exam) {
	if aud := x.audience(); len(aud) > 0 {
		x.fine("aud", strings.Join(aud, ", "))
		return
	}
	x.warn("aud", "The token is for nobody in particular: whoever gets it can use it at every backend that trusts this issuer.", "Give the template an audience, and let "+x.title+" demand it.")
}

// forOne demands exactly one audience.
func forOne(x *exam) {
	switch aud := x.audience(); len(aud) {
	case 1:
		x.fine("aud", aud[0])
	case 0:
		x.fail("aud", x.title+" demands an audience, and the token has none.", "Give the template an audience.")
	default:
		x.fail("aud", x.title+" refuses a token for several audiences.", "Leave one audience in the template.")
	}
}

// forExactly demands that audience.
func forExactly(want string) rule {
	return func(x *exam) {
		if aud := x.audience(); len(aud) == 1 && aud[0] == want {
			x.fine("aud", want)
			return
		}
		x.fail("aud", fmt.Sprintf("aud is %q.", strings.Join(x.audience(), ", ")), "Set the template's audience to "+want)
	}
}

// roleOf judges the role in PostgreSQL that queries run as.
func roleOf(best string, never ...string) rule {
	return func(x *exam) {
		role, ok := x.claims["role"].(string)
		give := `Add "role": "` + best + `" to the claims.`
		switch {
		case x.claims["role"] == nil:
			x.fail("role", "The token has no role: "+x.title+" treats its bearer as anonymous, or refuses it.", give)
		case !ok || role == "":
			x.fail("role", "role is not a text.", give)
		case x.template.Theirs("role"):
			x.fail("role", "role is told as the person wrote it: they choose what they may do.", "Take it from user.public_metadata, which operators write. "+give)
		case slices.Contains(never, role):
			x.fail("role", role+" may do anything: no row policy holds for it.", give)
		default:
			x.fine("role", role)
		}
	}
}

// uuidSub warns where ids are commonly kept as UUIDs.
func uuidSub(says, do string) rule {
	return func(x *exam) {
		if sub, _ := x.claims["sub"].(string); !uuid.MatchString(sub) {
			x.warn("sub", says, do)
		}
	}
}

// proven judges an address that the target finds people by.
func proven(x *exam) {
	address, ok := x.claims["email"].(string)
	switch {
	case !ok || address == "":
		x.fail("email", x.title+" finds people by their address, and the token has none.", `Add "email": "{{user.primary_email_address}}" to the claims.`)
	case x.claims["email_verified"] == true:
		x.fine("email", address+", verified")
	case x.claims["email_verified"] == false:
		x.fail("email", "This person's address is not verified, and "+x.title+" takes no other.", "Let people verify their address before they sign up there.")
	default:
		x.fail("email", "email_verified is not there as true or false.", `Add "email_verified": "{{user.email_verified}}" to the claims, the shortcode alone in its string.`)
	}
}

// supported demands that discovery names the algorithm: targets that read it there take no other.
func supported(x *exam) {
	if x.found.Algorithms == nil {
		return
	}
	if slices.Contains(x.found.Algorithms, x.header.Algorithm) {
		x.fine("discovery", x.header.Algorithm+" is among the algorithms it names.")
		return
	}
	x.fail("discovery", fmt.Sprintf("%s takes the algorithms of id_token_signing_alg_values_supported, and %s is none of them.", x.title, x.header.Algorithm), "Set the template's algorithm to RS256.")
}

// groups judges what Kubernetes makes permissions of.
func groups(x *exam) {
	list, ok := listOf(x.claims["groups"])
	switch {
	case x.claims["groups"] == nil:
		x.warn("groups", "The token names no groups: permissions have to be given to single persons.", `Add "groups": "{{user.groups}}" to the claims.`)
	case !ok:
		x.fail("groups", "groups is not a list of texts.", `Write "groups": "{{user.groups}}", the shortcode alone in its string.`)
	case x.template.Theirs("groups"):
		x.fail("groups", "groups is told as the person wrote it: they choose what they may do.", `Write "groups": "{{user.groups}}".`)
	case slices.ContainsFunc(list, func(g string) bool { return strings.HasPrefix(g, "system:") }):
		x.warn("groups", "A group is called system:…, which means something to the cluster.", "Keep the prefix of the configuration below, so that no group of here is one of there.")
	default:
		x.fine("groups", fmt.Sprintf("%d of this person.", len(list)))
	}
}

// cleared judges the address where Kubernetes makes it a name.
func cleared(x *exam) {
	if x.claims["email"] != nil && x.claims["email_verified"] != nil && x.claims["email_verified"] != true {
		x.warn("email", "The API server refuses an address as a name while email_verified is not true.", "Let sub be the name, as in the configuration below.")
	}
}

// listOf returns a list of texts.
func listOf(v any) ([]string, bool) {
	all, ok := v.([]any)
	if !ok {
		return nil, false
	}
	list := make([]string, 0, len(all))
	for _, one := range all {
		s, ok := one.(string)
		if !ok {
			return nil, false
		}
		list = append(list, s)
	}
	return list, true
}

// known are shared secrets that everybody has read.
var known = []string{
	"super-secret-jwt-token-with-at-least-32-characters-long",
	"your-super-secret-jwt-token-with-at-least-32-characters-long",
}

func unknownSecret(x *exam) {
	if slices.Contains(known, x.template.Key.Material.Reveal()) {
		x.fail("key", "The shared secret is the one of the examples: everybody knows it.", "Make another, there and here: openssl rand -hex 32")
	}
}

// custom judges a custom token of Firebase.
func custom(x *exam) {
	iss, _ := x.claims["iss"].(string)
	sub, _ := x.claims["sub"].(string)
	switch {
	case iss == "" || iss != sub:
		x.fail("iss", fmt.Sprintf("iss is %q and sub is %q; both are the address of the service account.", iss, sub), "Set both in the claims to client_email of the service account.")
	case !strings.HasSuffix(iss, ".gserviceaccount.com"):
		x.warn("iss", iss+" does not look like the address of a service account.", "Set iss and sub in the claims to client_email of the service account.")
	default:
		x.fine("iss", iss)
	}
	if uid, ok := x.claims["uid"].(string); !ok || uid == "" || len(uid) > 128 {
		x.fail("uid", "uid is not a text of 1 to 128 characters.", `Add "uid": "{{user.id}}" to the claims.`)
	} else if x.template.Theirs("uid") {
		x.fail("uid", "uid is told as the person wrote it: they choose who they are.", `Write "uid": "{{user.id}}".`)
	} else {
		x.fine("uid", uid)
	}
	if life := x.second("exp") - x.second("iat"); life > 3600 {
		x.fail("exp", "Firebase takes custom tokens that live for an hour at most.", "Set the template's lifetime to 300.")
	}
	x.customClaims()
}

// taken are names that Firebase keeps for itself in claims.
var taken = []string{"acr", "amr", "at_hash", "aud", "auth_time", "azp", "cnf", "c_hash", "exp", "firebase", "iat", "iss", "jti", "nbf", "nonce", "sub"}

const maxCustomClaims = 1000 // bytes

func (x *exam) customClaims() {
	if x.claims["claims"] == nil {
		return
	}
	m, ok := x.claims["claims"].(map[string]any)
	if !ok {
		x.fail("claims", "claims is not an object.", "Make it an object, or leave it out.")
		return
	}
	for _, name := range taken {
		if _, there := m[name]; there {
			x.fail("claims", "Firebase refuses "+name+" in claims.", "Give it another name.")
			return
		}
	}
	if text, err := json.Marshal(m); err != nil || len(text) > maxCustomClaims {
		x.fail("claims", fmt.Sprintf("claims is longer than %d bytes.", maxCustomClaims), "Let it tell less.")
		return
	}
	x.fine("claims", fmt.Sprintf("%d of your own.", len(m)))
}

// namespace judges the session variables of Hasura.
func namespace(names ...string) rule {
	return func(x *exam) {
		for _, name := range names {
			if v, there := x.claims[name]; there {
				x.variables(name, v)
				return
			}
		}
		x.fail("namespace", "The token has no member "+strings.Join(names, " or ")+".", "Begin with the preset: idp template create --preset "+x.preset)
	}
}

func (x *exam) variables(name string, v any) {
	m, ok := v.(map[string]any)
	if !ok {
		x.fail("namespace", name+" is not an object.", "Write its members as JSON, without quotes around the braces.")
		return
	}
	x.fine("namespace", name)
	role, ok := m["x-hasura-default-role"].(string)
	switch {
	case !ok || role == "":
		x.fail("x-hasura-default-role", "It is not there as a text.", `Add "x-hasura-default-role": "user".`)
	case role == "admin":
		x.fail("x-hasura-default-role", "admin may do anything: no permission holds for it.", "Choose a role that has permissions.")
	case x.template.Theirs(name, "x-hasura-default-role"):
		x.fail("x-hasura-default-role", "It is told as the person wrote it: they choose what they may do.", "Take it from user.public_metadata, which operators write.")
	default:
		x.fine("x-hasura-default-role", role)
	}
	x.allowed(name, m["x-hasura-allowed-roles"], role)
	for _, key := range sorted(m) {
		switch {
		case key == "x-hasura-default-role" || key == "x-hasura-allowed-roles":
		case !strings.HasPrefix(key, "x-hasura-"):
			x.warn(key, "Hasura reads only names that begin with x-hasura-, in small letters.", "Call it x-hasura-"+strings.ToLower(key)+".")
		case m[key] == nil:
			x.warn(key, "This person has nothing for it, and null is refused where a permission needs it.", "Give the shortcode a fallback, like || ''.")
		case name == token.HasuraClaims && !isText(m[key]):
			x.fail(key, "Session variables are texts.", "Put text around the shortcode, or write a list as \"{a,b}\".")
		default:
			x.fine(key, fmt.Sprint(m[key]))
		}
	}
}

func (x *exam) allowed(name string, v any, role string) {
	const key = "x-hasura-allowed-roles"
	list, ok := listOf(v)
	switch {
	case !ok:
		x.fail(key, "It is not a list of texts.", `Write "x-hasura-allowed-roles": ["user"], or a shortcode of a list alone in its string.`)
	case x.template.Theirs(name, key):
		x.fail(key, "It is told as the person wrote it: they choose what they may do.", "Take it from user.roles or user.public_metadata.")
	case slices.Contains(list, "admin"):
		x.fail(key, "admin may do anything: no permission holds for it.", "Leave it out.")
	case role != "" && !slices.Contains(list, role):
		x.fail(key, "The default role "+role+" is not among them.", "Add it.")
	default:
		x.fine(key, strings.Join(list, ", "))
	}
}

// person demands the person's id for permissions.
func person(x *exam) {
	m, _ := x.claims[token.HasuraClaims].(map[string]any)
	if id, ok := m["x-hasura-user-id"].(string); !ok || id == "" {
		x.fail("x-hasura-user-id", "The permissions of Nhost compare it, and it is not there.", `Add "x-hasura-user-id": "{{user.id}}".`)
	} else if !uuid.MatchString(id) {
		x.warn("x-hasura-user-id", id+" is no UUID.", "Make the columns that it is compared with text, or take user.external_id if that holds UUIDs.")
	}
}

func isText(v any) bool {
	_, ok := v.(string)
	return ok
}

func sorted(m map[string]any) []string {
	names := make([]string, 0, len(m))
	for name := range m {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}
