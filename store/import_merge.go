package store

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgconn"
	"gorm.io/gorm"
)

// importLock is the advisory lock that makes batches take turns. Two that share
// contacts in a different order would otherwise deadlock.
const importLock = 0x72656c_696d70 // "relimp"

// MergeImport brings a received import into the contacts, batch by batch, and
// returns when it is finished, whoever finished it. Each batch is one
// transaction together with the note that it is done: several processes may
// merge the same import, one after a crash may go on with it, and nothing is
// done twice. On an error the import can be gone on with, unless the database
// refuses a batch for good: then it is failed.
func (s *Store) MergeImport(ctx context.Context, id uuid.UUID) (ImportJob, error) {
	for {
		job, err := s.mergeBatch(ctx, id)
		if refused(err) {
			err = errors.Join(err, s.failImport(ctx, id, "The database refused a part of it."))
		}
		if err != nil || job.State != ImportRunning {
			return job, err
		}
	}
}

// refused holds for errors that will be met again: values that a column or a
// constraint does not take.
func refused(err error) bool {
	var pg *pgconn.PgError
	return errors.As(err, &pg) && (strings.HasPrefix(pg.Code, "22") || strings.HasPrefix(pg.Code, "23"))
}

// mergeBatch merges the next batch and returns what then became of the import.
func (s *Store) mergeBatch(ctx context.Context, id uuid.UUID) (ImportJob, error) {
	var job ImportJob
	err := s.transaction(ctx, "merging an import", func(tx *gorm.DB) error {
		job = ImportJob{}
		if err := tx.Exec(`SELECT pg_advisory_xact_lock(?)`, importLock).Error; err != nil {
			return err
		}
		if err := first(tx, &job, `SELECT `+importColumns+` FROM import_jobs j WHERE j.id = ? FOR UPDATE`, id); err != nil {
			return err
		}
		if job.State != ImportRunning {
			return nil
		}
		if job.ReceivedAt == nil {
			return fmt.Errorf("the file is not complete: %w", ErrConflict)
		}
		var batch merged
		if job.Merged < job.Batches {
			var err error
			if batch, err = merge(tx, job); err != nil {
				return err
			}
		}
		return job.advance(tx, batch)
	})
	return job, err
}

// merged is what became of one batch.
type merged struct {
	Rows  int64 // of the file
	Fresh int64 // contacts that did not exist
}

func merge(tx *gorm.DB, job ImportJob) (merged, error) {
	var batch merged
	values := map[string]any{"import": job.ID, "number": job.Merged, "category": job.CategoryID}
	if job.CategoryID != nil {
		// It stays until we are through, or is gone and nobody can join it.
		if err := tx.Exec(`SELECT FROM categories WHERE id = @category FOR KEY SHARE`, values).Error; err != nil {
			return batch, err
		}
	}
	if job.OnDuplicate == SkipDuplicates {
		err := mergeNew(tx, values, &batch)
		return batch, err
	}
	// One moment for the whole statement: ids then keep the order of the file.
	// xmax is 0 in a row that the statement has inserted.
	err := first(tx, &batch, `
		WITH moment AS MATERIALIZED (SELECT relance_now() AS at),
		     batch AS (
		         DELETE FROM import_batches WHERE import_id = @import AND number = @number
		         RETURNING rows, ids, phones, names, attributes),
		     merged AS (
		         INSERT INTO contacts (id, phone, name, attributes, created_at, updated_at)
		         SELECT r.id, r.phone, r.name, r.attributes::jsonb, moment.at, moment.at
		         FROM batch, unnest(batch.ids, batch.phones, batch.names, batch.attributes) AS r (id, phone, name, attributes), moment
		         ON CONFLICT (phone) DO UPDATE
		         SET name = coalesce(nullif(excluded.name, ''), contacts.name),
		             attributes = contacts.attributes || excluded.attributes,
		             updated_at = excluded.updated_at
		         RETURNING id, xmax = 0 AS fresh),
		     linked AS (
		         INSERT INTO contact_categories (contact_id, category_id)
		         SELECT merged.id, c.id FROM merged JOIN categories c ON c.id = @category
		         ON CONFLICT DO NOTHING)
		SELECT batch.rows, (SELECT count(*) FROM merged WHERE fresh) AS fresh FROM batch`, values)
	return batch, err
}

