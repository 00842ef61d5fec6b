package api

import (
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/nyaruka/phonenumbers"
)

var (
	// phoneShape is what people write between digits. Anything else, such as a
	// spreadsheet's 3.36E+10, is not guessed at.
	phoneShape = regexp.MustCompile(`^\+?[0-9 \x{00a0}\x{202f}().\-/]+$`)
	separators = regexp.MustCompile(`[^0-9+]`)
	e164       = regexp.MustCompile(`^\+[1-9][0-9]{6,14}$`)
)

// normalizePhone writes a phone number in E.164. country, such as "FR", is that
// of numbers without a country code; without it those are refused. Numbers must
// have a length that their country uses: numbering plans change too often to ask
// more.
func normalizePhone(raw, country string) (string, error) {
	raw = strings.TrimSpace(raw)
	switch {
	case raw == "":
		return "", errors.New("must not be empty")
	case !phoneShape.MatchString(raw):
		return "", errors.New("is not a phone number; write it as +33639980001")
	}
	raw = separators.ReplaceAllString(raw, "")
	if rest, ok := strings.CutPrefix(raw, "00"); ok {
		raw = "+" + rest
	}
	if country == "" && !strings.HasPrefix(raw, "+") {
		return "", errors.New("has no country code; write it as +33639980001 or name the country")
	}
	number, err := phonenumbers.Parse(raw, country)
	switch {
	case errors.Is(err, phonenumbers.ErrInvalidCountryCode):
		return "", errors.New("begins with a country code that does not exist")
	case err != nil:
		return "", errors.New("is not a phone number; write it as +33639980001")
	}
	switch phonenumbers.IsPossibleNumberWithReason(number) {
	case phonenumbers.IS_POSSIBLE:
	case phonenumbers.TOO_SHORT, phonenumbers.IS_POSSIBLE_LOCAL_ONLY:
		return "", errors.New("is too short for its country")
	case phonenumbers.TOO_LONG:
		return "", errors.New("is too long for its country")
	default:
		return "", errors.New("does not have the length of a number of its country")
	}
	normal := phonenumbers.Format(number, phonenumbers.E164)
	if !e164.MatchString(normal) {
		return "", errors.New("is not a phone number that can be reached from abroad")
	}
	return normal, nil
}

// normalizeCountry checks a country's ISO 3166 code; "" stands for none.
func normalizeCountry(country string) (string, error) {
	country = strings.ToUpper(strings.TrimSpace(country))
	if country != "" && phonenumbers.GetCountryCodeForRegion(country) == 0 {
		return "", fmt.Errorf("must be a two-letter country code such as FR")
	}
	return country, nil
}
