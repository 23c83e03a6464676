package main

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"maps"
	"regexp"
	"slices"
)

// atOnce finds what a script loads before it runs; import(…) is later.
var atOnce = regexp.MustCompile(`(?:from|import)\s*"\./([^"]+)"`)

// Loaded returns name and all that it loads at once, in order.
func Loaded(files map[string][]byte, name string) []string {
	all := []string{name}
	for i := 0; i < len(all); i++ {
		for _, m := range atOnce.FindAllSubmatch(files[all[i]], -1) {
			if other := string(m[1]); files[other] != nil && !slices.Contains(all, other) {
				all = append(all, other)
			}
		}
	}
	slices.Sort(all[1:])
	return all
}

// Packed returns how many bytes of a body travel.
func Packed(body []byte) (int, error) {
	var out bytes.Buffer
	z, err := gzip.NewWriterLevel(&out, gzip.BestCompression)
	if err != nil {
		return 0, err
	}
	if _, err := z.Write(body); err != nil {
		return 0, err
	}
	if err := z.Close(); err != nil {
		return 0, err
	}
	return out.Len(), nil
}

// Sizes is a page that says what each script weighs, and what a page has loaded with each entry.
func Sizes(files map[string][]byte) ([]byte, error) {
	var out bytes.Buffer
	packed := map[string]int{}
	fmt.Fprint(&out, "# What the scripts weigh\n\nMade by `go -C tools run ./bundle`. Bytes, as they are and by gzip -9.\n\n| file | plain | gzip |\n|---|--:|--:|\n")
	for _, name := range slices.Sorted(maps.Keys(files)) {
		n, err := Packed(files[name])
		if err != nil {
			return nil, err
		}
		packed[name] = n
		fmt.Fprintf(&out, "| %s | %d | %d |\n", name, len(files[name]), n)
	}
	fmt.Fprint(&out, "\n| a page that imports | loads at once | plain | gzip |\n|---|--:|--:|--:|\n")
	for _, name := range []string{"idp.js", "components.js"} {
		if files[name] == nil {
			continue
		}
		plain, small, all := 0, 0, Loaded(files, name)
		for _, one := range all {
			plain, small = plain+len(files[one]), small+packed[one]
		}
		fmt.Fprintf(&out, "| %s | %d files | %d | %d |\n", name, len(all), plain, small)
	}
	fmt.Fprint(&out, "\nEverything else is loaded when it is first needed.\n")
	return out.Bytes(), nil
}
