package place_test

import (
	"bytes"
	"encoding/binary"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"idp/internal/place"
)

// What follows writes a database by MaxMind's published description of the format (2.0):
// records of 24 bits, an IPv6 tree with IPv4 below ::/96.

func text(s string) []byte { return append([]byte{byte(2<<5 | len(s))}, s...) }

func number(kind byte, n uint64) []byte {
	b := bytes.TrimLeft(binary.BigEndian.AppendUint64(nil, n), "\x00")
	if kind > 7 {
		return append([]byte{byte(len(b)), kind - 7}, b...)
	}
	return append([]byte{kind<<5 | byte(len(b))}, b...)
}

func object(pairs ...[]byte) []byte {
	return append([]byte{byte(7<<5 | len(pairs)/2)}, bytes.Join(pairs, nil)...)
}

func named(what, name string) [][]byte {
	return [][]byte{text(what), object(text("names"), object(text("en"), text(name)))}
}

// atlas is the file with these networks.
func atlas(t *testing.T, places map[string][]byte) string {
	t.Helper()
	const none, far = 0, 1 << 20 // far and more: data at that offset
	tree := [][2]int{{}}
	var data []byte
	for network, value := range places {
		prefix := netip.MustParsePrefix(network)
		bits, length := prefix.Addr().As16(), prefix.Bits()
		if prefix.Addr().Is4() {
			copy(bits[:], make([]byte, 12))
			length += 96
		}
		at := 0
		for i := range length {
			bit := int(bits[i/8] >> (7 - i%8) & 1)
			switch {
			case i == length-1:
				tree[at][bit] = far + len(data)
			case tree[at][bit] == none:
				tree = append(tree, [2]int{})
				tree[at][bit] = len(tree) - 1
			}
			at = tree[at][bit]
		}
		data = append(data, value...)
	}
	var file []byte
	for _, node := range tree {
		for _, to := range node {
			switch {
			case to == none:
				to = len(tree)
			case to >= far:
				to += len(tree) + 16 - far
			}
			file = append(file, byte(to>>16), byte(to>>8), byte(to))
		}
	}
	file = slices.Concat(file, make([]byte, 16), data, []byte("\xab\xcd\xefMaxMind.com"), object(
		text("node_count"), number(6, uint64(len(tree))), text("record_size"), number(5, 24), text("ip_version"), number(5, 6),
		text("database_type"), text("Test"), text("languages"), []byte{1, 4, 2<<5 | 2, 'e', 'n'},
		text("binary_format_major_version"), number(5, 2), text("binary_format_minor_version"), number(5, 0),
		text("build_epoch"), number(9, 1_700_000_000), text("description"), object(text("en"), text("made by a test")),
	))
	path := filepath.Join(t.TempDir(), "places.mmdb")
	if err := os.WriteFile(path, file, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestAnAddressIsSaidToBeWhereTheFileSays(t *testing.T) {
	m, err := place.Open(atlas(t, map[string][]byte{
		"203.0.113.0/24":  object(slices.Concat(named("city", "Auckland"), named("country", "New Zealand"))...),
		"198.51.100.7/32": object(named("country", "Iceland")...),
		"2001:db8::/32":   object(slices.Concat(named("country", "Peru"), named("city", "Lima"))...),
	}))
	if err != nil {
		t.Fatal(err)
	}
	for network, want := range map[string]string{
		"203.0.113.200": "Auckland, New Zealand", "::ffff:203.0.113.1": "Auckland, New Zealand", "198.51.100.7": "Iceland", "198.51.100.8": "",
		"2001:db8:1::1": "Lima, Peru", "2001:db9::1": "", "fe80::1%eth0": "", "nowhere": "", "": "",
	} {
		if got := m.Of(network); got != want {
			t.Errorf("%s is at %q, want %q", network, got, want)
		}
	}
	if err := m.Close(); err != nil {
		t.Error(err)
	}
}

func TestWithoutAFileEveryPlaceIsUnknown(t *testing.T) {
	m, err := place.Open("")
	if err != nil || m.Of("203.0.113.7") != "" || m.Close() != nil {
		t.Errorf("%v, %q", err, m.Of("203.0.113.7"))
	}
}

func TestAFileThatIsNoDatabaseIsRefusedAtOnce(t *testing.T) {
	path := filepath.Join(t.TempDir(), "places.mmdb")
	if err := os.WriteFile(path, []byte("<html>not found</html>"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := place.Open(path); err == nil {
		t.Error("it was taken")
	}
	if _, err := place.Open(path + ".gone"); err == nil {
		t.Error("a file that is not there was taken")
	}
}
