package config

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"idp/internal/secret"
)

// Line is one key with its value in force and where that came from.
type Line struct {
	Key    string `json:"key"`
	Value  string `json:"value"` // a secret is dots, or "" if there is none
	Origin Origin `json:"origin"`
}

// Explain returns every key, in the order of the manual.
func (c Config) Explain() []Line {
	var lines []Line
	for _, k := range Keys() {
		l := Line{Key: k.Name, Origin: c.origins[k.Name]}
		switch at := k.at(&c).(type) {
		case *string:
			l.Value = *at
		case *int:
			l.Value = strconv.Itoa(*at)
		case *time.Duration:
			l.Value = at.String()
		case *[]string:
			l.Value = strings.Join(*at, ", ")
		case *secret.String:
			if !at.Empty() {
				l.Value = at.String()
			}
		}
		lines = append(lines, l)
	}
	return lines
}

// Manual is the reference of all keys, in Markdown.
func Manual() string {
	var b strings.Builder
	b.WriteString(manualHead)
	for _, k := range Keys() {
		fmt.Fprintf(&b, "## %s\n\n%s\n\n", k.Name, k.Doc)
		fmt.Fprintf(&b, "- environment: `%s`", k.Env())
		if k.Secret {
			fmt.Fprintf(&b, ", or `%s_FILE`, the name of a file that holds it (in YAML: `%s_file`)", k.Env(), k.Name)
		}
		b.WriteString("\n")
		if len(k.Allowed) > 0 {
			fmt.Fprintf(&b, "- one of: `%s`\n", strings.Join(k.Allowed, "`, `"))
		}
		switch {
		case k.Depends != "":
			fmt.Fprintf(&b, "- if not set: %s\n", k.Depends)
		case k.Default != "":
			fmt.Fprintf(&b, "- if not set: `%s`\n", k.Default)
		}
		b.WriteString("\n")
	}
	return strings.TrimRight(b.String(), "\n") + "\n"
}

const manualHead = `# Configuration of the process

This page is generated from the code; a test compares the two.

idp needs no configuration to try it. To run it, write a YAML file and name it with
` + "`--config`" + ` or ` + "`IDP_CONFIG`" + `, or set environment variables, or both: a variable wins over the
file, the file over the default. An empty variable counts as not set. In the file, the parts of a key are nested:

` + "```yaml" + `
environment: production
issuer: https://id.example.com
master_key_file: /run/secrets/master-key
tls:
  certificate_file: /etc/idp/tls.crt
  key_file: /etc/idp/tls.key
` + "```" + `

A key that does not exist is an error; an ` + "`IDP_`" + ` variable that does not exist is a warning.
` + "`idp config explain`" + ` prints every value and where it came from, ` + "`idp config validate`" + ` says
whether idp would start. What operators change while idp runs, like who may sign up, is not here
but on the operator pages.

`
