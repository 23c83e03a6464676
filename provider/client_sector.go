package provider

import (
	"context"
	"encoding/json"
	"slices"
)

const maxSectorDocument = 256 << 10

// sectorOf returns the host that a client's pairwise names are made for: that of its
// sector_identifier_uri, whose document must list every redirect URI, or else the one
// host of its redirect URIs (OIDC Core §8.1, OIDC Registration §5). It may fetch: call it
// outside transactions. A document that was was judged by is not fetched again.
func (c *Clients) sectorOf(ctx context.Context, client, was Client) (string, error) {
	if client.SectorURI == "" {
		if !client.Pairwise {
			return "", nil
		}
		host, err := oneHost(client.RedirectURIs)
		if loopback(host) { // every machine is one, so that it makes no sector
			return "", err
		}
		return host, err
	}
	host := hostnameOf(client.SectorURI)
	if !sectorMoved(client, was) {
		return host, nil
	}
	var listed []string
	text, err := c.fetch(ctx, client.SectorURI)
	if err != nil {
		return "", invalid("sector_identifier_uri", "sector_unreachable", "It could not be fetched.")
	}
	if err := json.Unmarshal(text, &listed); err != nil {
		return "", invalid("sector_identifier_uri", "sector_unreadable", "It must answer with a JSON array of redirect URIs.")
	}
	for _, uri := range client.RedirectURIs {
		if !slices.Contains(listed, uri) {
			return "", invalid("sector_identifier_uri", "sector_incomplete", "What it answers does not contain the redirect URI %q.", uri)
		}
	}
	return host, nil
}

// sectorMoved reports whether the sector document has to be read for client.
func sectorMoved(client, was Client) bool {
	known := func(uri string) bool { return slices.Contains(was.RedirectURIs, uri) }
	moved := slices.ContainsFunc(client.RedirectURIs, func(uri string) bool { return !known(uri) })
	return client.SectorURI != "" && (client.SectorURI != was.SectorURI || moved)
}

func (c *Clients) fetch(ctx context.Context, uri string) ([]byte, error) {
	if c.Outbound == nil {
		return nil, errNoWayOut
	}
	return c.Outbound.Get(ctx, uri, maxSectorDocument)
}

func oneHost(uris []string) (string, error) {
	var host string
	for i, uri := range uris {
		at := hostnameOf(uri)
		if at == "" || i > 0 && at != host {
			return "", invalid("sector_identifier_uri", "sector_missing", "Pairwise subjects with redirect URIs of several hosts, or of none, need a sector_identifier_uri.")
		}
		host = at
	}
	return host, nil
}
