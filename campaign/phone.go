package campaign

import "strings"

// PhoneSpellings lists the ways in which WhatsApp may write a number in E.164:
// first the number as given, then the others. Mobile numbers of Mexico (+52 1),
// Argentina (+54 9) and Brazil (the ninth digit) come with and without a part
// that the network takes for optional.
func PhoneSpellings(phone string) []string {
	for _, s := range optionalParts {
		rest, ok := strings.CutPrefix(phone, s.prefix)
		if !ok || len(rest) < s.area {
			continue
		}
		area, local := rest[:s.area], rest[s.area:]
		switch shorter, has := strings.CutPrefix(local, s.part); {
		case has && len(area)+len(shorter) == s.length:
			return []string{phone, s.prefix + area + shorter}
		case len(rest) == s.length:
			return []string{phone, s.prefix + area + s.part + local}
		}
	}
	return []string{phone}
}

// optionalParts says for a country where a number may have one more part: after
// the area code of so many digits, in a number that has length digits without it.
var optionalParts = []struct {
	prefix string
	area   int
	part   string
	length int
}{
	{prefix: "+52", area: 0, part: "1", length: 10},
	{prefix: "+54", area: 0, part: "9", length: 10},
	{prefix: "+55", area: 2, part: "9", length: 10},
}
