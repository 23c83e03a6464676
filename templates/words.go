package templates

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"golang.org/x/text/feature/plural"
	"golang.org/x/text/language"
)

// catalogues are the words by language and key. English is complete; a language that lacks
// a key says it in English.
type catalogues struct {
	byTag   map[string]map[string]string
	tags    []language.Tag // English first: the fallback
	matcher language.Matcher
}

const fallback = "en"

func loadCatalogues(files fs.FS) (*catalogues, error) {
	names, err := fs.Glob(files, "locales/*.json")
	if err != nil {
		return nil, err
	}
	c := &catalogues{byTag: map[string]map[string]string{}, tags: []language.Tag{language.English}}
	for _, name := range names {
		tag := strings.TrimSuffix(path.Base(name), ".json")
		parsed, err := language.Parse(tag)
		if err != nil {
			return nil, fmt.Errorf("%s: the name is no language tag: %w", name, err)
		}
		body, err := fs.ReadFile(files, name)
		if err != nil {
			return nil, err
		}
		words := map[string]string{}
		if err := json.Unmarshal(body, &words); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		c.byTag[tag] = words
		if tag != fallback {
			c.tags = append(c.tags, parsed)
		}
	}
	if c.byTag[fallback] == nil {
		return nil, fmt.Errorf("locales/%s.json is missing", fallback)
	}
	slices.SortStableFunc(c.tags[1:], func(a, b language.Tag) int { return strings.Compare(a.String(), b.String()) })
	c.matcher = language.NewMatcher(c.tags)
	return c, nil
}

// Match returns the language we have that suits an Accept-Language header best. Long
// headers are nobody's wish and get the default.
func (s *Set) Match(header string) string {
	if len(header) > 200 {
		return fallback
	}
	_, i := language.MatchStrings(s.words.matcher, header)
	return s.words.tags[i].String()
}

func (c *catalogues) find(locale, key string) (string, bool) {
	if t, ok := c.byTag[locale][key]; ok {
		return t, true
	}
	t, ok := c.byTag[fallback][key]
	return t, ok
}

// say returns the words of a key with its places filled. An unknown key is said as it is,
// which a test finds.
func (c *catalogues) say(locale, key string, pairs []any) string {
	t, ok := c.find(locale, key)
	if !ok {
		return "⟦" + key + "⟧"
	}
	if len(pairs) == 0 {
		return t
	}
	fill := make([]string, 0, len(pairs))
	for i := 0; i+1 < len(pairs); i += 2 {
		fill = append(fill, fmt.Sprintf("{%v}", pairs[i]), fmt.Sprint(pairs[i+1]))
	}
	return strings.NewReplacer(fill...).Replace(t)
}

var forms = map[plural.Form]string{plural.Zero: "zero", plural.One: "one", plural.Two: "two", plural.Few: "few", plural.Many: "many"}

func (c *catalogues) count(locale, key string, n int, pairs []any) string {
	form, ok := forms[plural.Cardinal.MatchPlural(language.Make(locale), n, 0, 0, 0, 0)]
	if _, known := c.find(locale, key+"."+form); !ok || !known {
		form = "other"
	}
	return c.say(locale, key+"."+form, append([]any{"n", n}, pairs...))
}

// Say returns the words of a key in a language, for what is no page; pairs fill its {places}.
func (s *Set) Say(locale, key string, pairs ...any) string { return s.words.say(locale, key, pairs) }

// Words returns the words of those keys that keep wants, in a language; English stands in for
// what that lacks.
func (s *Set) Words(locale string, keep func(key string) bool) map[string]string {
	words := map[string]string{}
	for _, tag := range []string{fallback, locale} {
		for key, text := range s.words.byTag[tag] {
			if keep(key) {
				words[key] = text
			}
		}
	}
	return words
}

// Locales returns the languages that there are words in, English first.
func (s *Set) Locales() []string {
	var all []string
	for _, tag := range s.words.tags {
		all = append(all, tag.String())
	}
	return all
}
