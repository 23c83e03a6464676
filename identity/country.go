package identity

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/nyaruka/phonenumbers"
)

// Countries are those whose numbers may be written to; none at all means every country.
type Countries struct {
	regions []string
	codes   []int32
}

// ParseCountries reads ISO 3166 codes (GB) and calling codes (+44).
func ParseCountries(list []string) (Countries, error) {
	var c Countries
	known := phonenumbers.GetSupportedRegions()
	for _, s := range list {
		digits, calling := strings.CutPrefix(s, "+")
		if !calling && known[s] {
			c.regions = append(c.regions, s)
			continue
		}
		n, err := strconv.ParseInt(digits, 10, 16)
		if !calling || err != nil || !phonenumbers.GetSupportedCallingCodes()[int(n)] {
			return Countries{}, fmt.Errorf("%q is no country with phone numbers: spell it like GB or +44", s)
		}
		c.codes = append(c.codes, int32(n))
	}
	return c, nil
}

// dear are kinds of numbers that cost whoever writes to them, or reach no single person.
var dear = []phonenumbers.PhoneNumberType{
	phonenumbers.PREMIUM_RATE, phonenumbers.SHARED_COST, phonenumbers.PERSONAL_NUMBER,
	phonenumbers.UAN, phonenumbers.PAGER, phonenumbers.VOICEMAIL,
}

// Reach reports whether that number may be written to: its country is one of these, and it
// is of no kind that is dear.
func (c Countries) Reach(number Identifier) bool {
	n, err := phonenumbers.Parse(number.Value, phonenumbers.UNKNOWN_REGION)
	if err != nil || number.Kind != Phone {
		return false
	}
	if slices.Contains(dear, phonenumbers.GetNumberType(n)) {
		return false
	}
	return len(c.regions)+len(c.codes) == 0 || slices.Contains(c.codes, n.GetCountryCode()) ||
		slices.Contains(c.regions, phonenumbers.GetRegionCodeForNumber(n))
}
