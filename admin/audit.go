package admin

import (
	"maps"
	"slices"
)

// about is the detail of an event about what is called name, with what there is to say beside.
func about(noun, name string, more map[string]string) map[string]string {
	detail := map[string]string{noun: name}
	for k, v := range more {
		if v != "" {
			detail[k] = v
		}
	}
	return detail
}

// unlike names the members that differ or that only one of the two has, for the audit trail.
func unlike(was, is map[string]string) []string {
	all := maps.Clone(was)
	maps.Copy(all, is)
	maps.DeleteFunc(all, func(k, _ string) bool { return was[k] == is[k] })
	return slices.Sorted(maps.Keys(all))
}
