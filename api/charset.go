package api

import (
	"errors"
	"slices"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
)

// charset is how the texts of a file are written. Delimiters, quotes and line
// ends are the same bytes in all of them, so that a file is cut into cells
// before it is decoded. It is known before its end: a byte order mark decides,
// else the first row that is not ASCII. Valid UTF-8 is UTF-8: hardly any word in
// another charset looks like it.
type charset int

const (
	undecided charset = iota
	utf8Text
	windows1252 // with Latin-1, which it extends
)

// decode makes UTF-8 of a row's cells, in place.
func (c *charset) decode(cells []string) error {
	valid := !slices.ContainsFunc(cells, func(cell string) bool { return !utf8.ValidString(cell) })
	switch {
	case *c == undecided && !valid:
		*c = windows1252
	case *c == undecided && slices.ContainsFunc(cells, notASCII):
		*c = utf8Text
	case *c == utf8Text && !valid:
		return errors.New("is not UTF-8, which the rows before it are")
	}
	if valid {
		return nil
	}
	for i, cell := range cells {
		if utf8.ValidString(cell) {
			continue
		}
		decoded, err := charmap.Windows1252.NewDecoder().String(cell)
		if err != nil {
			return errors.New("is neither UTF-8 nor Latin-1")
		}
		cells[i] = decoded
	}
	return nil
}

func notASCII(text string) bool {
	for i := range len(text) {
		if text[i] >= utf8.RuneSelf {
			return true
		}
	}
	return false
}
