package e2e

import (
	"bytes"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// node runs a command in a folder and returns what it says; its failure is the test's.
func node(t *testing.T, dir, name string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), name, args...)
	cmd.Dir = dir
	said, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, said)
	}
	return string(said)
}

// typescript is the compiler's script.
func typescript(t *testing.T) string {
	t.Helper()
	path, err := filepath.Abs("node_modules/typescript/bin/tsc")
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// tree returns the files below dir by their path in it.
func tree(t *testing.T, dir string) map[string][]byte {
	t.Helper()
	files := map[string][]byte{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		name, err := filepath.Rel(dir, path)
		if err == nil {
			files[name], err = os.ReadFile(path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func TestTheSDKsTypesAreRightAndItsDeclarationsAreWhatTheSourcesGive(t *testing.T) {
	needBrowser(t)
	out := t.TempDir()
	node(t, ".", "node", typescript(t), "--project", "../sdk/js", "--noEmit", "false", "--declaration", "--emitDeclarationOnly", "--outDir", out)
	made, kept := tree(t, out), tree(t, "../sdk/js/dist/types")
	for name, body := range made {
		if !bytes.Equal(body, kept[name]) {
			t.Errorf("%s is not what its source gives: go -C tools run ./bundle", name)
		}
	}
	for name := range kept {
		if made[name] == nil {
			t.Errorf("%s has no source any more: go -C tools run ./bundle", name)
		}
	}
}

const consumer = `
import { load, IdpError, type Idp, type View, type State } from '@idp/sdk'

export async function main(): Promise<string | null> {
  const idp: Idp = await load({ issuer: 'https://id.example.com', cookie: true })
  const stop = idp.observe((state: State) => { document.title = state.user?.name ?? idp.environment.name })
  const attempt = await idp.attempt('sign_in', { returnTo: '/' })
  const view: View = await attempt.identify('ann@example.com')
  if (view.step === 'needs_first_factor') await attempt.prove('password', 'long enough')
  try {
    await idp.switchTo(idp.sessions[0]!.id)
  } catch (e) {
    if (e instanceof IdpError && e.retryAfter !== undefined) console.log(e.retryAfter.toFixed(), e.code, e.field)
  }
  await idp.signOut({ everywhere: true, returnTo: '/' })
  stop()
  return idp.getToken({ template: 'hasura', fresh: true })
}
`

const wrongConsumer = `
import { load } from '@idp/sdk'
load().then((idp) => idp.getToken({ tempalte: 'x' }))
load().then((idp) => idp.attempt('sign_inn'))
`

func TestTheSDKInstallsAsAPackageWithTypesAndLoadsInNode(t *testing.T) {
	needBrowser(t)
	dir := t.TempDir()
	sdk, err := filepath.Abs("../sdk/js")
	if err != nil {
		t.Fatal(err)
	}
	packed := strings.Fields(node(t, sdk, "npm", "pack", "--loglevel=error", "--pack-destination", dir))
	app := filepath.Join(dir, "app")
	for name, body := range map[string]string{
		"package.json": `{"name":"app","private":true,"type":"module"}`, "right.ts": consumer, "wrong.ts": wrongConsumer,
		"run.mjs": `
import assert from 'node:assert/strict'
import { load, IdpError, Attempt } from '@idp/sdk'
assert.equal(typeof Attempt, 'function')
await assert.rejects(load({ issuer: 'https://id.example.com' }), (e) => e instanceof IdpError && e.code === 'browser_needed')
`,
	} {
		if err := os.MkdirAll(app, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(app, name), []byte(body), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	node(t, app, "npm", "install", "--offline", "--no-audit", "--no-fund", "--loglevel=error", filepath.Join(dir, packed[len(packed)-1]))
	for name := range tree(t, filepath.Join(app, "node_modules", "@idp", "sdk")) {
		if !strings.HasPrefix(name, "dist/") && name != "package.json" && name != "README.md" && name != "LICENSE" {
			t.Errorf("the package holds %s", name)
		}
	}
	check := []string{typescript(t), "--noEmit", "--strict", "--module", "nodenext", "--target", "es2022", "--lib", "es2022,dom", "--types", ""}
	node(t, app, "node", append(check, "right.ts")...)
	wrong := exec.CommandContext(t.Context(), "node", append(check, "wrong.ts")...)
	wrong.Dir = app
	said, err := wrong.CombinedOutput()
	if err == nil || strings.Count(string(said), "error TS") != 2 {
		t.Errorf("two mistakes, and TypeScript says: %v %s", err, said)
	}
	node(t, app, "node", "run.mjs")
}

func TestTheSDKKeepsItsWordInEveryRaceAndTrouble(t *testing.T) {
	needBrowser(t)
	node(t, "../sdk/js", "node", "--test", "test/")
}

func TestAPageOfAnotherOriginHasSessionTokensThatAreAliveAndSharedByItsTabs(t *testing.T) {
	needBrowser(t)
	eachEngine(t, func(t *testing.T, i *instance) {
		for _, email := range []string{"ann@example.com", "bob@example.com"} {
			i.Person(email, good)
		}
		i.Start()
		i.walk(t, "sdk.mjs")
	})
}

func TestAPageOfAnotherOriginSignsPeopleInByItself(t *testing.T) {
	needBrowser(t)
	eachEngine(t, func(t *testing.T, i *instance) {
		i.env = append(i.env, "IDP_BOT_CHECK_WRONG_PASSWORDS=3")
		for _, email := range []string{"ann@example.com", "bob@example.com", "eve@example.com", "fay@example.com"} {
			i.Person(email, good)
		}
		i.Start()
		i.walk(t, "sdk-flows.mjs")
	})
}

func TestOverTLSATokenIsKeptInACookieThatNoOtherHostSets(t *testing.T) {
	needBrowser(t)
	i := newInstance(t, sqliteDatabase(t))
	i.Secure()
	port := strconv.Itoa(freePort(t))
	i.env = append(i.env, "IDP_ORIGINS=https://localhost:"+port)
	i.Person("ann@example.com", good)
	i.Start()
	i.walk(t, "sdk-https.mjs", "APP_PORT="+port)
}
