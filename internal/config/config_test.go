package config_test

import (
	"encoding/base64"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"idp/internal/config"
	"idp/internal/secret"
)

// write makes a file of the test's own and returns its path.
func write(t *testing.T, name, text string, mode os.FileMode) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), mode); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, mode); err != nil {
		t.Fatal(err)
	}
	return path
}

func load(t *testing.T, yaml string, environ ...string) config.Config {
	t.Helper()
	from := config.Source{Environ: environ}
	if yaml != "" {
		from.File = write(t, "idp.yaml", yaml, 0o600)
	}
	c, _, err := config.Load(from)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func origin(t *testing.T, c config.Config, key string) (value, origin string) {
	t.Helper()
	for _, l := range c.Explain() {
		if l.Key == key {
			return l.Value, string(l.Origin)
		}
	}
	t.Fatalf("explain does not know %s", key)
	return "", ""
}

func TestNothingConfiguredIsEnoughToStart(t *testing.T) {
	c := load(t, "")
	if err := c.Validate(); err != nil {
		t.Fatal(err)
	}
	if c.Issuer != "http://localhost:8080" || c.Database() != "sqlite:idp-data/idp.db" || !c.Development() || c.Registration != "open" {
		t.Fatalf("%+v", c)
	}
}

func TestIssuerFollowsThePort(t *testing.T) {
	for listen, want := range map[string]string{"127.0.0.1:9000": "http://localhost:9000", ":8081": "http://localhost:8081", "[::1]:7000": "http://localhost:7000"} {
		if c := load(t, "", "IDP_LISTEN="+listen); c.Issuer != want {
			t.Errorf("listen %s: issuer %s", listen, c.Issuer)
		}
	}
	if c := load(t, "", "IDP_LISTEN=127.0.0.1:0"); c.Validate() == nil || !strings.Contains(c.Validate().Error(), "issuer is missing") {
		t.Errorf("a port chosen at random: %v", c.Validate())
	}
}

func TestStrongerLayersWinAndSayWhereTheyAre(t *testing.T) {
	yaml := "listen: 127.0.0.1:1\nlog:\n  level: debug\nname: Acme\ntrusted_proxies: [10.0.0.1, 10.1.0.0/16]\n"
	c := load(t, yaml, "IDP_LISTEN=127.0.0.1:2", "IDP_NAME=")
	for key, want := range map[string][2]string{
		"listen":          {"127.0.0.1:2", "IDP_LISTEN"},
		"log.level":       {"debug", "idp.yaml:3"},
		"name":            {"Acme", "idp.yaml:4"}, // an empty variable says nothing
		"trusted_proxies": {"10.0.0.1, 10.1.0.0/16", "idp.yaml:5"},
		"migrate":         {"auto", "default"},
	} {
		if value, from := origin(t, c, key); value != want[0] || from != want[1] {
			t.Errorf("%s is %q from %s, want %v", key, value, from, want)
		}
	}
	if c := load(t, yaml, "IDP_TRUSTED_PROXIES=192.0.2.1, 2001:db8::/64"); len(c.Proxies()) != 2 || c.Proxies()[0].String() != "192.0.2.1/32" {
		t.Errorf("proxies %v", c.Proxies())
	}
}

func TestSecretsComeFromFilesAndAreNeverPrinted(t *testing.T) {
	const hidden = "postgres://idp:hunter2@db/idp"
	file := write(t, "url", hidden+"\n", 0o600)
	for _, c := range []config.Config{
		load(t, "", "IDP_DATABASE_URL_FILE="+file),
		load(t, "database_url_file: "+file+"\n"),
		load(t, "database_url: "+hidden+"\n"),
		load(t, "", "IDP_DATABASE_URL="+hidden),
	} {
		if c.Database() != hidden {
			t.Errorf("database %q", c.Database())
		}
		for _, l := range c.Explain() {
			if strings.Contains(l.Value, "hunter2") {
				t.Errorf("explain shows %s", l.Key)
			}
		}
		if value, from := origin(t, c, "database_url"); value != "•••" || from == "default" {
			t.Errorf("explained as %q from %q", value, from)
		}
	}
	if _, _, err := config.Load(config.Source{Environ: []string{"IDP_DATABASE_URL_FILE=" + filepath.Join(t.TempDir(), "none")}}); err == nil {
		t.Error("a secret's file that is not there was ignored")
	}
	if _, _, err := config.Load(config.Source{Environ: []string{"IDP_SMTP_URL=smtp://a", "IDP_SMTP_URL_FILE=" + file}}); err == nil {
		t.Error("a secret given twice was accepted")
	}
}

func TestMistakesInTheFileAreErrorsWithTheirLine(t *testing.T) {
	for _, c := range []struct{ why, yaml, want string }{
		{"unknown key", "listen: :1\nisuer: https://x\n", `idp.yaml:2: there is no setting "isuer"; did you mean issuer?`},
		{"unknown key in a section", "log:\n  level: info\n  colour: red\n", `idp.yaml:3: there is no setting "log.colour"`},
		{"not one of the choices", "environment: staging\n", `idp.yaml:1: environment: "staging" is none of development, production`},
		{"no number", "database_max_connections: many\n", `idp.yaml:1: database_max_connections: "many" is not a whole number`},
		{"said twice", "listen: :1\nlisten: :2\n", "idp.yaml"},
		{"a section for a value", "listen:\n  port: 1\n", "idp.yaml:2: listen: takes one plain value"},
		{"a value for a section", "log: info\n", `idp.yaml:1: log holds "key: value" lines`},
		{"a list of the whole", "- listen\n", `idp.yaml:1: the file holds "key: value" lines`},
		{"no YAML", "listen: [\n", "idp.yaml"},
		{"a secret twice", "master_key: a\nmaster_key_file: b\n", "leave one"},
		{"a secret twice, the other way", "master_key_file: /dev/null\nmaster_key: b\n", "leave one"},
		{"a file for what is no secret", "issuer_file: b\n", `there is no setting "issuer_file"`},
	} {
		_, _, err := config.Load(config.Source{File: write(t, "idp.yaml", c.yaml, 0o600)})
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", c.why, err)
		}
	}
}

