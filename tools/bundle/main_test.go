package main

import (
	"bytes"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const sdk = "../../sdk/js"

func bundled(t *testing.T) map[string][]byte {
	t.Helper()
	src, err := filepath.Abs(filepath.Join(sdk, "src"))
	if err != nil {
		t.Fatal(err)
	}
	files, err := Bundle(src)
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func scripts(t *testing.T, dir string) map[string][]byte {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(dir, "*.js"))
	if err != nil {
		t.Fatal(err)
	}
	files := map[string][]byte{}
	for _, path := range found {
		body, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		files[filepath.Base(path)] = body
	}
	return files
}

func TestTheCommittedBundlesAreWhatTheSourcesGive(t *testing.T) {
	made, kept := bundled(t), scripts(t, filepath.Join(sdk, "dist"))
	if a, b := slices.Sorted(maps.Keys(made)), slices.Sorted(maps.Keys(kept)); !slices.Equal(a, b) {
		t.Fatalf("the sources give %v, committed are %v: go -C tools run ./bundle", a, b)
	}
	for name, body := range made {
		if !bytes.Equal(body, kept[name]) {
			t.Errorf("%s is not what its sources give: go -C tools run ./bundle", name)
		}
	}
}

func TestTheSameSourcesGiveTheSameBytesWhereverTheyAre(t *testing.T) {
	elsewhere := t.TempDir()
	if err := os.CopyFS(elsewhere, os.DirFS(filepath.Join(sdk, "src"))); err != nil {
		t.Fatal(err)
	}
	again, err := Bundle(elsewhere)
	if err != nil {
		t.Fatal(err)
	}
	if made := bundled(t); !maps.EqualFunc(made, again, bytes.Equal) {
		t.Errorf("%v here, %v there", slices.Sorted(maps.Keys(made)), slices.Sorted(maps.Keys(again)))
	}
}

func TestWritingRemovesScriptsOfEarlierRunsAndNothingElse(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"old-ABC.js", "kept.d.ts"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("before"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := Write(dir, map[string][]byte{"idp.js": []byte("now")}); err != nil {
		t.Fatal(err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 2 || entries[0].Name() != "idp.js" || entries[1].Name() != "kept.d.ts" {
		t.Errorf("left are %v, %v", entries, err)
	}
}

// A page with a strict policy forbids all of these.
func TestNoBundleNeedsWhatAStrictPolicyForbids(t *testing.T) {
	for name, body := range bundled(t) {
		for _, bad := range []string{"eval(", "new Function", "innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "new Worker", "importScripts", `style="`} {
			if strings.Contains(string(body), bad) {
				t.Errorf("%s holds %s", name, bad)
			}
		}
		if !strings.HasPrefix(string(body), banner) {
			t.Errorf("%s does not say whose it is", name)
		}
	}
}

func TestWhatTheScriptsWeighIsWhatIsWrittenDown(t *testing.T) {
	table, err := Sizes(bundled(t))
	if err != nil {
		t.Fatal(err)
	}
	kept, err := os.ReadFile(filepath.Join(sdk, "dist", "SIZES.md"))
	if err != nil || !bytes.Equal(table, kept) {
		t.Errorf("SIZES.md is not what the bundles weigh: go -C tools run ./bundle (%v)\n%s", err, table)
	}
}

func TestAPageThatOnlyWantsTheCoreLoadsAtMostTenKilobytes(t *testing.T) {
	files, sum := bundled(t), 0
	all := Loaded(files, "idp.js")
	for _, name := range all {
		n, err := Packed(files[name])
		if err != nil {
			t.Fatal(err)
		}
		sum += n
		if strings.HasPrefix(name, "work-") || strings.HasPrefix(name, "passkey-") {
			t.Errorf("idp.js loads %s before it is needed", name)
		}
	}
	if sum > 10<<10 || sum < 1<<10 {
		t.Errorf("%v weigh %d bytes packed", all, sum)
	}
}
