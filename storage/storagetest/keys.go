package storagetest

import (
	"crypto"
	"strings"
	"sync"

	"idp/token"
)

// poolSize is more than the RSA keys any one test needs.
const poolSize = 24

var pool struct {
	mu   sync.Mutex
	next int
	keys []crypto.Signer
}

// Private is a token.KeySet's Make that does not spend a quarter of a second on each RSA
// key: it hands out those this process has made already, in turn. All others are fresh.
func Private(algorithm string) (crypto.Signer, error) {
	if !strings.HasPrefix(algorithm, "RS") && !strings.HasPrefix(algorithm, "PS") {
		return token.NewPrivate(algorithm)
	}
	pool.mu.Lock()
	defer pool.mu.Unlock()
	if len(pool.keys) < poolSize {
		key, err := token.NewPrivate(algorithm)
		if err != nil {
			return nil, err
		}
		pool.keys = append(pool.keys, key)
		return key, nil
	}
	pool.next = (pool.next + 1) % poolSize
	return pool.keys[pool.next], nil
}
