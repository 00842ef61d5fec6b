package store

import (
	"context"
	"database/sql/driver"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"strings"
	"time"

	"github.com/google/uuid"
	"gorm.io/gorm"
)

// ImportRow is one row of a file of contacts.
type ImportRow struct {
	Line int // in the file, 1 for the first
	ContactData
	// Rejected says why the row cannot be used; Cells are what stood in it. The
	// other fields mean nothing then.
	Rejected string
	Cells    []string
}

// OnDuplicate says what an import does about a phone number that is known, from
// before or from an earlier row of the file.
type OnDuplicate string

const (
	// UpdateDuplicates: a name that is not blank replaces the old one, attributes
	// are added to the old ones. The last row wins.
	UpdateDuplicates OnDuplicate = "update"
	// SkipDuplicates: name and attributes stay as they are. The first row wins. The
	// contact joins the import's category all the same.
	SkipDuplicates OnDuplicate = "skip"
)

// Import is a file of contacts that is to be taken in.
type Import struct {
	// CategoryID, if any, is the category that every contact of the file joins.
	CategoryID uuid.UUID
	CreatedBy  uuid.UUID
	// OnDuplicate is [UpdateDuplicates] if empty.
	OnDuplicate OnDuplicate
	// Columns are the file's first line.
	Columns []string
	// Rows are read once. An error ends the import before anything of it is to be
	// seen; a [FileError] says why in words for its owner.
	Rows iter.Seq2[ImportRow, error]
}

// FileError is why a file cannot be taken in, in words for its owner.
type FileError struct {
	Reason string
	Err    error // may be nil
}

func (e *FileError) Error() string { return "a file that cannot be taken in: " + e.Reason }
func (e *FileError) Unwrap() error { return e.Err }

// ImportState is where an import stands.
type ImportState string

// The states of an import; the last two are final.
const (
	ImportRunning ImportState = "running"
	ImportDone    ImportState = "done"
	ImportFailed  ImportState = "failed"
)

// ImportJob is what became of an import. When it is done every row is counted
// once: Rows is Imported + Updated + Skipped + Rejected.
type ImportJob struct {
	ID          uuid.UUID
	State       ImportState
	CategoryID  *uuid.UUID
	OnDuplicate OnDuplicate
	Columns     Texts // the file's first line
	Rows        int64 // received
	Imported    int64 // contacts that did not exist before
	Updated     int64 // rows about contacts that did, or that an earlier row of the file made
	Skipped     int64 // the same under [SkipDuplicates]
	Rejected    int64
	Batches     int    // parts in which the file was received
	Merged      int    // parts that are in the contacts
	Error       string // why it failed
	CreatedBy   *uuid.UUID
	CreatedAt   time.Time  // when receiving began
	ReceivedAt  *time.Time // when the file was complete
	TouchedAt   time.Time  // when somebody last did something about it
	FinishedAt  *time.Time
}

// Progress is the share of the file that is in the contacts, 0 to 1. How much of
// a file is still to be received nobody can tell.
func (j ImportJob) Progress() float64 {
	switch {
	case j.State == ImportDone:
		return 1
	case j.ReceivedAt == nil || j.Batches == 0:
		return 0
	}
	return float64(j.Merged) / float64(j.Batches)
}

// Rejection is a row that could not be used.
type Rejection struct {
	Line   int64  `json:"line"`
	Reason string `json:"reason"`
	Cells  Texts  `json:"cells"`
}

// Texts are kept as a list in one jsonb column.
type Texts []string

// Value is the texts as JSON.
func (t Texts) Value() (driver.Value, error) {
	if t == nil {
		return "[]", nil
	}
	encoded, err := json.Marshal(t.storable())
	return string(encoded), err
}

// storable replaces what the database cannot keep: U+0000. Invalid UTF-8 is
// replaced by JSON.
func (t Texts) storable() []string {
	kept := make([]string, len(t))
	for i, text := range t {
		kept[i] = strings.ReplaceAll(text, "\x00", "\ufffd")
	}
	return kept
}

