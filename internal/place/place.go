// Package place says where a network address is, as far as a file of the operator's knows:
// GeoLite2 City or another database in MaxMind's format. None is shipped, and without one
// every place is unknown. What it says is a hint for people who look at their own devices
// and mails; nothing is decided by it.
package place

import (
	"fmt"
	"net/netip"

	"github.com/oschwald/maxminddb-golang/v2"
)

// Map knows places. The nil Map knows none.
type Map struct{ db *maxminddb.Reader }

// Open reads a database; "" is the nil Map. The file is mapped into memory: replace it by
// renaming a new one over it, and start again.
func Open(file string) (*Map, error) {
	if file == "" {
		return nil, nil
	}
	db, err := maxminddb.Open(file)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", file, err)
	}
	return &Map{db}, nil
}

// record is what databases of cities and of countries have in common.
type record struct {
	City struct {
		Names map[string]string `maxminddb:"names"`
	} `maxminddb:"city"`
	Country struct {
		Names map[string]string `maxminddb:"names"`
	} `maxminddb:"country"`
}

// Of returns "Auckland, New Zealand", "New Zealand" or, where nothing is known, "".
func (m *Map) Of(network string) string {
	if m == nil {
		return ""
	}
	a, err := netip.ParseAddr(network)
	if err != nil {
		return ""
	}
	var r record
	if err := m.db.Lookup(a.Unmap().WithZone("")).Decode(&r); err != nil {
		return "" // a damaged file must not keep a notice from being sent
	}
	city, country := r.City.Names["en"], r.Country.Names["en"]
	if city == "" || country == "" {
		return city + country
	}
	return city + ", " + country
}

// Close lets go of the file.
func (m *Map) Close() error {
	if m == nil {
		return nil
	}
	return m.db.Close()
}
