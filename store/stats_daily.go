package store

import (
	"context"
	"fmt"
	"time"

	"gorm.io/gorm"
)

// Day is what happened on one day, in UTC. What becomes of a message counts on
// the day on which it was sent; a failure on the day on which it failed.
type Day struct {
	Day          time.Time // its beginning
	Message1     int64     `gorm:"column:message_1"`
	Message2     int64     `gorm:"column:message_2"`
	Delivered    int64
	Read         int64
	Failed       int64
	Interactions int64 // replies received on this day
	Replied      int64 // contacts sent Message 1 on this day who replied in time
}

// lastDays reads the device's days up to and including that of a moment, oldest
// first; days on which nothing happened are among them.
func (s *Store) lastDays(tx *gorm.DB, at time.Time, n int) ([]Day, error) {
	var days []Day
	// What has not been folded yet is at most seconds old, unless no worker runs.
	if err := tx.Raw(`
		SELECT d.day, coalesce(s.message_1, 0) AS message_1, coalesce(s.message_2, 0) AS message_2,
		       coalesce(s.delivered, 0) AS delivered, coalesce(s.read, 0) AS read, coalesce(s.failed, 0) AS failed,
		       coalesce(s.interactions, 0) AS interactions, coalesce(s.replied, 0) AS replied
		FROM generate_series(CAST(@today AS date) - (@n - 1), CAST(@today AS date), interval '1 day') AS d (day)
		LEFT JOIN (
		    SELECT day, CAST(sum(message_1) AS bigint) AS message_1, CAST(sum(message_2) AS bigint) AS message_2, CAST(sum(delivered) AS bigint) AS delivered, CAST(sum(read) AS bigint) AS read,
		           CAST(sum(failed) AS bigint) AS failed, CAST(sum(interactions) AS bigint) AS interactions, CAST(sum(replied) AS bigint) AS replied
		    FROM (SELECT day, message_1, message_2, delivered, read, failed, interactions, replied
		          FROM daily_stats WHERE device_id = @device
		          UNION ALL
		          SELECT day, n * CAST(what = 'message_1.sent' AS int), n * CAST(what = 'message_2.sent' AS int),
		                 n * CAST(what LIKE '%.delivered' AS int), n * CAST(what LIKE '%.read' AS int), n * CAST(what LIKE '%.failed' AS int),
		                 n * CAST(what = 'interactions' AS int), n * CAST(what = 'replied' AS int)
		          FROM stat_changes WHERE device_id = @device AND day IS NOT NULL) both_parts
		    GROUP BY day) s ON s.day = d.day
		ORDER BY d.day`, map[string]any{"device": s.deviceID, "today": at.UTC().Format(time.DateOnly), "n": n}).Scan(&days).Error; err != nil {
		return nil, fmt.Errorf("reading the last days: %w", err)
	}
	return days, nil
}

// LastDays is the device's history by day, oldest first, today last.
func (s *Store) LastDays(ctx context.Context, n int) ([]Day, error) {
	db := s.db.WithContext(ctx)
	at, err := now(db)
	if err != nil {
		return nil, fmt.Errorf("reading the clock: %w", err)
	}
	return s.lastDays(db, at, n)
}