// Scan reads a jsonb array.
func (t *Texts) Scan(value any) error {
	switch v := value.(type) {
	case string:
		return json.Unmarshal([]byte(v), (*[]string)(t))
	case []byte:
		return json.Unmarshal(v, (*[]string)(t))
	}
	return fmt.Errorf("texts cannot be read from %T", value)
}

// ImportContacts receives a file and merges it, at once.
func (s *Store) ImportContacts(ctx context.Context, imp Import) (ImportJob, error) {
	job, err := s.ReceiveImport(ctx, imp)
	if err != nil {
		return job, err
	}
	return s.MergeImport(ctx, job.ID)
}

const importColumns = `j.id, j.state, j.on_duplicate, j.columns, j.rows, j.imported, j.updated, j.skipped, j.rejected,
	j.batches, j.merged, j.error, j.category_id, j.created_by, j.created_at, j.received_at, j.touched_at, j.finished_at`

// ImportJob reads what became of an import; [ErrNotFound] when there is none.
func (s *Store) ImportJob(ctx context.Context, id uuid.UUID) (ImportJob, error) {
	var job ImportJob
	if err := first(s.db.WithContext(ctx), &job, `SELECT `+importColumns+` FROM import_jobs j WHERE j.id = ?`, id); err != nil {
		return job, fmt.Errorf("reading an import: %w", err)
	}
	return job, nil
}

// ImportList is one page of imports, newest first.
type ImportList struct {
	Imports []ImportJob
	Next    *Position // nil on the last page
}

// Imports lists imports.
func (s *Store) Imports(ctx context.Context, page Page) (ImportList, error) {
	where, values := `true`, map[string]any{"limit": page.Limit + 1}
	if page.After != nil {
		where = `(j.created_at, j.id) < (@created_at, @id)`
		values["created_at"], values["id"] = page.After.CreatedAt, page.After.ID
	}
	var rows []ImportJob
	if err := s.db.WithContext(ctx).Raw(`SELECT `+importColumns+` FROM import_jobs j WHERE `+where+`
		ORDER BY j.created_at DESC, j.id DESC LIMIT @limit`, values).Scan(&rows).Error; err != nil {
		return ImportList{}, fmt.Errorf("listing imports: %w", err)
	}
	var list ImportList
	var more bool
	if list.Imports, more = cut(rows, page.Limit); more {
		last := list.Imports[page.Limit-1]
		list.Next = &Position{CreatedAt: last.CreatedAt, ID: last.ID}
	}
	return list, nil
}

// Rejections lists the rows of an import that could not be used, in the order of
// the file, from after a line; 0 is the beginning.
func (s *Store) Rejections(ctx context.Context, importID uuid.UUID, after int64, limit int) (rows []Rejection, more bool, err error) {
	if err := s.db.WithContext(ctx).Raw(`SELECT line, reason, cells FROM import_rejections
		WHERE import_id = ? AND line > ? ORDER BY line LIMIT ?`, importID, after, limit+1).Scan(&rows).Error; err != nil {
		return nil, false, fmt.Errorf("listing rejected rows: %w", err)
	}
	rows, more = cut(rows, limit)
	return rows, more, nil
}

// failImport gives up an import that is not finished, with a reason for people.
// What of it was merged stays; what was not is forgotten.
func (s *Store) failImport(ctx context.Context, id uuid.UUID, reason string) error {
	return s.transaction(ctx, "giving up an import", func(tx *gorm.DB) error {
		failed := tx.Exec(`UPDATE import_jobs SET state = 'failed', error = ?, finished_at = relance_now(), touched_at = relance_now()
			WHERE id = ? AND state = 'running'`, reason, id)
		if failed.Error != nil || failed.RowsAffected == 0 {
			return failed.Error
		}
		return tx.Exec(`DELETE FROM import_batches WHERE import_id = ?`, id).Error
	})
}

// reasonOf is what an error says to people.
func reasonOf(err error) string {
	var file *FileError
	switch {
	case errors.As(err, &file):
		return file.Reason
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return "It took too long, or was given up."
	}
	return "Something went wrong on our side."
}
