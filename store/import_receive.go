package store

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgtype"
	"golang.org/x/sync/errgroup"
	"gorm.io/gorm"
)

const (
	// importBatch contacts, or largestBatch bytes, become one batch: it is merged in
	// one short transaction, and two of them are in memory at a time.
	importBatch  = 10_000
	largestBatch = 2 << 20
	// cellBytes is what a text takes in memory beside its letters, or a little more
	// for those in a map.
	cellBytes = 64
	// importPulse is how often an import shows that it is being received, however
	// slowly its rows come.
	importPulse = 5 * time.Second
)

// ReceiveImport keeps a file for [Store.MergeImport], without holding more than a
// part of it in memory. It returns when all of the file is safely stored. On an
// error nothing of it ever gets into the contacts, and the import is failed; a
// category that does not exist is a [MissingError], and then there is no import.
func (s *Store) ReceiveImport(ctx context.Context, imp Import) (ImportJob, error) {
	id, err := s.beginImport(ctx, imp)
	if err != nil {
		return ImportJob{}, err
	}
	if err := s.receive(ctx, id, imp); err != nil {
		giveUp, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
		defer cancel()
		// Should this fail too, the dispatcher finds that nobody is at it.
		_ = s.failImport(giveUp, id, reasonOf(err))
		return ImportJob{ID: id, State: ImportFailed}, err
	}
	return s.ImportJob(ctx, id)
}

func (s *Store) beginImport(ctx context.Context, imp Import) (uuid.UUID, error) {
	id, err := uuid.NewV7()
	if err != nil {
		return id, err
	}
	if imp.OnDuplicate == "" {
		imp.OnDuplicate = UpdateDuplicates
	}
	err = s.transaction(ctx, "beginning an import", func(tx *gorm.DB) error {
		if imp.CategoryID != uuid.Nil {
			if err := holdCategories(tx, UUIDs{imp.CategoryID}); err != nil {
				return err
			}
		}
		return tx.Exec(`INSERT INTO import_jobs (id, state, category_id, on_duplicate, columns, created_by) VALUES (?, 'running', ?, ?, ?, ?)`,
			id, nullable(imp.CategoryID), string(imp.OnDuplicate), Texts(imp.Columns), nullable(imp.CreatedBy)).Error
	})
	return id, err
}

func nullable(id uuid.UUID) *uuid.UUID {
	if id == uuid.Nil {
		return nil
	}
	return &id
}

// receive reads the rows while the batch before is being stored.
func (s *Store) receive(ctx context.Context, id uuid.UUID, imp Import) error {
	storing, storingCtx := errgroup.WithContext(ctx)
	storing.SetLimit(1)
	number := 0
	next := newImportBatch(imp.OnDuplicate, s.importBatch)
	flush := func() {
		batch, n := next, number
		storing.Go(func() error { return s.storeBatch(storingCtx, id, n, batch) })
		next = newImportBatch(imp.OnDuplicate, s.importBatch)
		if len(batch.ids) > 0 {
			number++
		}
	}
	var err error
	for row, rowErr := range imp.Rows {
		if err = rowErr; err == nil {
			err = next.add(row)
		}
		if err != nil || storingCtx.Err() != nil {
			break
		}
		if next.full() {
			flush()
		}
	}
	if err == nil {
		flush()
	}
	if stored := storing.Wait(); stored != nil {
		return stored // why reading ended, if both failed
	}
	if err != nil {
		return err
	}
	return s.transaction(ctx, "completing an import's receipt", func(tx *gorm.DB) error {
		return stillReceived(tx.Exec(`UPDATE import_jobs SET received_at = relance_now(), touched_at = relance_now()
			WHERE id = ? AND state = 'running'`, id))
	})
}

// stillReceived tells whether an import was not given up meanwhile.
func stillReceived(updated *gorm.DB) error {
	if updated.Error == nil && updated.RowsAffected == 0 {
		return &FileError{Reason: "The upload was interrupted for too long.", Err: ErrConflict}
	}
	return updated.Error
}

