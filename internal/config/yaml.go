package config

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

const (
	maxYAML  = 256 << 10 // bytes
	maxDepth = 8
)

// readYAML applies one YAML document. Every mistake carries its line.
func (c *Config) readYAML(text []byte) (wrong []error) {
	name := filepath.Base(c.file)
	if len(text) > maxYAML {
		return []error{fmt.Errorf("%s is larger than 256 KiB", name)}
	}
	var doc yaml.Node
	if err := yaml.Unmarshal(text, &doc); err != nil {
		return []error{fmt.Errorf("%s: %w", name, err)}
	}
	if len(doc.Content) == 0 || doc.Content[0].Tag == "!!null" {
		return nil // an empty file, or one of comments only
	}
	r := reader{c: c, file: name, keys: map[string]Key{}, seen: map[string]int{}}
	for _, k := range Keys() {
		r.keys[k.Name] = k
	}
	r.section("", doc.Content[0], 0)
	return r.wrong
}

// reader walks the document's nodes.
type reader struct {
	c     *Config
	file  string
	keys  map[string]Key
	seen  map[string]int // line of each key met
	wrong []error
}

func (r *reader) complain(n *yaml.Node, format string, args ...any) {
	r.wrong = append(r.wrong, fmt.Errorf("%s:%d: %w", r.file, n.Line, fmt.Errorf(format, args...)))
}

func (r *reader) section(path string, n *yaml.Node, depth int) {
	if n.Kind != yaml.MappingNode || depth > maxDepth {
		what := "the file"
		if path != "" {
			what = path
		}
		r.complain(n, "%s holds \"key: value\" lines", what)
		return
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		name, value := n.Content[i], n.Content[i+1]
		full := name.Value
		if path != "" {
			full = path + "." + name.Value
		}
		if line, twice := r.seen[full]; twice {
			r.complain(name, "%s was said on line %d already", full, line)
			continue
		}
		r.seen[full] = name.Line
		switch k, known := r.keys[full]; {
		case known:
			r.value(k, value)
		case r.isSection(full):
			r.section(full, value, depth+1)
		case strings.HasSuffix(full, "_file") && r.keys[strings.TrimSuffix(full, "_file")].Secret:
			r.secretFile(r.keys[strings.TrimSuffix(full, "_file")], full, value)
		default:
			r.complain(name, "there is no setting %q%s", full, likely(full, r.names()))
		}
	}
}

func (r *reader) isSection(path string) bool {
	return slices.ContainsFunc(r.names(), func(name string) bool { return strings.HasPrefix(name, path+".") })
}

func (r *reader) names() []string {
	var names []string
	for name, k := range r.keys {
		names = append(names, name)
		if k.Secret {
			names = append(names, name+"_file")
		}
	}
	slices.Sort(names)
	return names
}

func (r *reader) value(k Key, n *yaml.Node) {
	text, err := scalar(n)
	if list, ok := k.at(r.c).(*[]string); ok && n.Kind == yaml.SequenceNode {
		*list = nil
		for _, item := range n.Content {
			one, err := scalar(item)
			if err != nil || strings.Contains(one, ",") {
				r.complain(item, "%s is a list of plain values", k.Name)
				return
			}
			*list = append(*list, one)
		}
	} else if err != nil {
		r.complain(n, "%s: %w", k.Name, err)
		return
	} else if err := set(k.at(r.c), k, text); err != nil {
		r.complain(n, "%s: %w", k.Name, err)
		return
	}
	r.c.origins[k.Name] = Origin(fmt.Sprintf("%s:%d", r.file, n.Line))
	if k.Secret && r.seen[k.Name+"_file"] > 0 {
		r.complain(n, "%s and %s_file are both set; leave one", k.Name, k.Name)
	}
}

func (r *reader) secretFile(k Key, full string, n *yaml.Node) {
	file, err := scalar(n)
	if err != nil {
		r.complain(n, "%s: %w", full, err)
		return
	}
	if r.seen[k.Name] > 0 {
		r.complain(n, "%s and %s are both set; leave one", k.Name, full)
		return
	}
	if err := r.c.readSecret(k, file, fmt.Sprintf("%s:%d", r.file, n.Line)); err != nil {
		r.wrong = append(r.wrong, err)
	}
}

// scalar returns a plain value as written. Aliases are refused: one value, one place.
func scalar(n *yaml.Node) (string, error) {
	switch {
	case n.Kind != yaml.ScalarNode:
		return "", errors.New("takes one plain value")
	case n.Tag == "!!null":
		return "", nil
	}
	return n.Value, nil
}

// likely suggests the known name that differs least.
func likely(name string, known []string) string {
	best, distance := "", 4
	for _, k := range known {
		if d := apart(name, k, distance); d < distance {
			best, distance = k, d
		}
	}
	if best == "" {
		return ""
	}
	return fmt.Sprintf("; did you mean %s?", best)
}

// apart is the Levenshtein distance of a and b, or limit if it is no less.
func apart(a, b string, limit int) int {
	if max(len(a), len(b))-min(len(a), len(b)) >= limit || len(a) > 100 {
		return limit
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			change := diagonal
			if a[i] != b[j] {
				change++
			}
			diagonal = row[j+1]
			row[j+1] = min(change, row[j]+1, diagonal+1)
		}
	}
	return row[len(b)]
}

func envNames() []string {
	var names []string
	for _, k := range Keys() {
		names = append(names, k.Env())
		if k.Secret {
			names = append(names, k.Env()+"_FILE")
		}
	}
	return names
}
