package templates

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"path"
	"strings"
)

// Asset is a style or script, ready to be sent.
type Asset struct {
	Type string // media type
	Body []byte
}

var mediaTypes = map[string]string{
	".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml",
}

// loadAssets names each file by the digest of what it says, so that it may be kept for ever.
func loadAssets(files fs.FS) (byHash map[string]Asset, hashed map[string]string, err error) {
	names, err := fs.Glob(files, "assets/*")
	if err != nil {
		return nil, nil, err
	}
	byHash, hashed = map[string]Asset{}, map[string]string{}
	for _, name := range names {
		body, err := fs.ReadFile(files, name)
		if err != nil {
			return nil, nil, err
		}
		ext := path.Ext(name)
		kind, ok := mediaTypes[ext]
		if !ok {
			return nil, nil, fmt.Errorf("%s: assets are .css, .js or .svg", name)
		}
		sum := sha256.Sum256(body)
		plain := path.Base(name)
		full := strings.TrimSuffix(plain, ext) + "." + hex.EncodeToString(sum[:6]) + ext
		byHash[full], hashed[plain] = Asset{Type: kind, Body: body}, full
	}
	return byHash, hashed, nil
}

// Asset returns the file of that hashed name.
func (s *Set) Asset(hashedName string) (Asset, bool) {
	a, ok := s.assets[hashedName]
	return a, ok
}
