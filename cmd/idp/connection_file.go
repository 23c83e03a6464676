package main

import (
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"idp/federation"
	"idp/internal/secret"
)

// connectionFiles are where create and update read a connection from. What is secret, and what
// providers hand out as a document, may be in a file of its own.
type connectionFiles struct{ connection, key, metadata string }

const maxConnectionFile = 1 << 20

func (f *connectionFiles) on(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.connection, "file", "", "JSON `file` with the connection, - for standard input")
	cmd.Flags().StringVar(&f.key, "client-secret-file", "", "`file` with the client secret (Apple: the private key), - for standard input")
	cmd.Flags().StringVar(&f.metadata, "metadata-file", "", "XML `file` with the metadata of a SAML provider, - for standard input")
	_ = cmd.MarkFlagFilename("file", "json") // fails only for a flag that is not there
}

func (f *connectionFiles) read(c *cli, cmd *cobra.Command) (federation.Connection, error) {
	if err := must(cmd, "file"); err != nil {
		return federation.Connection{}, err
	}
	text, err := c.readWhole(f.connection)
	if err != nil {
		return federation.Connection{}, err
	}
	x, err := federation.ReadConnection(text)
	if err != nil {
		return x, err
	}
	if f.key != "" {
		text, err := c.readWhole(f.key)
		if err != nil {
			return x, err
		}
		x.ClientSecret = secret.NewString(string(text))
	}
	if f.metadata != "" {
		text, err := c.readWhole(f.metadata)
		if err != nil {
			return x, err
		}
		x.Metadata = string(text)
	}
	return x.Tidy(), nil
}

// readWhole reads a file, or standard input for "-".
func (c *cli) readWhole(name string) ([]byte, error) {
	from := c.in
	if name != "-" {
		file, err := os.Open(name) //nolint:gosec // the operator names the file
		if err != nil {
			return nil, fmt.Errorf("read a file: %w", err)
		}
		defer file.Close() //nolint:errcheck // nothing was written
		from = file
	}
	text, err := readLimited(from, maxConnectionFile)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	return text, nil
}
