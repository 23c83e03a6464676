package secret

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/pbkdf2"
	"crypto/sha1" //nolint:gosec // PBKDF2 with HMAC-SHA-1 is what some systems exported; it is replaced at the next sign-in
	"crypto/sha256"
	"crypto/sha512"
	"crypto/subtle"
	"hash"
	"strings"

	"golang.org/x/crypto/bcrypt"
	"golang.org/x/crypto/scrypt"

	"idp/internal/problem"
)

// What a foreign hash may cost us. Whoever supplies hashes must not be able to make
// signing in take seconds or gigabytes.
const (
	maxArgonMemory = 128 * 1024         // KiB
	maxArgonWork   = 4 * maxArgonMemory // KiB × passes
	maxArgonLanes  = 16
	minBcrypt      = 10
	maxBcrypt      = 14
	maxScryptWork  = 1 << 20 // N × r × p; at 128 bytes each also the memory
	minRounds      = 1_000   // PBKDF2
	maxRounds      = 2_000_000
	minForeignSalt = 4 // bytes
	maxForeignSalt = 128
	minForeignHash = 16
	maxForeignHash = 64
)

var (
	errHashUnknown = problem.New(problem.Invalid, "password_hash_unknown",
		"The password hash is empty or of a kind we cannot check. Known are bcrypt, scrypt, Firebase scrypt, PBKDF2, argon2i and argon2id.").On("password_hash")
	errHashCost = problem.New(problem.Invalid, "password_hash_cost",
		"The password hash asks for more, or less, work than is safe: bcrypt cost 10 to 14, argon2 up to 128 MiB, scrypt up to N·r·p = 2^20, PBKDF2 1000 to 2000000 rounds.").On("password_hash")
)

// CheckImported reports whether Verify can check a hash that comes from another system at
// a cost that is safe. It computes nothing. The spellings it knows:
//
//	$2a$ $2b$ $2y$                                         bcrypt
//	$argon2id$v=19$m=…,t=…,p=…$salt$hash                   also argon2i
//	$scrypt$ln=…,r=…,p=…$salt$hash                         scrypt (RFC 7914)
//	$fbscrypt$v=1,n=14,r=8,p=1,ss=…,sk=…$salt$hash         Firebase: ss is base64_salt_separator, sk is base64_signer_key
//	$pbkdf2-sha256$i=…$salt$hash                           also -sha1, -sha512; with or without "i=", and a trailing ",l=…"
//	$pbkdf2$… and $pbkdf2-sha256$29000$salt$hash           passlib, its base64 with "." for "+"
//	pbkdf2_sha256$260000$salt$hash                         Django; also pbkdf2_sha1
//
// The problem says whether the kind or the cost is wrong.
func CheckImported(hash String) error {
	_, err := parseHash(hash.Reveal())
	return err
}

// bcrypted is a bcrypt hash. Bcrypt sees 72 bytes and no more, so a longer password never
// matches: that what follows byte 72 should not count is nobody's wish. Such a person
// resets the password, once.
type bcrypted []byte

func (b bcrypted) ours() bool { return false }

func (b bcrypted) matches(password string) bool {
	return len(password) <= 72 && bcrypt.CompareHashAndPassword(b, []byte(password)) == nil
}

// scrypted is an scrypt hash (RFC 7914). With a signer it is Firebase's: the derived
// key encrypts the project's signer key, and that is the hash.
type scrypted struct {
	n, r, p         int
	salt, separator []byte
	signer          []byte
	hash            []byte
}

func (s scrypted) ours() bool { return false }

func (s scrypted) matches(password string) bool {
	length := len(s.hash)
	if s.signer != nil {
		length = 32
	}
	salt := append(append([]byte(nil), s.salt...), s.separator...)
	sum, err := scrypt.Key([]byte(password), salt, s.n, s.r, s.p, length)
	if err != nil {
		return false // the bounds make it impossible
	}
	if s.signer != nil {
		block, err := aes.NewCipher(sum)
		if err != nil {
			return false
		}
		sum = make([]byte, len(s.signer))
		counter := make([]byte, aes.BlockSize)
		cipher.NewCTR(block, counter).XORKeyStream(sum, s.signer) //nolint:gosec // Firebase counts from zero: each password's key encrypts once
	}
	return subtle.ConstantTimeCompare(sum, s.hash) == 1
}

// pbkdf is a PBKDF2 hash (RFC 8018).
type pbkdf struct {
	digest     func() hash.Hash
	rounds     int
	salt, hash []byte
}

func (p pbkdf) ours() bool { return false }

func (p pbkdf) matches(password string) bool {
	sum, err := pbkdf2.Key(p.digest, password, p.salt, p.rounds, len(p.hash))
	return err == nil && subtle.ConstantTimeCompare(sum, p.hash) == 1
}

var digests = map[string]func() hash.Hash{
	"pbkdf2":        sha1.New, // passlib's name for SHA-1
	"pbkdf2-sha1":   sha1.New,
	"pbkdf2-sha256": sha256.New,
	"pbkdf2-sha512": sha512.New,
	"pbkdf2_sha1":   sha1.New, // Django's spelling
	"pbkdf2_sha256": sha256.New,
}

// parseHash reads any hash we can check, bounded. No hash is longer than 1 KiB.
func parseHash(s string) (hashed, error) {
	if s == "" || len(s) > 1024 {
		return nil, errHashUnknown
	}
	parts := strings.Split(s, "$")
	if strings.HasPrefix(parts[0], "pbkdf2_") {
		return parseDjango(parts)
	}
	if parts[0] != "" || len(parts) < 4 {
		return nil, errHashUnknown
	}
	switch kind := parts[1]; kind {
	case "2a", "2b", "2y":
		return parseBcrypt(s)
	case "argon2id", "argon2i":
		return parseArgon(parts)
	case "scrypt":
		return parseScrypt(parts)
	case "fbscrypt":
		return parseFirebase(parts)
	case "pbkdf2", "pbkdf2-sha1", "pbkdf2-sha256", "pbkdf2-sha512":
		return parsePBKDF2(parts)
	}
	return nil, errHashUnknown
}
