package session

import "github.com/mileusna/useragent"

// Describe says which browser on which system a User-Agent names ("Chrome · macOS"), "" if
// it names neither. Whoever sends the header chooses the words: a mail must tame them.
func Describe(userAgent string) string {
	ua := useragent.Parse(userAgent)
	switch {
	case ua.Name != "" && ua.OS != "":
		return ua.Name + " · " + ua.OS
	case ua.Name != "":
		return ua.Name
	}
	return ua.OS
}
