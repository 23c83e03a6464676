package config

import (
	"strconv"
	"strings"
	"time"

	"idp/internal/secret"
)

// Line is one key with its value in force and where that came from.
type Line struct {
	Key    string `json:"key"`
	Value  string `json:"value"` // a secret is dots, or "" if there is none
	Origin Origin `json:"origin"`
}

// Explain returns every key, in the order of the manual.
func (c Config) Explain() []Line {
	var lines []Line
	for _, k := range Keys() {
		l := Line{Key: k.Name, Origin: c.origins[k.Name]}
		switch at := k.at(&c).(type) {
		case *string:
			l.Value = *at
		case *bool:
			l.Value = strconv.FormatBool(*at)
		case *int:
			l.Value = strconv.Itoa(*at)
		case *time.Duration:
			l.Value = at.String()
		case *[]string:
			l.Value = strings.Join(*at, ", ")
		case *secret.String:
			if !at.Empty() {
				l.Value = at.String()
			}
		}
		lines = append(lines, l)
	}
	return lines
}