// mergeNew leaves contacts alone that exist, but for their joining the category.
func mergeNew(tx *gorm.DB, values map[string]any, batch *merged) error {
	if err := first(tx, batch, `
		WITH moment AS MATERIALIZED (SELECT relance_now() AS at),
		     batch AS (SELECT * FROM import_batches WHERE import_id = @import AND number = @number),
		     merged AS (
		         INSERT INTO contacts (id, phone, name, attributes, created_at, updated_at)
		         SELECT r.id, r.phone, r.name, r.attributes::jsonb, moment.at, moment.at
		         FROM batch, unnest(batch.ids, batch.phones, batch.names, batch.attributes) AS r (id, phone, name, attributes), moment
		         ON CONFLICT (phone) DO NOTHING
		         RETURNING id)
		SELECT batch.rows, (SELECT count(*) FROM merged) AS fresh FROM batch`, values); err != nil {
		return err
	}
	// A statement of its own sees contacts that another transaction has made while
	// the first one waited for it; the lock keeps them from being deleted now.
	return tx.Exec(`
		WITH batch AS (DELETE FROM import_batches WHERE import_id = @import AND number = @number RETURNING phones),
		     members AS (
		         SELECT k.id FROM contacts k WHERE k.phone IN (SELECT unnest(phones) FROM batch) ORDER BY k.id FOR KEY SHARE)
		INSERT INTO contact_categories (contact_id, category_id)
		SELECT members.id, c.id FROM members JOIN categories c ON c.id = @category
		ON CONFLICT DO NOTHING`, values).Error
}

// advance notes, in the transaction that merged it, that a batch is merged.
func (j *ImportJob) advance(tx *gorm.DB, batch merged) error {
	j.Imported += batch.Fresh
	known := batch.Rows - batch.Fresh
	if j.OnDuplicate == SkipDuplicates {
		j.Skipped += known
	} else {
		j.Updated += known
	}
	j.Merged = min(j.Merged+1, j.Batches)
	if j.Merged == j.Batches {
		j.State = ImportDone
	}
	return first(tx, j, `UPDATE import_jobs j SET state = ?, imported = ?, updated = ?, skipped = ?, merged = ?, touched_at = relance_now(),
			finished_at = CASE WHEN ? THEN relance_now() END
		WHERE j.id = ? RETURNING `+importColumns,
		string(j.State), j.Imported, j.Updated, j.Skipped, j.Merged, j.State == ImportDone, j.ID)
}

// ImportsToMerge lists received imports that nobody has worked on for so long.
func (s *Store) ImportsToMerge(ctx context.Context, lostAfter time.Duration, limit int) ([]uuid.UUID, error) {
	var ids []uuid.UUID
	if err := s.db.WithContext(ctx).Raw(`SELECT id FROM import_jobs
		WHERE state = 'running' AND received_at IS NOT NULL AND touched_at <= relance_now() - make_interval(secs => ?)
		ORDER BY touched_at LIMIT ?`, lostAfter.Seconds(), limit).Scan(&ids).Error; err != nil {
		return nil, fmt.Errorf("looking for imports to merge: %w", err)
	}
	return ids, nil
}

// FailLostUploads gives up imports whose file nobody has gone on receiving for so
// long: the process that did is gone.
func (s *Store) FailLostUploads(ctx context.Context, lostAfter time.Duration) error {
	return s.transaction(ctx, "giving up lost uploads", func(tx *gorm.DB) error {
		return tx.Exec(`
			WITH lost AS (
			    UPDATE import_jobs SET state = 'failed', error = 'The upload was interrupted.', finished_at = relance_now()
			    WHERE state = 'running' AND received_at IS NULL AND touched_at <= relance_now() - make_interval(secs => ?)
			    RETURNING id)
			DELETE FROM import_batches WHERE import_id IN (SELECT id FROM lost)`, lostAfter.Seconds()).Error
	})
}