func TestEveryMistakeIsNamedAtOnce(t *testing.T) {
	_, _, err := config.Load(config.Source{
		File:    write(t, "idp.yaml", "one: 1\ntwo: 2\n", 0o600),
		Environ: []string{"IDP_MIGRATE=sometimes"},
	})
	for _, want := range []string{"one", "two", "IDP_MIGRATE"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s is not in: %v", want, err)
		}
	}
}

func TestUnknownVariablesAreWarnings(t *testing.T) {
	_, warnings, err := config.Load(config.Source{Environ: []string{"IDP_LISTN=:1", "IDP_SERVICE_PORT_8080_TCP=x", "IDP_CONFIG=x", "HOME=/"}})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"IDP_LISTN is set, but there is no such setting; did you mean IDP_LISTEN?",
		"IDP_SERVICE_PORT_8080_TCP is set, but there is no such setting",
	}
	if !slices.Equal(warnings, want) {
		t.Fatalf("warnings %q", warnings)
	}
}

func TestNoTwoKeysShareAVariable(t *testing.T) {
	owner := map[string]string{"IDP_CONFIG": "the command line", "IDP_TEST_POSTGRES": "the tests"}
	claim := func(variable, key string) {
		if other, taken := owner[variable]; taken {
			t.Errorf("%s is both %s and %s", variable, other, key)
		}
		owner[variable] = key
	}
	for _, k := range config.Keys() {
		claim(k.Env(), k.Name)
		if k.Secret {
			claim(k.Env()+"_FILE", k.Name+"'s file")
		}
	}
}

func TestDevelopmentMakesItsMasterKeyAndProductionDoesNot(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	c := load(t, "", "IDP_DATA_DIR="+dir)
	if err := c.MakeDataDir(); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Box(); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(dir); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("data directory has mode %v (%v)", info.Mode(), err)
	}
	if _, err := os.Stat(filepath.Join(dir, secret.MasterKeyFile)); err != nil {
		t.Error(err)
	}
	production := load(t, "", "IDP_ENVIRONMENT=production", "IDP_DATA_DIR="+dir)
	if _, err := production.Box(); err == nil || !strings.Contains(err.Error(), "openssl rand") {
		t.Errorf("production took development's key: %v", err)
	}
}

// FuzzYAML: whatever a file holds, reading it ends in a configuration or in an error.
func FuzzYAML(f *testing.F) {
	for _, seed := range []string{"", "listen: :1", "log: {level: debug}", "a: &x [*x]", "trusted_proxies: [1.2.3.4]", "? [a]\n: b", "log: &l\n  level: info\ntls: *l\n", "- 1"} {
		f.Add([]byte(seed))
	}
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, text []byte) {
		path := filepath.Join(dir, "idp.yaml")
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
		c, _, err := config.Load(config.Source{File: path})
		if err == nil {
			_ = c.Validate()
			c.Explain()
		}
	})
}

func randomKey() string { return base64.StdEncoding.EncodeToString(secret.Bytes(32)) }
