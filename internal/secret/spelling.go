package secret

import (
	"encoding/base64"
	"math/bits"
	"strconv"
	"strings"

	"golang.org/x/crypto/bcrypt"
)

func parseBcrypt(s string) (hashed, error) {
	cost, err := bcrypt.Cost([]byte(s))
	if err != nil || len(s) != 60 || !onlyOf(s[7:], bcryptAlphabet) {
		return nil, errHashUnknown
	}
	if cost < minBcrypt || cost > maxBcrypt {
		return nil, errHashCost
	}
	return bcrypted(s), nil
}

const bcryptAlphabet = "./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

func onlyOf(s, alphabet string) bool {
	return strings.Trim(s, alphabet) == "" // Trim stops at the first stranger
}

// parts: "", kind, "v=19", "m=…,t=…,p=…", salt, hash.
func parseArgon(parts []string) (hashed, error) {
	if len(parts) != 6 || parts[2] != "v=19" {
		return nil, errHashUnknown
	}
	named, ok := params(parts[3], "m", "t", "p")
	m, t, p := number(named["m"]), number(named["t"]), number(named["p"])
	if !ok || m < 1 || t < 1 || p < 1 {
		return nil, errHashUnknown
	}
	if m > maxArgonMemory || t > maxArgonWork/m || p > maxArgonLanes || m < 8*p {
		return nil, errHashCost
	}
	salt, hash, ok := ends(parts[4], parts[5])
	if !ok {
		return nil, errHashUnknown
	}
	//nolint:gosec // the numbers were bounded just above
	return argon{kind: parts[1], memory: uint32(m), time: uint32(t), threads: uint8(p), salt: salt, hash: hash}, nil
}

// parts: "", "scrypt", "ln=…,r=…,p=…", salt, hash.
func parseScrypt(parts []string) (hashed, error) {
	if len(parts) != 5 {
		return nil, errHashUnknown
	}
	named, ok := params(parts[2], "ln", "r", "p")
	ln, r, p := number(named["ln"]), number(named["r"]), number(named["p"])
	salt, hash, good := ends(parts[3], parts[4])
	if !ok || !good || ln < 1 || r < 1 || p < 1 {
		return nil, errHashUnknown
	}
	if !scryptAffordable(ln, r, p) {
		return nil, errHashCost
	}
	return scrypted{n: 1 << ln, r: r, p: p, salt: salt, hash: hash}, nil
}

// parts: "", "fbscrypt", "v=1,n=…,r=…,p=…,ss=…,sk=…", salt, hash. The hash is as long as the signer key.
func parseFirebase(parts []string) (hashed, error) {
	if len(parts) != 5 {
		return nil, errHashUnknown
	}
	named, ok := params(parts[2], "v", "n", "r", "p", "ss", "sk")
	n, r, p := number(named["n"]), number(named["r"]), number(named["p"])
	salt, hash, good := ends(parts[3], parts[4])
	separator, fine := unbase64(named["ss"])
	signer, known := unbase64(named["sk"])
	if !ok || !good || !fine || !known || named["v"] != "1" || n < 1 || r < 1 || p < 1 ||
		len(signer) == 0 || len(signer) != len(hash) || len(separator) > maxForeignSalt {
		return nil, errHashUnknown
	}
	if !scryptAffordable(n, r, p) {
		return nil, errHashCost
	}
	return scrypted{n: 1 << n, r: r, p: p, salt: salt, separator: separator, signer: signer, hash: hash}, nil
}

func scryptAffordable(ln, r, p int) bool {
	if ln >= bits.Len(maxScryptWork) || ln < 10 {
		return false
	}
	room := maxScryptWork >> ln
	return r <= room && p <= room/r
}

// parts: "", kind, "i=600000,l=32" or "600000", salt, hash.
func parsePBKDF2(parts []string) (hashed, error) {
	if len(parts) != 5 {
		return nil, errHashUnknown
	}
	rounds := number(parts[2])
	if strings.Contains(parts[2], "=") {
		length := ""
		named, ok := params(parts[2], "i")
		if !ok {
			named, ok = params(parts[2], "i", "l")
			length = named["l"]
		}
		rounds = number(named["i"])
		if !ok || length != "" && number(length) < 0 {
			return nil, errHashUnknown
		}
	}
	salt, hash, ok := ends(parts[3], parts[4])
	if !ok {
		return nil, errHashUnknown
	}
	return boundedPBKDF2(parts[1], rounds, salt, hash)
}

// parts: "pbkdf2_sha256", rounds, salt as text, hash.
func parseDjango(parts []string) (hashed, error) {
	if len(parts) != 4 || len(parts[2]) < minForeignSalt || len(parts[2]) > maxForeignSalt {
		return nil, errHashUnknown
	}
	hash, ok := unbase64(parts[3])
	if !ok || len(hash) < minForeignHash || len(hash) > maxForeignHash {
		return nil, errHashUnknown
	}
	return boundedPBKDF2(parts[0], number(parts[1]), []byte(parts[2]), hash)
}

func boundedPBKDF2(kind string, rounds int, salt, hash []byte) (hashed, error) {
	digest, ok := digests[kind]
	if !ok || rounds < 0 {
		return nil, errHashUnknown
	}
	if rounds < minRounds || rounds > maxRounds {
		return nil, errHashCost
	}
	return pbkdf{digest: digest, rounds: rounds, salt: salt, hash: hash}, nil
}

// params reads "a=1,b=2" with exactly these names, each once, in any order.
func params(s string, names ...string) (map[string]string, bool) {
	found := make(map[string]string, len(names))
	for pair := range strings.SplitSeq(s, ",") {
		name, value, ok := strings.Cut(pair, "=")
		if _, twice := found[name]; !ok || twice {
			return nil, false
		}
		found[name] = value
	}
	for _, name := range names {
		if _, ok := found[name]; !ok {
			return nil, false
		}
	}
	return found, len(found) == len(names)
}

// number reads a plain decimal of at most nine digits; anything else is -1.
func number(s string) int {
	if s == "" || len(s) > 9 || strings.Trim(s, "0123456789") != "" {
		return -1
	}
	n, err := strconv.Atoi(s)
	if err != nil {
		return -1
	}
	return n
}

func ends(salt, hash string) (s, h []byte, ok bool) {
	s, good := unbase64(salt)
	h, fine := unbase64(hash)
	return s, h, good && fine && len(s) >= minForeignSalt && len(s) <= maxForeignSalt &&
		len(h) >= minForeignHash && len(h) <= maxForeignHash
}

// unbase64 reads standard base64 with or without padding, and passlib's with "." for "+".
func unbase64(s string) ([]byte, bool) {
	s = strings.ReplaceAll(strings.TrimRight(s, "="), ".", "+")
	if strings.ContainsAny(s, "\r\n") {
		return nil, false
	}
	b, err := base64.RawStdEncoding.DecodeString(s)
	return b, err == nil
}
