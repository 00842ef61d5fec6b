package api

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"pgregory.net/rapid"
)

func TestPhoneNumbersAreWrittenInE164(t *testing.T) {
	for _, c := range []struct{ raw, country, want string }{
		{"+33639980001", "", "+33639980001"},
		{" +33 6 39 98 00 01 ", "", "+33639980001"},
		{"+33 (0)6 39 98 00 01", "", "+33639980001"},
		{"+33\u00a06\u202f39.98-00/01", "", "+33639980001"},
		{"0033639980001", "", "+33639980001"},
		{"0033 639980001", "DE", "+33639980001"},
		{"06 39 98 00 01", "FR", "+33639980001"},
		{"639980001", "FR", "+33639980001"},
		{"33639980001", "FR", "+33639980001"},
		{"+44 7700 900123", "FR", "+447700900123"},
		{"07700 900123", "GB", "+447700900123"},
		{"(202) 555-0123", "US", "+12025550123"},
		{"0470 12 34 56", "BE", "+32470123456"},
	} {
		got, err := normalizePhone(c.raw, c.country)
		assert.NoError(t, err, c.raw)
		assert.Equal(t, c.want, got, c.raw)
	}
	for _, c := range []struct{ raw, country, why string }{
		{"", "", "empty"},
		{"  ", "FR", "empty"},
		{"0639980001", "", "no country code"},
		{"33639980001", "", "no country code"},
		{"hello", "FR", "not a phone number"},
		{"3.3639980E+10", "FR", "not a phone number"},
		{"+33639980001 ext. 5", "", "not a phone number"},
		{"call +33639980001", "", "not a phone number"},
		{"+33639980001,+33639980002", "", "not a phone number"},
		{"+999123456789", "", "does not exist"},
		{"+0639980001", "", "does not exist"},
		{"+33 1 23", "", "too short"},
		{"+3363998000123", "", "too long"},
		{"112", "FR", "too short"},
		{"+", "", "not a phone number"},
		{"()", "FR", "not a phone number"},
	} {
		_, err := normalizePhone(c.raw, c.country)
		assert.ErrorContains(t, err, c.why, "%q", c.raw)
	}
}

func TestAWrittenNumberStaysAsItIs(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		raw := rapid.OneOf(
			rapid.StringMatching(`(\+|00|0)?[1-9][0-9 ().\-]{3,16}`), rapid.String(),
		).Draw(t, "raw")
		country := rapid.SampledFrom([]string{"", "FR", "US", "BR", "DE"}).Draw(t, "country")
		written, err := normalizePhone(raw, country)
		if err != nil {
			return
		}
		assert.Regexp(t, `^\+[1-9][0-9]{6,14}$`, written)
		again, err := normalizePhone(written, country)
		assert.NoError(t, err)
		assert.Equal(t, written, again)
	})
}

func TestCountriesAreTwoLetters(t *testing.T) {
	for raw, want := range map[string]string{"": "", "FR": "FR", " fr ": "FR"} {
		got, err := normalizeCountry(raw)
		assert.NoError(t, err)
		assert.Equal(t, want, got)
	}
	for _, bad := range []string{"XX", "FRA", "33", "\x00\x00"} {
		_, err := normalizeCountry(bad)
		assert.Error(t, err, bad)
	}
}
