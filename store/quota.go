package store

import (
	"context"
	"time"

	"gorm.io/gorm"

	"github.com/relance/relance/campaign"
)

// deviceRow is a device whose lock is held.
type deviceRow struct {
	ID             string
	Halted         bool
	Restored       bool       // nothing may be decided before the database is reconciled
	NextMessage1At *time.Time `gorm:"column:next_message_1_at"` // pacing's next free slot
	LastMessage1At *time.Time `gorm:"column:last_message_1_at"` // when one was claimed last
}

// lockDevice takes the lock under which everything about a device's quota and
// pacing is decided.
func lockDevice(tx *gorm.DB, deviceID string) (deviceRow, error) {
	var device deviceRow
	err := first(tx, &device, `SELECT id, halted_at IS NOT NULL AS halted, coalesce(lineage <> relance_lineage(), false) AS restored,
		next_message_1_at, last_message_1_at
		FROM devices WHERE id = ? FOR NO KEY UPDATE`, deviceID) // rows that refer to the device need not wait
	return device, err
}

// counted is everything that left a device, or may have: campaigns' messages and
// test sends, with the latest moment at which each can have left.
const counted = `(SELECT counted_at FROM messages WHERE device_id = @device AND counted_at > @since
	UNION ALL SELECT counted_at FROM test_sends WHERE device_id = @device AND counted_at > @since)`

// deviceUsage is [campaign.Usage] with the moments at which room appears.
type deviceUsage struct {
	campaign.Usage
	OldestCounted *time.Time // the first sent message of the window
	FirstWindow   *time.Time // the end of the open window that closes first
}

// usage counts what stands against the device's quota. It is computed from the
// rows themselves, never from a counter, so it survives anything (Property 5).
// The caller holds the device's lock.
func (s *Store) usage(tx *gorm.DB, deviceID string, at time.Time) (deviceUsage, error) {
	var u deviceUsage
	err := tx.Raw(`
		SELECT sent.n AS sent, sent.oldest AS oldest_counted, in_flight.n AS in_flight,
		       coalesce(r.admitted, 0) AS admitted, coalesce(r.owed, 0) AS owed,
		       coalesce(r.open, 0) AS open, r.first_window
		FROM (SELECT count(*) AS n, min(counted_at) AS oldest FROM `+counted+` c) sent,
		     (SELECT count(*) AS n FROM messages
		      WHERE device_id = @device AND status = 'sending') in_flight,
		     (SELECT count(*) FILTER (WHERE state = 'admitted') AS admitted,
		             count(*) FILTER (WHERE state = 'replied') AS owed,
		             count(*) FILTER (WHERE state = 'message_1_sent' AND window_ends_at > @at) AS open,
		             min(window_ends_at) FILTER (WHERE state = 'message_1_sent' AND window_ends_at > @at) AS first_window
		      FROM (SELECT state, window_ends_at FROM recipients
		            WHERE device_id = @device AND state IN ('admitted', 'message_1_sent', 'replied')
		            UNION ALL -- WhatsApp says undelivered, but a reply may yet prove that it was
		            SELECT 'message_1_sent', window_ends_at FROM recipients
		            WHERE device_id = @device AND state = 'failed' AND state_reason = 'undelivered' AND window_ends_at > @at) alive) r`,
		map[string]any{"device": deviceID, "at": at, "since": at.Add(-s.rules.Quota.Window)}).Scan(&u).Error
	return u, err
}

// sendable counts only what a claim needs to know: what left within the window
// or may have left, the reserve having been kept at admission.
func (s *Store) sendable(tx *gorm.DB, deviceID string, at time.Time) (deviceUsage, error) {
	var u deviceUsage
	err := tx.Raw(`
		SELECT sent.n AS sent, sent.oldest AS oldest_counted, in_flight.n AS in_flight
		FROM (SELECT count(*) AS n, min(counted_at) AS oldest FROM `+counted+` c) sent,
		     (SELECT count(*) AS n FROM messages WHERE device_id = @device AND status = 'sending') in_flight`,
		map[string]any{"device": deviceID, "since": at.Add(-s.rules.Quota.Window)}).Scan(&u).Error
	return u, err
}

// untilRoom is how long it takes until the first thing that counts stops
// counting; 0 when nothing will by itself.
func (s *Store) untilRoom(u deviceUsage, at time.Time) time.Duration {
	var wait time.Duration
	sooner := func(moment *time.Time, after time.Duration) {
		if moment == nil {
			return
		}
		if d := moment.Add(after).Sub(at); wait == 0 || d < wait {
			wait = d
		}
	}
	sooner(u.OldestCounted, s.rules.Quota.Window)
	sooner(u.FirstWindow, 0)
	return max(wait, 0)
}

// Usage tells what counts against the device's quota now, for people to look at.
// Decisions count for themselves, under the device's lock.
func (s *Store) Usage(ctx context.Context) (campaign.Usage, error) {
	var u deviceUsage
	err := s.transaction(ctx, "counting the quota", func(tx *gorm.DB) error {
		at, err := now(tx)
		if err != nil {
			return err
		}
		u, err = s.usage(tx, s.deviceID, at)
		return err
	})
	return u.Usage, err
}