// storeBatch keeps what has been read and says how far the import is.
func (s *Store) storeBatch(ctx context.Context, id uuid.UUID, number int, b *importBatchRows) error {
	attributes, err := b.encodedAttributes()
	if err != nil {
		return err
	}
	rejections, err := json.Marshal(b.rejected)
	if err != nil {
		return fmt.Errorf("encoding rejected rows: %w", err)
	}
	return s.transaction(ctx, "storing rows of an import", func(tx *gorm.DB) error {
		if len(b.ids) > 0 {
			if err := tx.Exec(`INSERT INTO import_batches (import_id, number, rows, ids, phones, names, attributes) VALUES (?, ?, ?, ?, ?, ?, ?)`,
				id, number, b.rows, UUIDs(b.ids), textArray(b.phones), textArray(b.names), textArray(attributes)).Error; err != nil {
				return err
			}
		}
		if len(b.rejected) > 0 {
			if err := tx.Exec(`INSERT INTO import_rejections (import_id, line, reason, cells)
				SELECT ?, r.line, r.reason, r.cells FROM jsonb_to_recordset(CAST(? AS jsonb)) AS r (line bigint, reason text, cells jsonb)`,
				id, string(rejections)).Error; err != nil {
				return err
			}
		}
		batches := 0
		if len(b.ids) > 0 {
			batches = 1
		}
		return stillReceived(tx.Exec(`UPDATE import_jobs SET rows = rows + ?, rejected = rejected + ?, batches = batches + ?, touched_at = relance_now()
			WHERE id = ? AND state = 'running' AND received_at IS NULL`, b.rows+int64(len(b.rejected)), len(b.rejected), batches, id))
	})
}

// importBatchRows gathers rows until there are enough of them.
type importBatchRows struct {
	onDuplicate OnDuplicate
	most        int
	begun       time.Time
	bytes       int

	rows     int64 // good ones
	rejected []Rejection

	byPhone map[string]int // its place in the slices below
	ids     []uuid.UUID
	phones  []string
	names   []string
	attrs   []Attributes
}

func newImportBatch(onDuplicate OnDuplicate, most int) *importBatchRows {
	return &importBatchRows{onDuplicate: onDuplicate, most: most, begun: time.Now(), byPhone: make(map[string]int)}
}

func (b *importBatchRows) full() bool {
	return len(b.ids)+len(b.rejected) >= b.most || b.bytes >= largestBatch || time.Since(b.begun) >= importPulse
}

func (b *importBatchRows) add(row ImportRow) error {
	if row.Rejected != "" {
		b.reject(row)
		return nil
	}
	b.rows++
	b.bytes += len(row.Phone) + len(row.Name)
	for name, value := range row.Attributes {
		b.bytes += len(name) + len(value) + cellBytes
	}
	// PostgreSQL refuses to touch a row twice in one statement, so rows with the
	// same number become one here, by the rules by which they would meet there.
	if i, ok := b.byPhone[row.Phone]; ok {
		if b.onDuplicate != SkipDuplicates {
			b.update(i, row)
		}
		return nil
	}
	id, err := uuid.NewV7() // in the order of the file, which is the order of sending
	if err != nil {
		return err
	}
	b.byPhone[row.Phone] = len(b.ids)
	b.ids, b.phones, b.names, b.attrs = append(b.ids, id), append(b.phones, row.Phone), append(b.names, row.Name), append(b.attrs, row.Attributes)
	return nil
}

func (b *importBatchRows) reject(row ImportRow) {
	b.rejected = append(b.rejected, Rejection{Line: int64(row.Line), Reason: row.Rejected, Cells: Texts(row.Cells).storable()})
	for _, cell := range row.Cells {
		b.bytes += len(cell) + cellBytes
	}
}

func (b *importBatchRows) update(i int, row ImportRow) {
	if row.Name != "" {
		b.names[i] = row.Name
	}
	if b.attrs[i] == nil {
		b.attrs[i] = Attributes{}
	}
	for name, value := range row.Attributes {
		b.attrs[i][name] = value
	}
}

func (b *importBatchRows) encodedAttributes() ([]string, error) {
	encoded := make([]string, len(b.attrs))
	for i, a := range b.attrs {
		if len(a) == 0 {
			encoded[i] = "{}"
			continue
		}
		text, err := json.Marshal(a)
		if err != nil {
			return nil, fmt.Errorf("encoding attributes: %w", err)
		}
		encoded[i] = string(text)
	}
	return encoded, nil
}

// textArray is a text[] parameter. It is a struct, which gorm leaves alone.
func textArray(texts []string) pgtype.Array[string] {
	return pgtype.Array[string]{
		Elements: texts, Valid: true,
		Dims: []pgtype.ArrayDimension{{Length: int32(len(texts)), LowerBound: 1}}, //nolint:gosec // a batch has some thousand
	}
}
