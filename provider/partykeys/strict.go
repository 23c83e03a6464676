package partykeys

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strings"
)

const maxDepth = 32

var errObject = errors.New("not one JSON object whose members each occur once")

// plainObject refuses what two readers could read differently: anything but one JSON
// object, members that occur twice anywhere, and at the top members that differ in case alone.
func plainObject(text []byte) error {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	first, err := d.Token()
	if err != nil || first != json.Delim('{') {
		return errObject
	}
	if err := object(d, 1); err != nil {
		return err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errObject
	}
	return nil
}

// object reads the rest of an object.
func object(d *json.Decoder, depth int) error {
	seen := map[string]bool{}
	for d.More() {
		t, err := d.Token()
		name, ok := t.(string)
		if err != nil || !ok {
			return errObject
		}
		if depth == 1 {
			name = strings.ToLower(name)
		}
		if seen[name] {
			return errObject
		}
		seen[name] = true
		if err := value(d, depth); err != nil {
			return err
		}
	}
	_, err := d.Token()
	return err
}

func value(d *json.Decoder, depth int) error {
	t, err := d.Token()
	if err != nil {
		return errObject
	}
	switch t {
	case json.Delim('{'):
		if depth == maxDepth {
			return errObject
		}
		return object(d, depth+1)
	case json.Delim('['):
		if depth == maxDepth {
			return errObject
		}
		for d.More() {
			if err := value(d, depth+1); err != nil {
				return err
			}
		}
		_, err := d.Token()
		return err
	}
	return nil
}
