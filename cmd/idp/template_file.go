package main

import (
	"strings"

	"github.com/spf13/cobra"

	"idp/token"
)

// templateFiles are where create and update read a template from. Its key may be in a file of its own.
type templateFiles struct {
	file, preset, name, key, keyID string
	set                            []string // NAME=VALUE, what the preset needs
}

func (f *templateFiles) on(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.file, "file", "", "JSON `file` with the template, - for standard input")
	cmd.Flags().StringVar(&f.key, "signing-key-file", "", "`file` with a key of its own: PEM, a JWK, or the text of a shared secret; - for standard input")
	cmd.Flags().StringVar(&f.keyID, "signing-key-id", "", "the `kid` that tokens name the key by")
	_ = cmd.MarkFlagFilename("file", "json") // fails only for a flag that is not there
}

// create reads the template of a file or preset.
func (f *templateFiles) create(c *cli) (token.Template, error) {
	if (f.file == "") == (f.preset == "") {
		return token.Template{}, usageError("give one of --file and --preset")
	}
	return f.read(c)
}

func (f *templateFiles) read(c *cli) (t token.Template, err error) {
	switch {
	case f.file == "-" && f.key == "-":
		return t, usageError("standard input holds one of the two")
	case f.key == "" && f.keyID != "":
		return t, usageError("--signing-key-id goes with --signing-key-file")
	case f.preset != "":
		t, err = f.ofPreset()
	default:
		var text []byte
		if text, err = c.readWhole(f.file); err == nil {
			t, err = token.ReadTemplate(text)
		}
	}
	if err != nil {
		return t, err
	}
	if f.name != "" {
		t.Name = f.name
	}
	if f.key == "" {
		return t, nil
	}
	text, err := c.readWhole(f.key)
	if err != nil {
		return t, err
	}
	given := token.SigningKeyFile(text)
	given.ID = f.keyID
	t.Key, t.Algorithm, err = given.For(t.Algorithm)
	return t, err
}

// ofPreset makes the template of the preset, with what --set says.
func (f *templateFiles) ofPreset() (token.Template, error) {
	p, err := token.PresetNamed(f.preset)
	if err != nil {
		return token.Template{}, err
	}
	values := map[string]string{}
	for _, pair := range f.set {
		name, value, ok := strings.Cut(pair, "=")
		if !ok {
			return token.Template{}, usageError("--set takes NAME=VALUE")
		}
		values[name] = value
	}
	return p.Make(values)
}

func (c *cli) templatePresets() *cobra.Command {
	return c.withJSON(&cobra.Command{
		Use:   "presets",
		Short: "List what templates can be made of, and what each needs",
		Args:  takes(),
		RunE: func(*cobra.Command, []string) error {
			all := token.Presets()
			rows := [][]string{}
			for _, p := range all {
				var needs []string
				for _, n := range p.Needs {
					says := n.Name
					if n.Otherwise != "" {
						says += "=" + n.Otherwise
					}
					needs = append(needs, says)
				}
				key := p.Key
				if key == "" {
					key = "issuer's"
				}
				rows = append(rows, []string{p.Name, p.Title, key, strings.Join(needs, " "), strings.Join(p.Source, " ")})
			}
			return c.table(all, []string{"name", "for", "key", "set", "source"}, rows)
		},
	})
}
