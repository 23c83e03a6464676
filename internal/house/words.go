package house

import (
	"fmt"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

var wordRules = []Rule{
	{"links in the documentation lead somewhere", linksResolve},
	{"files and packages that the documentation names exist", namesExist},
	{"nothing names this machine, its registries or notes outside the repository", nothingLocal},
	{"each direct dependency has a line saying what it spares us", dependenciesExplained},
	{"the image is small and runs as nobody", imageIsSmall},
	{"compose starts idp beside its database and its mail catcher", composeIsWhole},
}

// notYet are documents that speak of what is to come.
var notYet = map[string]bool{"docs/plan.md": true, "CHANGELOG.md": true}

var (
	link  = regexp.MustCompile(`\[[^\]]*\]\(([^)\s]+)\)`)
	named = regexp.MustCompile("`([a-z0-9_.-]+(?:/[a-z0-9_.-]+)+/?)`")
	fence = regexp.MustCompile("(?s)```.*?```")
)

func linksResolve(h *House) (found []string) {
	for _, name := range h.documents() {
		text := fence.ReplaceAllString(h.Texts[name], "")
		for _, m := range link.FindAllStringSubmatch(text, -1) {
			target, fragment, _ := strings.Cut(m[1], "#")
			if strings.Contains(m[1], "://") || strings.HasPrefix(m[1], "mailto:") {
				continue
			}
			file := name
			if target != "" {
				file = path.Join(path.Dir(name), target)
			}
			if !h.Exists(file) {
				found = append(found, fmt.Sprintf("%s links to %s, which is not there", name, m[1]))
				continue
			}
			if fragment != "" && strings.HasSuffix(file, ".md") && !slices.Contains(anchors(h.Texts[file]), fragment) {
				found = append(found, fmt.Sprintf("%s links to %s, but there is no such heading", name, m[1]))
			}
		}
	}
	return found
}

// documents returns the Markdown files in order.
func (h *House) documents() []string {
	var names []string
	for _, name := range slices.Sorted(maps.Keys(h.Texts)) {
		if strings.HasSuffix(name, ".md") {
			names = append(names, name)
		}
	}
	return names
}

// anchors returns the headings as links spell them.
func anchors(text string) []string {
	var out []string
	for line := range strings.SplitSeq(fence.ReplaceAllString(text, ""), "\n") {
		title := strings.TrimLeft(line, "#")
		if title == line || !strings.HasPrefix(title, " ") {
			continue
		}
		out = append(out, strings.Map(func(r rune) rune {
			switch {
			case r == ' ':
				return '-'
			case r == '-' || r == '_' || r >= '0' && r <= '9' || r >= 'a' && r <= 'z':
				return r
			}
			return -1
		}, strings.ToLower(strings.TrimSpace(title))))
	}
	return out
}

// namesExist looks at `room/file.go` and `room/part`: whatever starts with one of our rooms.
func namesExist(h *House) (found []string) {
	for _, name := range h.documents() {
		if notYet[name] {
			continue
		}
		for _, m := range named.FindAllStringSubmatch(h.Texts[name], -1) {
			first, _, _ := strings.Cut(m[1], "/")
			_, _, room := roomOf(first)
			if !room && first != "internal" && first != "docs" && first != "cmd" {
				continue
			}
			if !h.Exists(strings.TrimSuffix(m[1], "/")) {
				found = append(found, fmt.Sprintf("%s names `%s`, which is not there", name, m[1]))
			}
		}
	}
	return found
}

// local is what only makes sense where it was written: a home directory or workplace of
// the machine, and the addresses from which a lockfile's packages were once fetched.
var local = regexp.MustCompile(`(^|[^\w.])/(root|home/\w+|work)/|"resolved": "https?://`)

func nothingLocal(h *House) (found []string) {
	for _, name := range slices.Sorted(maps.Keys(h.Texts)) {
		if m := local.FindString(h.Texts[name]); m != "" {
			found = append(found, fmt.Sprintf("%s says %q, which means nothing elsewhere", name, strings.TrimSpace(m)))
		}
	}
	return found
}

const dependencyPage = "docs/adr/0007-dependencies.md"

func dependenciesExplained(h *House) (found []string) {
	page := h.Texts[dependencyPage]
	for line := range strings.SplitSeq(h.Texts["go.mod"], "\n") {
		fields := strings.Fields(line)
		if len(fields) != 2 || !strings.HasPrefix(line, "\t") || !strings.HasPrefix(fields[1], "v") {
			continue // a direct requirement has a path, a version, and no comment
		}
		if !strings.Contains(page, "`"+fields[0]+"`") {
			found = append(found, fmt.Sprintf("%s has no line in %s: say what it spares us", fields[0], dependencyPage))
		}
	}
	return found
}

var instructions = []string{"FROM", "ARG", "ENV", "WORKDIR", "COPY", "RUN", "USER", "EXPOSE", "VOLUME", "ENTRYPOINT", "CMD", "LABEL", "HEALTHCHECK"}

func imageIsSmall(h *House) (found []string) {
	text, ok := h.Texts["Dockerfile"]
	if !ok {
		return []string{"there is no Dockerfile"}
	}
	stages, last := []string{}, ""
	joined := strings.ReplaceAll(text, "\\\n", " ")
	for line := range strings.SplitSeq(joined, "\n") {
		fields := strings.Fields(line)
		if len(fields) == 0 || strings.HasPrefix(fields[0], "#") {
			continue
		}
		if !slices.Contains(instructions, fields[0]) {
			found = append(found, fmt.Sprintf("Dockerfile: %q is no instruction", fields[0]))
		}
		if fields[0] == "FROM" {
			last = ""
			if len(fields) == 4 && fields[2] == "AS" {
				stages = append(stages, fields[3])
			}
		}
		for _, field := range fields {
			if stage, ok := strings.CutPrefix(field, "--from="); ok && !slices.Contains(stages, stage) {
				found = append(found, fmt.Sprintf("Dockerfile copies from %q, which is no stage", stage))
			}
		}
		last += line + "\n"
	}
	for what, want := range map[string]string{"distroless static base": "distroless/static", "user who owns nothing": "USER nonroot", "entry point": "ENTRYPOINT"} {
		if !strings.Contains(last, want) {
			found = append(found, "Dockerfile: the last stage has no "+what)
		}
	}
	return found
}

func composeIsWhole(h *House) (found []string) {
	text, ok := h.Texts["compose.yaml"]
	if !ok {
		return []string{"there is no compose.yaml"}
	}
	var file struct {
		Services map[string]struct {
			Image       string
			Build       any
			Environment map[string]string
			DependsOn   map[string]any `yaml:"depends_on"`
			Ports       []string
		}
	}
	if err := yaml.Unmarshal([]byte(text), &file); err != nil {
		return []string{"compose.yaml: " + err.Error()}
	}
	for _, name := range []string{"idp", "postgres", "mail"} {
		s, ok := file.Services[name]
		if !ok {
			found = append(found, "compose.yaml lacks the service "+name)
		}
		for _, port := range s.Ports {
			if !strings.HasPrefix(port, "127.0.0.1:") {
				found = append(found, fmt.Sprintf("compose.yaml: %s opens %s to the whole network", name, port))
			}
		}
	}
	for name := range file.Services["idp"].DependsOn {
		if _, ok := file.Services[name]; !ok {
			found = append(found, fmt.Sprintf("compose.yaml: idp waits for %q, which is not there", name))
		}
	}
	return found
}
