package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"gorm.io/gorm"
)

// ErrRestored: the database is an older one than the device's last messages were
// recorded in, or may be. Nothing that it would have to know them for is decided
// until `relance reconcile` has made up for what it lacks.
var ErrRestored = errors.New("the database has been restored and must be reconciled first: run `relance reconcile --apply`")

// knowsAll is [ErrRestored] where what was decided last is not to be found. Every
// decision asks in its own transaction, so a database may be exchanged beneath
// running processes.
func (s *Store) knowsAll(tx *gorm.DB) error {
	var restored bool
	if err := value(tx, &restored, `SELECT EXISTS (SELECT FROM devices WHERE id = ? AND lineage <> relance_lineage())`, s.deviceID); err != nil {
		return err
	}
	if restored {
		return ErrRestored
	}
	return nil
}

// KnowsAll is [ErrRestored] while nothing is decided about the device.
func (s *Store) KnowsAll(ctx context.Context) error { return s.knowsAll(s.db.WithContext(ctx)) }

// Standing is how far the database can be believed.
type Standing struct {
	// Restored: nothing is decided, because it may be older than what has been sent.
	Restored bool
	// Lineage names the database, for [Store.Believe].
	Lineage string
	// Newest is when the newest message left that the database knows of, or, where
	// it knows none, when its first campaign was made. Whatever it lacks is later.
	Newest time.Time
	Now    time.Time // the database's clock
}

// Standing tells how far the database can be believed about the device.
func (s *Store) Standing(ctx context.Context) (Standing, error) {
	var standing Standing
	err := first(s.db.WithContext(ctx), &standing, `
		SELECT coalesce(lineage <> relance_lineage(), false) AS restored, relance_lineage() AS lineage, relance_now() AS now,
		       least(coalesce((SELECT max(counted_at) FROM messages WHERE device_id = d.id),
		                      (SELECT min(created_at) FROM campaigns WHERE device_id = d.id), relance_now()), relance_now()) AS newest
		FROM devices d WHERE id = ?`, s.deviceID)
	if err != nil {
		return standing, fmt.Errorf("looking how old the database is: %w", err)
	}
	return standing, nil
}

// Doubt stops all decisions about the device, as for a restored database.
func (s *Store) Doubt(ctx context.Context) error {
	return s.transaction(ctx, "marking the database as restored", func(tx *gorm.DB) error {
		// Under the device's lock: what was claimed before is recorded.
		if _, err := lockDevice(tx, s.deviceID); err != nil {
			return err
		}
		return tx.Exec(`UPDATE devices SET lineage = '' WHERE id = ?`, s.deviceID).Error
	})
}

// Believe lets the device go on with the database of the given lineage, which has
// been made to know all. What waited is due: stored webhooks are applied, and
// campaigns look again. It is [ErrRestored] if the database is another by now.
func (s *Store) Believe(ctx context.Context, lineage string) error {
	return s.transaction(ctx, "marking the database as reconciled", func(tx *gorm.DB) error {
		believed := tx.Exec(`UPDATE devices SET lineage = ? WHERE id = ? AND relance_lineage() = ?`, lineage, s.deviceID, lineage)
		if believed.Error != nil {
			return believed.Error
		}
		if believed.RowsAffected == 0 {
			return ErrRestored
		}
		if err := tx.Exec(`UPDATE webhook_events SET due_at = relance_now() WHERE processed_at IS NULL`).Error; err != nil {
			return err
		}
		return tx.Exec(`UPDATE campaigns SET control_due_at = relance_now() WHERE device_id = ? AND status IN ('running', 'paused')`,
			s.deviceID).Error
	})
}
