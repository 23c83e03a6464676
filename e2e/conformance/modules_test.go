package conformance

import (
	"slices"
	"sync"
)

var onlyFront = []string{"id_token", "id_token token"}

// modules are all modules by name.
var modules = sync.OnceValue(func() map[string]module {
	all := map[string]module{}
	for _, m := range slices.Concat(coreModules, signInModules, requestModules, claimModules, codeAndTokenModules, dynamicModules,
		logoutModules, channelModules, thirdPartyModules) {
		if _, twice := all[m.name]; twice {
			panic("two modules are called " + m.name)
		}
		all[m.name] = m
	}
	return all
})
