// Command idp runs an identity provider, and is how its operators reach it on the machine:
// `idp serve` runs it, the other commands act on the same database, whether it runs or not.
//
// What a command prints on standard output is its answer; everything else goes to standard
// error. It exits with 0 when it did what was asked, 1 when it could not, and 2 when it was
// asked wrongly.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"idp/internal/problem"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, terminal{in: os.Stdin, out: os.Stdout, err: os.Stderr, environ: os.Environ()}, os.Args[1:])
	stop()
	os.Exit(code)
}

// terminal is what a command talks to.
type terminal struct {
	in       io.Reader
	out, err io.Writer
	environ  []string
}

const (
	exitFailed = 1
	exitUsage  = 2
)

// run does one command and returns the exit code.
func run(ctx context.Context, t terminal, args []string) int {
	root := newRoot(t)
	root.SetArgs(args)
	cmd, err := root.ExecuteContextC(ctx)
	if err == nil {
		return 0
	}
	var wrong usageError
	if errors.As(err, &wrong) {
		_, _ = fmt.Fprintf(t.err, "idp: %s\nSee: %s --help\n", wrong, cmd.CommandPath())
		return exitUsage
	}
	for line := range strings.SplitSeq(words(err), "\n") {
		_, _ = fmt.Fprintln(t.err, "idp: "+line)
	}
	return exitFailed
}

// words is what a person reads of an error: a problem's sentence, or the error itself.
func words(err error) string {
	var p *problem.Error
	if !errors.As(err, &p) || p.Detail == "" {
		return err.Error()
	}
	if cause := errors.Unwrap(p); p.Kind == problem.Unavailable && cause != nil {
		return "the database does not answer: " + cause.Error() // whoever runs commands may know why
	}
	if p.Field != "" {
		return p.Detail + " (" + p.Field + ")"
	}
	return p.Detail
}

// usageError says that a command was asked wrongly.
type usageError string

func (e usageError) Error() string { return string(e) }
