package store

import (
	"time"

	"github.com/google/uuid"
)

// Position is a row's place in a list that runs from the newest row to the
// oldest. Ids break ties, so that rows made at the same moment are neither
// skipped nor repeated at the edge of a page.
type Position struct {
	CreatedAt time.Time
	ID        uuid.UUID
}

// Page asks for at most Limit rows after a position; nil is the beginning.
type Page struct {
	Limit int
	After *Position
}

// cut takes a page out of rows that were read with one row to spare, and tells
// whether more follow.
func cut[T any](rows []T, limit int) (page []T, more bool) {
	if len(rows) <= limit {
		return rows, false
	}
	return rows[:limit], true
}
