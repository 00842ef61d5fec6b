package wassenger

import (
	"slices"
	"strings"
)

// firstPhone returns the first of the candidates that is a phone number, in
// E.164. A candidate is a number with or without "+", or a WhatsApp id ending in
// "@c.us". A hidden id ("…@lid") is never a phone number, not even where the
// payload repeats it without its ending.
func firstPhone(hidden []text, candidates ...text) string {
	for _, c := range candidates {
		if d := phoneDigits(string(c)); d != "" && !slices.Contains(hidden, text(d+"@lid")) {
			return "+" + d
		}
	}
	return ""
}

// phoneDigits returns the 8 to 15 digits of an international number, or "".
func phoneDigits(s string) string {
	s, server, isID := strings.Cut(strings.TrimSpace(s), "@")
	if isID && server != "c.us" {
		return ""
	}
	s = strings.Map(withoutSpacing, s)
	s = strings.TrimPrefix(strings.TrimPrefix(s, "+"), "00")
	if len(s) < 8 || len(s) > 15 || s[0] == '0' {
		return ""
	}
	for _, r := range s {
		if r < '0' || r > '9' {
			return ""
		}
	}
	return s
}

// withoutSpacing drops, for strings.Map, what people put between digits.
func withoutSpacing(r rune) rune {
	if strings.ContainsRune(" -().", r) {
		return -1
	}
	return r
}
