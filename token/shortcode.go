package token

import (
	"encoding/json"
	"errors"
	"strings"
	"unicode"
	"unicode/utf8"
)

// A shortcode is {{ operand || operand … }} inside a string. An operand is the path of a fact
// or a literal: a text in single quotes (two of them stand for one), a number, true, false,
// null. A literal can only be the last. {{ itself is written {{'{{'}}.

// string makes a node of a string that begins at a byte of the text.
func (r *reader) string(at int, s string) (node, error) {
	if !strings.Contains(s, "{{") {
		return fixed{s}, nil
	}
	var m mixed
	for i := 0; i < len(s); {
		open := strings.Index(s[i:], "{{")
		if open < 0 {
			m = append(m, part{text: s[i:]})
			break
		}
		if open > 0 {
			m = append(m, part{text: s[i : i+open]})
		}
		p := &shortcode{s: s, at: i + open + 2, open: i + open}
		c, err := p.choice()
		var wrong *misspelt
		if errors.As(err, &wrong) {
			return nil, r.mistake(r.raw(at, wrong.at), "%s", wrong.says)
		}
		if r.codes++; r.codes > maxShortcodes {
			return nil, r.mistake(r.raw(at, p.open), "There are more than %d shortcodes.", maxShortcodes)
		}
		m = append(m, part{choice: c})
		i = p.at
	}
	if len(m) == 1 {
		return whole{m[0].choice}, nil
	}
	for _, p := range m {
		for _, o := range p.choice {
			if o.fact != nil && (o.fact.kind == texts || o.fact.kind == members && len(o.rest) == 0) {
				return nil, r.mistake(at, "%s is %s, which cannot stand inside text: let it be the whole string.", o.fact.name, articled(o.fact.kind))
			}
		}
	}
	return m, nil
}

func articled(k kind) string {
	if k == members {
		return "an object"
	}
	return "a list"
}

// raw returns where in the text the string that begins there has its n-th byte: escapes are
// longer than what they stand for.
func (r *reader) raw(at, n int) int {
	at++ // the quote
	for n > 0 && at < len(r.text) {
		if r.text[at] != '\\' {
			_, size := utf8.DecodeRune(r.text[at:])
			at, n = at+size, n-size
			continue
		}
		size := 2
		if r.text[at+1] == 'u' {
			size = 6
			if at+12 <= len(r.text) && r.text[at+6] == '\\' && (r.text[at+2]|0x20) == 'd' && strings.IndexByte("89abAB", r.text[at+3]) >= 0 {
				size = 12 // two halves of one character
			}
		}
		var one string
		if json.Unmarshal([]byte(`"`+string(r.text[at:min(at+size, len(r.text))])+`"`), &one) != nil {
			return at
		}
		at, n = at+size, n-len(one)
	}
	return at
}

// misspelt is a mistake inside a string.
type misspelt struct {
	at   int
	says string
}

func (m *misspelt) Error() string { return m.says }

// shortcode reads one of them, in s from at on.
type shortcode struct {
	s        string
	at, open int
}

func (p *shortcode) choice() (choice, error) {
	var c choice
	for {
		p.space()
		start := p.at
		o, err := p.operand()
		if err != nil {
			return nil, err
		}
		if n := len(c); n > 0 && c[n-1].fact == nil {
			return nil, &misspelt{start, "This is never reached: what stands before it is always there."}
		}
		c = append(c, o)
		p.space()
		switch rest := p.s[p.at:]; {
		case strings.HasPrefix(rest, "}}"):
			p.at += 2
			return c, nil
		case strings.HasPrefix(rest, "||"):
			p.at += 2
		case rest == "":
			return nil, p.unclosed()
		case rest[0] == '|':
			return nil, &misspelt{p.at, "Fallbacks are written with ||."}
		default:
			return nil, &misspelt{p.at, "Here || or }} is expected."}
		}
	}
}

func (p *shortcode) unclosed() error {
	return &misspelt{p.open, "This {{ is not closed by }}. Braces that mean themselves are written {{'{{'}}."}
}

func (p *shortcode) space() {
	for p.at < len(p.s) {
		c, size := utf8.DecodeRuneInString(p.s[p.at:])
		if !unicode.IsSpace(c) {
			return
		}
		p.at += size
	}
}

func (p *shortcode) operand() (operand, error) {
	start := p.at
	if start == len(p.s) {
		return operand{}, p.unclosed()
	}
	if p.s[start] == '\'' {
		return p.quoted()
	}
	end := strings.IndexFunc(p.s[start:], func(c rune) bool { return unicode.IsSpace(c) || strings.ContainsRune("|{}'", c) })
	if end < 0 {
		end = len(p.s) - start
	}
	word := p.s[start : start+end]
	p.at += end
	switch {
	case word == "":
		return operand{}, &misspelt{start, "A shortcode names a fact, like {{user.id}}."}
	case word == "true" || word == "false":
		return operand{literal: word == "true"}, nil
	case word == "null":
		return operand{}, nil
	case strings.ContainsRune("\"`“”‘’", []rune(word)[0]):
		return operand{}, &misspelt{start, "A text is in single quotes, like {{user.name || 'nobody'}}."}
	case word[0] == '-' || '0' <= word[0] && word[0] <= '9':
		if !json.Valid([]byte(word)) || !readable64(word) {
			return operand{}, &misspelt{start, word + " is not a number."}
		}
		return operand{literal: json.Number(word)}, nil
	}
	f, rest, says := find(word)
	if says != "" {
		return operand{}, &misspelt{start, says}
	}
	return operand{fact: f, rest: rest}, nil
}

func (p *shortcode) quoted() (operand, error) {
	start := p.at
	var b strings.Builder
	for i := start + 1; i < len(p.s); i++ {
		if p.s[i] != '\'' {
			b.WriteByte(p.s[i])
			continue
		}
		if i+1 < len(p.s) && p.s[i+1] == '\'' {
			b.WriteByte('\'')
			i++
			continue
		}
		p.at = i + 1
		return operand{literal: b.String()}, nil
	}
	return operand{}, &misspelt{start, "This text is not closed by a single quote."}
}

// speaker judges what a template with its own key says of who issues and who is spoken of:
// nothing that a person could write to become somebody else.
func (r *reader) speaker(at int, name string, n node) error {
	if f, ok := n.(fixed); ok {
		if s, ok := f.v.(string); ok && s != "" {
			return nil
		}
		return r.mistake(at, "%q is a text.", name)
	}
	var choices []choice
	switch n := n.(type) {
	case whole:
		choices = []choice{n.choice}
	case mixed:
		for _, p := range n {
			choices = append(choices, p.choice)
		}
	default:
		return r.mistake(at, "%q is a text.", name)
	}
	if name == "iss" {
		return r.mistake(at, "\"iss\" is the same for everybody: it takes no shortcodes.")
	}
	for _, c := range choices {
		for _, o := range c {
			switch {
			case o.fact == nil:
				return r.mistake(at, "\"sub\" without a fact behind it would make different people one: leave the fallback out.")
			case o.fact.by == person:
				return r.mistake(at, "\"sub\" cannot be %s, which people write themselves: take user.id or user.external_id.", o.fact.name)
			case o.fact.kind != text && o.fact.kind != any_:
				return r.mistake(at, "\"sub\" is a text: take user.id or user.external_id.")
			}
		}
	}
	return nil
}
