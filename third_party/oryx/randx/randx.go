// Package randx stands in for the random strings that fosite imports.
package randx

import (
	"crypto/rand"
	"errors"
	"math/big"
)

// AlphaUpper is the Latin alphabet in capitals.
const AlphaUpper = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"

// RuneSequence returns l runes drawn evenly from allowedRunes.
func RuneSequence(l int, allowedRunes []rune) ([]rune, error) {
	if len(allowedRunes) == 0 {
		return nil, errors.New("no runes to draw from")
	}
	size := big.NewInt(int64(len(allowedRunes)))
	seq := make([]rune, l)
	for i := range seq {
		n, err := rand.Int(rand.Reader, size)
		if err != nil {
			return nil, err
		}
		seq[i] = allowedRunes[n.Int64()]
	}
	return seq, nil
}
