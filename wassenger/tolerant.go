package wassenger

import (
	"bytes"
	"encoding/json"
	"errors"
	"strconv"
	"strings"
	"time"
)

// decode fills v as far as the JSON agrees with it. A value of an unexpected
// type leaves its field empty, for what is wanted may well stand beside it.
func decode(raw []byte, v any) error {
	err := json.Unmarshal(raw, v)
	if _, mismatch := errors.AsType[*json.UnmarshalTypeError](err); mismatch {
		return nil
	}
	return err
}

// text is a string, or a number as it is written; anything else is empty. NUL
// characters are dropped, because PostgreSQL cannot store them.
type text string

// UnmarshalJSON implements json.Unmarshaler; it never fails on valid JSON.
func (t *text) UnmarshalJSON(raw []byte) error {
	*t = ""
	switch {
	case raw[0] == '"':
		var s string
		if err := json.Unmarshal(raw, &s); err != nil {
			return err
		}
		*t = text(strings.ReplaceAll(s, "\x00", ""))
	case isNumber(raw):
		*t = text(raw)
	}
	return nil
}

func firstText(candidates ...text) text {
	for _, c := range candidates {
		if c != "" {
			return c
		}
	}
	return ""
}

// moment is a time as ISO 8601, or as seconds or milliseconds since 1970, in a
// number or a string. Anything else is the zero time.
type moment struct{ time.Time }

// UnmarshalJSON implements json.Unmarshaler; it never fails on valid JSON.
func (m *moment) UnmarshalJSON(raw []byte) error {
	var t text
	if err := t.UnmarshalJSON(raw); err != nil {
		return err
	}
	m.Time = parseMoment(strings.TrimSpace(string(t)))
	return nil
}

func parseMoment(s string) time.Time {
	if n, err := strconv.ParseFloat(s, 64); err == nil {
		return unixMoment(n)
	}
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04:05", "2006-01-02 15:04:05"} {
		t, err := time.Parse(layout, s)
		if t = t.UTC(); err == nil && t.Year() > 1970 && t.Year() < 9999 {
			return t
		}
	}
	return time.Time{}
}

func unixMoment(n float64) time.Time {
	const (
		firstMillisecond = 1e11 // as seconds, this is in the year 5138
		endOfTime        = 2e14 // as milliseconds, this is in the year 8307
	)
	switch {
	case !(n > 0 && n < endOfTime): // so written, it holds for NaN too
		return time.Time{}
	case n < firstMillisecond:
		n *= 1000
	}
	return time.UnixMilli(int64(n)).UTC()
}

func firstMoment(candidates ...moment) time.Time {
	for _, c := range candidates {
		if !c.IsZero() {
			return c.Time
		}
	}
	return time.Time{}
}

// flag is true for true, 1 and "true".
type flag bool

// UnmarshalJSON implements json.Unmarshaler; it never fails on valid JSON.
func (f *flag) UnmarshalJSON(raw []byte) error {
	switch string(bytes.Trim(raw, `"`)) {
	case "true", "1":
		*f = true
	default:
		*f = false
	}
	return nil
}

// ref names something by its id alone or by an object that holds the id.
type ref struct {
	ID        text `json:"id"`
	WAID      text `json:"waId"`
	Reference text `json:"reference"`
	Phone     text `json:"phone"`
}

// UnmarshalJSON implements json.Unmarshaler; it never fails on valid JSON.
func (r *ref) UnmarshalJSON(raw []byte) error {
	*r = ref{}
	if raw[0] == '{' {
		type fields ref
		return decode(raw, (*fields)(r))
	}
	return r.ID.UnmarshalJSON(raw)
}

func isNumber(raw []byte) bool { return raw[0] == '-' || (raw[0] >= '0' && raw[0] <= '9') }

func isObject(raw []byte) bool { return len(raw) > 0 && raw[0] == '{' }

// bounded cuts s to at most n bytes without splitting a character.
func bounded(s string, n int) string {
	if len(s) <= n {
		return s
	}
	return strings.ToValidUTF8(s[:n], "")
}
