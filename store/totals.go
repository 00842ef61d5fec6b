package store

import (
	"context"

	"github.com/google/uuid"
	"gorm.io/gorm"
)

// storeTotals stores the totals of a campaign that has just ended (Property 12),
// in a transaction of its own: what was changed before is seen here, and what is
// changed later is seen by the fold that follows it.
func (s *Store) storeTotals(ctx context.Context, id uuid.UUID) error {
	return s.transaction(ctx, "storing the campaign's totals", func(tx *gorm.DB) error { return refreshTotals(tx, UUIDs{id}) })
}

// refreshTotals stores the totals of those of these campaigns that have ended.
func refreshTotals(tx *gorm.DB, ids UUIDs) error {
	var ended []uuid.UUID
	// Locked by a statement of its own, so that the one that adds up begins after
	// the refresh before it has been committed: the newest totals win.
	if err := tx.Raw(`SELECT id FROM campaigns WHERE id = ANY (?) AND status IN ('completed', 'cancelled') ORDER BY id FOR NO KEY UPDATE`,
		ids).Scan(&ended).Error; err != nil || len(ended) == 0 {
		return err
	}
	return tx.Exec(`
		UPDATE campaigns c SET sent_count = t.sent, delivered_count = t.delivered, read_count = t.read,
		       failed_count = t.failed, interaction_count = t.interactions
		FROM (SELECT campaign_id,
		             coalesce(sum(n) FILTER (WHERE what IN ('message_1.sent', 'message_2.sent')), 0) AS sent,
		             coalesce(sum(n) FILTER (WHERE what IN ('message_1.delivered', 'message_2.delivered')), 0) AS delivered,
		             coalesce(sum(n) FILTER (WHERE what IN ('message_1.read', 'message_2.read')), 0) AS read,
		             coalesce(sum(n) FILTER (WHERE what IN ('message_1.failed', 'message_2.failed')), 0) AS failed,
		             coalesce(sum(n) FILTER (WHERE what = 'interactions'), 0) AS interactions
		      FROM (SELECT campaign_id, what, n FROM campaign_stats WHERE campaign_id = ANY (@ids)
		            UNION ALL SELECT campaign_id, what, n FROM stat_changes WHERE campaign_id = ANY (@ids)) both_parts
		      GROUP BY campaign_id) t
		WHERE c.id = t.campaign_id`, map[string]any{"ids": UUIDs(ended)}).Error
}
