package message

import (
	"strings"
	"unicode/utf16"
)

// A text that keeps to the alphabet of GSM 03.38 is one SMS up to 160 characters, and 153 a
// part beyond; any other character makes it 70, and 67 a part. Every part is paid for.
const (
	gsmOne, gsmPart   = 160, 153
	wideOne, widePart = 70, 67
)

// The characters of GSM 03.38; those of the extension table take two places.
const (
	gsmAlphabet = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
	gsmExtended = "^{}\\[~]|€"
)

// Parts says how many SMS a text is sent as, and so how many are paid for.
func Parts(text string) int {
	length, one, part := 0, gsmOne, gsmPart
	for _, r := range text {
		switch {
		case strings.ContainsRune(gsmAlphabet, r):
			length++
		case strings.ContainsRune(gsmExtended, r):
			length += 2
		default:
			length, one, part = len(utf16.Encode([]rune(text))), wideOne, widePart
		}
		if one == wideOne {
			break
		}
	}
	if length <= one {
		return 1
	}
	return (length + part - 1) / part
}
