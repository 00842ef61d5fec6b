package store

import (
	"context"
	"database/sql/driver"
	"encoding/json"
	"fmt"
	"iter"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgtype"
	"gorm.io/gorm"
)

// ImportRow is one row of a file of contacts.
type ImportRow struct {
	Line int // in the file, 1 for the first
	ContactData
	// Rejected says why the row cannot be used; the other fields mean nothing then.
	Rejected string
}

// Import is a file of contacts that is to be taken in.
type Import struct {
	// CategoryID, if any, is the category that every imported or updated contact joins.
	CategoryID uuid.UUID
	CreatedBy  uuid.UUID
	// Rows may be read more than once. An error ends the import and undoes it.
	Rows iter.Seq2[ImportRow, error]
}

// ImportJob is what became of an import. Every row is counted once: Rows is
// Imported + Updated + Rejected.
type ImportJob struct {
	ID         uuid.UUID
	State      string // running, done or failed
	Rows       int64
	Imported   int64 // contacts that did not exist before
	Updated    int64 // contacts that did, or that an earlier row of the file made
	Rejected   int64
	Errors     ImportErrors // the first rejected rows
	Error      string
	CreatedAt  time.Time
	FinishedAt *time.Time
}

// ImportError is a rejected row.
type ImportError struct {
	Line   int    `json:"line"`
	Reason string `json:"reason"`
}

// ImportErrors are kept in one jsonb column.
type ImportErrors []ImportError

// Value is the errors as JSON.
func (e ImportErrors) Value() (driver.Value, error) {
	if e == nil {
		return "[]", nil
	}
	encoded, err := json.Marshal([]ImportError(e))
	return string(encoded), err
}

// Scan reads a jsonb array.
func (e *ImportErrors) Scan(value any) error {
	switch v := value.(type) {
	case string:
		return json.Unmarshal([]byte(v), (*[]ImportError)(e))
	case []byte:
		return json.Unmarshal(v, (*[]ImportError)(e))
	}
	return fmt.Errorf("import errors cannot be read from %T", value)
}

const (
	// importBatch rows become one statement.
	importBatch = 2000
	// importErrors bounds how many rejected rows are kept with their reasons;
	// all are counted.
	importErrors = 1000
	// importLock is the advisory lock that makes imports take turns. Two that
	// share contacts in a different order would otherwise deadlock.
	importLock = 0x72656c_696d70 // "relimp"
)

// ImportContacts takes in a file in one transaction: all of its good rows or,
// on an error, none. A known phone number is updated: a name that is not blank
// replaces the old one, attributes are added to the old ones. Of rows with the
// same number the last one wins, as if the rows came one after the other.
func (s *Store) ImportContacts(ctx context.Context, imp Import) (ImportJob, error) {
	var job ImportJob
	err := s.transaction(ctx, "importing contacts", func(tx *gorm.DB) error {
		job = ImportJob{State: "done", Errors: ImportErrors{}}
		if err := tx.Exec(`SELECT pg_advisory_xact_lock(?)`, importLock).Error; err != nil {
			return err
		}
		if imp.CategoryID != uuid.Nil {
			if err := holdCategories(tx, UUIDs{imp.CategoryID}); err != nil {
				return err
			}
		}
		batch := importedRows{tx: tx, category: imp.CategoryID, job: &job}
		for row, err := range imp.Rows {
			if err == nil {
				err = batch.add(row)
			}
			if err != nil {
				return err
			}
		}
		if err := batch.flush(); err != nil {
			return err
		}
		return s.keepImport(tx, &job, imp.CreatedBy)
	})
	return job, err
}

func (s *Store) keepImport(tx *gorm.DB, job *ImportJob, createdBy uuid.UUID) error {
	id, err := uuid.NewV7()
	if err != nil {
		return err
	}
	return first(tx, job, `
		INSERT INTO import_jobs (id, state, rows, imported, updated, rejected, errors, created_by, finished_at)
		VALUES (?, 'done', ?, ?, ?, ?, ?, ?, relance_now())
		RETURNING *`, id, job.Rows, job.Imported, job.Updated, job.Rejected, job.Errors, nullable(createdBy))
}

func nullable(id uuid.UUID) *uuid.UUID {
	if id == uuid.Nil {
		return nil
	}
	return &id
}

