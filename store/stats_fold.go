package store

import (
	"context"

	"github.com/google/uuid"
	"gorm.io/gorm"
)

// foldLock is the advisory lock of whoever folds: two at once would only wait
// for each other's rows.
const foldLock = 0x72656c_666f6c // "relfol"

// FoldStats adds what has changed since the last fold to campaign_stats and
// daily_stats, and stores anew the totals of campaigns that had ended before
// that (Property 12). Statistics do not change by it; reading them stays cheap.
// Any number of processes may call it at any time.
func (s *Store) FoldStats(ctx context.Context) error {
	return s.transaction(ctx, "folding statistics", func(tx *gorm.DB) error {
		var mine bool
		if err := value(tx, &mine, `SELECT pg_try_advisory_xact_lock(?)`, foldLock); err != nil || !mine {
			return err
		}
		var changed []uuid.UUID
		if err := tx.Raw(`
			WITH changes AS (DELETE FROM stat_changes RETURNING *),
			by_campaign AS (
			    INSERT INTO campaign_stats AS s (campaign_id, what, n)
			    SELECT campaign_id, what, sum(n) FROM changes GROUP BY 1, 2
			    ON CONFLICT (campaign_id, what) DO UPDATE SET n = s.n + excluded.n),
			by_day AS (
			    INSERT INTO daily_stats AS d (day, device_id, message_1, message_2, delivered, read, failed, interactions, replied)
			    SELECT day, device_id,
			           coalesce(sum(n) FILTER (WHERE what = 'message_1.sent'), 0),
			           coalesce(sum(n) FILTER (WHERE what = 'message_2.sent'), 0),
			           coalesce(sum(n) FILTER (WHERE what IN ('message_1.delivered', 'message_2.delivered')), 0),
			           coalesce(sum(n) FILTER (WHERE what IN ('message_1.read', 'message_2.read')), 0),
			           coalesce(sum(n) FILTER (WHERE what IN ('message_1.failed', 'message_2.failed')), 0),
			           coalesce(sum(n) FILTER (WHERE what = 'interactions'), 0),
			           coalesce(sum(n) FILTER (WHERE what = 'replied'), 0)
			    FROM changes WHERE day IS NOT NULL GROUP BY 1, 2
			    ON CONFLICT (day, device_id) DO UPDATE
			    SET message_1 = d.message_1 + excluded.message_1, message_2 = d.message_2 + excluded.message_2,
			        delivered = d.delivered + excluded.delivered, read = d.read + excluded.read, failed = d.failed + excluded.failed,
			        interactions = d.interactions + excluded.interactions, replied = d.replied + excluded.replied)
			SELECT DISTINCT campaign_id FROM changes`).Scan(&changed).Error; err != nil || len(changed) == 0 {
			return err
		}
		return refreshTotals(tx, changed)
	})
}
