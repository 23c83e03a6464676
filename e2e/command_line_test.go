package e2e

import (
	"bufio"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
)

var write = flag.Bool("write", false, "write docs/operate/command-line.md instead of comparing it")

const commandLinePage = "../docs/operate/command-line.md"

// subcommand matches a line of a help text's list of commands.
var subcommand = regexp.MustCompile(`^  ([a-z][a-z-]+) +\S`)

func TestTheManualOfTheCommandLineSaysWhatTheBinarySays(t *testing.T) {
	var out strings.Builder
	out.WriteString(`# Command line

What ` + "`idp`" + ` says about itself; a test compares this page with the binary. Commands work on the database that
the configuration names, beside a running idp or without one. With ` + "`--json`" + ` the output is for programs.
`)
	document(t, &out)
	if *write {
		if err := os.WriteFile(commandLinePage, []byte(out.String()), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	have, err := os.ReadFile(commandLinePage)
	if err != nil {
		t.Fatal(err)
	}
	page, said := strings.Split(string(have), "\n"), strings.Split(out.String(), "\n")
	for i := range max(len(page), len(said)) {
		if i >= len(page) || i >= len(said) || page[i] != said[i] {
			t.Fatalf("docs/operate/command-line.md is not what the binary says: run go test ./e2e -run Manual -write\nfrom line %d on the page has %q\nand the binary says %q",
				i+1, page[min(i, len(page)):min(i+3, len(page))], said[min(i, len(said)):min(i+3, len(said))])
		}
	}
}

// document writes the help of a command and of everything below it.
func document(t *testing.T, out *strings.Builder, command ...string) {
	t.Helper()
	cmd := exec.Command(binary, append(command, "--help")...)
	cmd.Env = []string{"HOME=" + t.TempDir()}
	help, err := cmd.Output()
	if err != nil {
		t.Fatalf("idp %s --help: %v", strings.Join(command, " "), err)
	}
	fmt.Fprintf(out, "\n## idp %s\n```\n%s```\n", strings.Join(command, " "), strings.TrimLeft(string(help), "\n"))
	listing := false
	for lines := bufio.NewScanner(strings.NewReader(string(help))); lines.Scan(); {
		line := lines.Text()
		if strings.HasSuffix(line, "Commands:") {
			listing = true
		} else if line == "" {
			listing = false
		}
		if m := subcommand.FindStringSubmatch(line); listing && m != nil && m[1] != "help" && m[1] != "completion" {
			document(t, out, append(command, m[1])...)
		}
	}
}
