package api

import "strings"

// Spreadsheets run cells that begin like a formula, whoever wrote them
// (OWASP, "CSV Injection"). What we write is kept from that by an apostrophe
// before it, and what we read loses it again. A text that has apostrophes before
// such a beginning gets one more, so that every text is read back as it was.
const formulaBeginnings = "=+-@\t\r"

// guarded is a text as it is safe in a spreadsheet.
func guarded(text string) string {
	if beginsFormula(strings.TrimLeft(text, "'")) {
		return "'" + text
	}
	return text
}

// unguarded is what guarded was given.
func unguarded(text string) string {
	if rest, ok := strings.CutPrefix(text, "'"); ok && beginsFormula(strings.TrimLeft(rest, "'")) {
		return rest
	}
	return text
}

func beginsFormula(text string) bool {
	return text != "" && strings.IndexByte(formulaBeginnings, text[0]) >= 0
}
