package api

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"
)

// storable says why a text cannot be kept in the database.
func storable(text string) error {
	if strings.ContainsRune(text, 0) {
		return errors.New("must not contain the character U+0000")
	}
	if !utf8.ValidString(text) {
		return errors.New("must be UTF-8")
	}
	return nil
}

// label checks a one-line text such as a name and returns it without the space around it.
func label(text string, longest int) (string, error) {
	if err := storable(text); err != nil {
		return "", err
	}
	text = strings.TrimSpace(text)
	if n := utf8.RuneCountInString(text); n > longest {
		return "", fmt.Errorf("must have at most %d characters, has %d", longest, n)
	}
	return text, nil
}

// required is label for a text that must not be blank.
func required(text string, longest int) (string, error) {
	text, err := label(text, longest)
	if err == nil && text == "" {
		return "", errors.New("must not be empty")
	}
	return text, err
}
