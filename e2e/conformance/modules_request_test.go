package conformance

import (
	"net/url"
	"slices"
)

// requestModules are about request objects (OIDC Core §6).
var requestModules = []module{
	{name: "oidcc-request-uri-unsigned-supported-correctly-or-rejected-as-unsupported", do: requestURIUnsignedOrNot, notStatic: true,
		wants: "an unsigned object by reference: refused, unless the client registered for it", note: unsignedNote},
	{name: "oidcc-unsigned-request-object-supported-correctly-or-rejected-as-unsupported", do: requestUnsignedOrNot,
		wants: "an unsigned object by value: refused, unless the client registered for it", note: unsignedNote},
	{name: "oidcc-ensure-request-object-with-redirect-uri", do: requestObjectRedirect,
		wants: "the redirect URI in the object counts, or an error page", note: unsignedNote},
}

const unsignedNote = "skipped by the suite, because the metadata does not offer unsigned request objects"

// object puts the request into a request object and leaves outside what OAuth demands there.
func object(q url.Values) (inside map[string]any, outside url.Values) {
	inside = map[string]any{}
	for name := range q {
		inside[name] = q.Get(name)
	}
	outside = url.Values{"client_id": {q.Get("client_id")}, "response_type": {q.Get("response_type")}, "scope": {q.Get("scope")}}
	if mode := q.Get("response_mode"); mode != "" {
		outside.Set("response_mode", mode)
	}
	return inside, outside
}

// unsignedAllowed registers the module's client for unsigned request objects.
func (m *run) unsignedAllowed(uris ...string) {
	m.Helper()
	m.register(func(wish map[string]any) {
		wish["request_object_signing_alg"] = "none"
		if len(uris) > 0 {
			wish["request_uris"] = uris
		}
	})
}

func requestUnsignedOrNot(m *run) {
	if slices.Contains(m.w.signedAlgorithms(), "none") {
		m.Error("unsigned request objects are on offer to clients that did not register for them")
	}
	inside, outside := object(m.request())
	outside.Set("redirect_uri", m.client.redirect)
	outside.Set("state", m.state)
	outside.Set("request", unsigned(m.t, inside))
	m.send(outside)
	m.refused("request_not_supported")

	m.unsignedAllowed()
	inside, outside = object(m.request())
	outside.Set("request", unsigned(m.t, inside))
	m.flow(outside)
}

func requestURIUnsignedOrNot(m *run) {
	at := m.folder.url + "/object"
	m.register(func(wish map[string]any) { wish["request_uris"] = []string{at} })
	inside, outside := object(m.request())
	outside.Set("redirect_uri", m.client.redirect)
	outside.Set("state", m.state)
	m.folder.publish("object", "application/jwt", unsigned(m.t, inside))
	outside.Set("request_uri", at)
	m.send(outside)
	m.refused("request_uri_not_supported", "request_not_supported")

	m.unsignedAllowed(at)
	inside, outside = object(m.request())
	m.folder.publish("object", "application/jwt", unsigned(m.t, inside))
	outside.Set("request_uri", at)
	m.flow(outside)
}

func requestObjectRedirect(m *run) {
	m.unsignedAllowed()
	inside, outside := object(m.request())
	outside.Set("redirect_uri", m.callback()+"X7")
	outside.Set("request", unsigned(m.t, inside))
	m.send(outside)
	if m.back() {
		m.complete()
		return
	}
	m.errorPage("redirect_uri_mismatch")
}

// signedByReference is a whole request in an object that the client signed.
func (m *run) signedByReference(q url.Values) url.Values {
	m.Helper()
	inside, outside := object(q)
	inside["iss"], inside["aud"] = m.client.id, m.w.issuer
	m.folder.publish("object", "application/jwt", m.signed(inside))
	outside.Set("request_uri", m.folder.url+"/object")
	return outside
}

// signedAlgorithms are what request objects may be signed with.
func (w *world) signedAlgorithms() []string {
	var all []string
	list, _ := w.meta["request_object_signing_alg_values_supported"].([]any)
	for _, v := range list {
		if s, ok := v.(string); ok && !slices.Contains(all, s) {
			all = append(all, s)
		}
	}
	return all
}
