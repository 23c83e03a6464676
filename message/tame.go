package message

import (
	"slices"
	"strings"
	"unicode"
)

const maxWords = 60 // characters of what others chose to be called

// tame makes what others called themselves harmless in a mail of ours: short, on one line,
// and nothing that a mail program would turn into a link. Anybody may register an app
// named "Click http://…", and our mail must not carry that for them.
func tame(s string) string {
	words := slices.DeleteFunc(strings.FieldsFunc(s, blank), func(word string) bool {
		return strings.ContainsAny(word, `/\@:`) || strings.HasPrefix(strings.ToLower(word), "www.")
	})
	runes := []rune(strings.Join(words, " "))
	out := make([]rune, 0, len(runes))
	for i, r := range runes {
		out = append(out, r)
		if dot(r) && i+1 < len(runes) && runes[i+1] != ' ' {
			out = append(out, ' ') // "evil.example" would become a link, "evil. example" does not
		}
	}
	if len(out) > maxWords {
		out = append(out[:maxWords-1], '…')
	}
	return string(out)
}

const maxLabel = 32 // characters of a name that is shown as one

// label is tame for what stands as a name beside others of ours: shorter still, and without
// what ends a sentence or dials a number.
func label(s string) string {
	digits := 0
	s = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsDigit(r):
			if digits++; digits > 6 {
				return -1
			}
			return r
		case unicode.IsLetter(r), unicode.IsMark(r), strings.ContainsRune(" .-_'’·,()", r):
			return r
		}
		return ' '
	}, tame(s))
	runes := []rune(strings.Join(strings.Fields(s), " "))
	if len(runes) > maxLabel {
		runes = append(runes[:maxLabel-1], '…')
	}
	return string(runes)
}

func blank(r rune) bool {
	return unicode.IsSpace(r) || unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || r == unicode.ReplacementChar
}

// dot reports what browsers read as the dot of a host name.
func dot(r rune) bool { return strings.ContainsRune(".。．｡", r) }