// importedRows gathers rows until there are enough for a statement.
type importedRows struct {
	tx       *gorm.DB
	category uuid.UUID
	job      *ImportJob

	rows    int64
	byPhone map[string]int // its place in the slices below
	ids     []uuid.UUID
	phones  []string
	names   []string
	attrs   []Attributes
}

func (b *importedRows) add(row ImportRow) error {
	b.job.Rows++
	if row.Rejected != "" {
		b.job.Rejected++
		if len(b.job.Errors) < importErrors {
			b.job.Errors = append(b.job.Errors, ImportError{Line: row.Line, Reason: row.Rejected})
		}
		return nil
	}
	b.rows++
	// PostgreSQL refuses to update a row twice in one statement, so rows with
	// the same number are merged here, by the same rules.
	if i, ok := b.byPhone[row.Phone]; ok {
		if row.Name != "" {
			b.names[i] = row.Name
		}
		for name, value := range row.Attributes {
			b.attrs[i][name] = value
		}
		return nil
	}
	id, err := uuid.NewV7() // in the order of the file, which is the order of sending
	if err != nil {
		return err
	}
	if b.byPhone == nil {
		b.byPhone = make(map[string]int, importBatch)
	}
	attributes := row.Attributes
	if attributes == nil {
		attributes = Attributes{}
	}
	b.byPhone[row.Phone] = len(b.ids)
	b.ids, b.phones, b.names, b.attrs = append(b.ids, id), append(b.phones, row.Phone), append(b.names, row.Name), append(b.attrs, attributes)
	if len(b.ids) == importBatch {
		return b.flush()
	}
	return nil
}

func (b *importedRows) flush() error {
	if len(b.ids) == 0 {
		return nil
	}
	attributes := make([]string, len(b.attrs))
	for i, a := range b.attrs {
		encoded, err := json.Marshal(a)
		if err != nil {
			return fmt.Errorf("encoding attributes: %w", err)
		}
		attributes[i] = string(encoded)
	}
	var imported int64
	// One moment for the whole statement: ids then keep the order of the file.
	// xmax is 0 in a row that the statement has inserted.
	err := b.tx.Raw(`
		WITH moment AS MATERIALIZED (SELECT relance_now() AS at),
		     merged AS (
		         INSERT INTO contacts (id, phone, name, attributes, created_at, updated_at)
		         SELECT r.id, r.phone, r.name, r.attributes::jsonb, moment.at, moment.at
		         FROM unnest(?::uuid[], ?::text[], ?::text[], ?::text[]) AS r (id, phone, name, attributes), moment
		         ON CONFLICT (phone) DO UPDATE
		         SET name = coalesce(nullif(excluded.name, ''), contacts.name),
		             attributes = contacts.attributes || excluded.attributes,
		             updated_at = excluded.updated_at
		         RETURNING id, xmax = 0 AS fresh),
		     linked AS (
		         INSERT INTO contact_categories (contact_id, category_id)
		         SELECT merged.id, c.id FROM merged JOIN categories c ON c.id = ?
		         ON CONFLICT DO NOTHING)
		SELECT count(*) FILTER (WHERE fresh) FROM merged`,
		UUIDs(b.ids), textArray(b.phones), textArray(b.names), textArray(attributes), b.category).Scan(&imported).Error
	if err != nil {
		return err
	}
	b.job.Imported += imported
	b.job.Updated += b.rows - imported
	*b = importedRows{tx: b.tx, category: b.category, job: b.job}
	return nil
}

// textArray is a text[] parameter. It is a struct, which gorm leaves alone.
func textArray(texts []string) pgtype.Array[string] {
	return pgtype.Array[string]{
		Elements: texts, Valid: true,
		Dims: []pgtype.ArrayDimension{{Length: int32(len(texts)), LowerBound: 1}},
	}
}

// ImportJob reads what became of an import; [ErrNotFound] when there is none.
func (s *Store) ImportJob(ctx context.Context, id uuid.UUID) (ImportJob, error) {
	var job ImportJob
	if err := first(s.db.WithContext(ctx), &job, `SELECT * FROM import_jobs WHERE id = ?`, id); err != nil {
		return job, fmt.Errorf("reading an import: %w", err)
	}
	return job, nil
}
