package store

import (
	"context"
	"fmt"
	"time"
)

// sweepAtOnce bounds one statement of a sweep, so that none holds many locks.
const sweepAtOnce = 10_000

// RejectionsLifetime is how long the rejected rows of an import are kept, which
// hold names and numbers, after it has ended.
const RejectionsLifetime = 30 * 24 * time.Hour

// Swept is how much a sweep has removed, by what it was.
type Swept map[string]int64

// Sweep deletes what has outlived its use: old entries of the audit log, rejected
// rows of imports, idempotency keys, counts of failed logins, and expired sessions; raw webhooks and
// texts after their [Retention]. Any number of processes may sweep at once. It tells what it has
// removed also where it failed.
func (s *Store) Sweep(ctx context.Context) (Swept, error) {
	swept := Swept{}
	for _, old := range []struct {
		what, rows string
		age        float64
	}{
		{"entries of the audit log", `DELETE FROM audit_log WHERE id IN
			(SELECT id FROM audit_log WHERE at < relance_now() - make_interval(secs => ?) ORDER BY at LIMIT ? FOR UPDATE SKIP LOCKED)`, AuditLifetime.Seconds()},
		{"rejected rows", `DELETE FROM import_rejections WHERE (import_id, line) IN
			(SELECT r.import_id, r.line FROM import_jobs j JOIN import_rejections r ON r.import_id = j.id
			 WHERE j.finished_at < relance_now() - make_interval(secs => ?) LIMIT ? FOR UPDATE OF r SKIP LOCKED)`, RejectionsLifetime.Seconds()},
		{"idempotency keys", `DELETE FROM idempotency_keys WHERE (user_id, key_hash) IN
			(SELECT user_id, key_hash FROM idempotency_keys WHERE created_at < relance_now() - make_interval(secs => ?)
			 AND (held_until IS NULL OR held_until <= relance_now()) ORDER BY created_at LIMIT ? FOR UPDATE SKIP LOCKED)`, IdempotencyLifetime.Seconds()},
		{"failed logins", `DELETE FROM login_attempts WHERE subject IN
			(SELECT subject FROM login_attempts WHERE failed_at < relance_now() - make_interval(secs => ?)
			 ORDER BY failed_at LIMIT ? FOR UPDATE SKIP LOCKED)`, loginMemory.Seconds()},
		{"sessions", `DELETE FROM sessions WHERE id IN
			(SELECT id FROM sessions WHERE expires_at < relance_now() - make_interval(secs => ?) LIMIT ? FOR UPDATE SKIP LOCKED)`, 0},
	} {
		for {
			deleted := s.db.WithContext(ctx).Exec(old.rows, old.age, sweepAtOnce)
			if deleted.Error != nil {
				return swept, fmt.Errorf("sweeping %s: %w", old.what, deleted.Error)
			}
			swept[old.what] += deleted.RowsAffected
			if deleted.RowsAffected < sweepAtOnce {
				break
			}
		}
	}
	var err error
	if swept["webhooks"], err = s.removeOldWebhooks(ctx); err != nil {
		return swept, err
	}
	swept["texts of campaigns"], err = s.removeOldTexts(ctx)
	return swept, err
}
