package api

// plainPlans are countries where a number of this length that begins with one of
// these digits has no national prefix and is E.164 as it stands, by the
// metadata of the phonenumbers library. A test holds them against it.
var plainPlans = map[string]struct {
	digits int // after the country code
	first  string
}{
	"1":   {10, "23456789"},  // North America
	"32":  {9, "4"},          // Belgium, mobile
	"33":  {9, "123456789"},  // France
	"34":  {9, "56789"},      // Spain
	"41":  {9, "23456789"},   // Switzerland
	"44":  {10, "123456789"}, // United Kingdom
	"49":  {11, "1"},         // Germany, mobile
	"91":  {10, "6789"},      // India
	"212": {9, "5678"},       // Morocco
	"213": {9, "567"},        // Algeria
	"221": {9, "37"},         // Senegal
	"225": {10, "02"},        // Ivory Coast
	"351": {9, "29"},         // Portugal
}

// importedPhone is normalizePhone, at once for numbers that are normal already:
// a file has a million of them.
func importedPhone(raw, country string) (string, error) {
	if isPlainE164(raw) {
		return raw, nil
	}
	return normalizePhone(raw, country)
}

func isPlainE164(raw string) bool {
	if len(raw) < 9 || len(raw) > 16 || raw[0] != '+' {
		return false
	}
	for i := 1; i < len(raw); i++ {
		if raw[i] < '0' || raw[i] > '9' {
			return false
		}
	}
	for code := 1; code <= 3; code++ {
		if plan, ok := plainPlans[raw[1:1+code]]; ok {
			rest := raw[1+code:]
			for i := range len(plan.first) {
				if rest[0] == plan.first[i] {
					return len(rest) == plan.digits
				}
			}
			return false
		}
	}
	return false
}
