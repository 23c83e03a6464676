package storage

import (
	"encoding/json"
	"fmt"
)

// encode writes a value for a text column that holds JSON. What idp keeps so always encodes.
func encode[T any](v T) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic(fmt.Sprintf("storage: encode %T: %v", v, err))
	}
	return string(b)
}

// decode reads what encode wrote. A column that does not decode is named in the error.
func decode[T any](column, text string, into *T) error {
	if err := json.Unmarshal([]byte(text), into); err != nil {
		return fmt.Errorf("decode %s: %w", column, err)
	}
	return nil
}
