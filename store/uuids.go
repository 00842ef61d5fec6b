package store

import (
	"database/sql/driver"
	"fmt"
	"strings"

	"github.com/google/uuid"
)

// UUIDs is a uuid[] of the database, as a parameter and as a column. gorm would
// write a plain slice as a list of parameters, one for each element.
type UUIDs []uuid.UUID

// Value is PostgreSQL's text form; nil is the empty array, never NULL.
func (ids UUIDs) Value() (driver.Value, error) {
	var text strings.Builder
	text.Grow(2 + 37*len(ids))
	text.WriteByte('{')
	for i, id := range ids {
		if i > 0 {
			text.WriteByte(',')
		}
		text.WriteString(id.String())
	}
	text.WriteByte('}')
	return text.String(), nil
}

// Scan reads PostgreSQL's text form; NULL becomes nil.
func (ids *UUIDs) Scan(value any) error {
	*ids = nil
	var text string
	switch v := value.(type) {
	case nil:
		return nil
	case string:
		text = v
	case []byte:
		text = string(v)
	default:
		return fmt.Errorf("a uuid[] cannot be read from %T", value)
	}
	inner := strings.TrimSuffix(strings.TrimPrefix(text, "{"), "}")
	*ids = UUIDs{}
	if inner == "" {
		return nil
	}
	for part := range strings.SplitSeq(inner, ",") {
		id, err := uuid.Parse(part)
		if err != nil {
			return fmt.Errorf("reading a uuid[]: %w", err)
		}
		*ids = append(*ids, id)
	}
	return nil
}
