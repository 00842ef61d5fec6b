package store

import (
	"database/sql/driver"
	"fmt"
	"strings"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgtype"
)

// UUIDs is a uuid[] of the database, as a parameter and as a column; nil is the
// empty array, never NULL.
type UUIDs []uuid.UUID

// pgx sends arrays in binary, which for thousands of ids is several times
// cheaper than text.
var _ pgtype.ArrayGetter = UUIDs{}

// Dimensions is for pgx.
func (ids UUIDs) Dimensions() []pgtype.ArrayDimension {
	return []pgtype.ArrayDimension{{Length: int32(len(ids)), LowerBound: 1}} //nolint:gosec // a body of 8 MiB holds no more
}

// Index is for pgx.
func (ids UUIDs) Index(i int) any { return pgtype.UUID{Bytes: ids[i], Valid: true} }

// IndexType is for pgx.
func (ids UUIDs) IndexType() any { return pgtype.UUID{} }

// Value is PostgreSQL's text form. Because it exists, gorm takes a list for one
// value; any other slice it would write as a list of parameters.
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
