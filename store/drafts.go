package store

import (
	"context"
	"fmt"

	"github.com/google/uuid"
	"gorm.io/gorm"

	"github.com/relance/relance/campaign"
)

// UpdateDraft replaces what a draft, or a campaign that waits for its scheduled
// start, is about. Any other is an [ErrConflict]: what has begun stays as it
// began. The status stays as it is; a scheduled campaign without a new time keeps
// its own.
func (s *Store) UpdateDraft(ctx context.Context, id uuid.UUID, c Campaign) error {
	return s.unbegun(ctx, "changing a campaign", id, func(tx *gorm.DB) error {
		return tx.Exec(`
			UPDATE campaigns SET name = ?, message_1 = ?, message_2 = ?, message_1_media_url = ?, message_2_media_url = ?,
			       category_ids = ?, contact_ids = ?, expected_reply_rate = ?,
			       scheduled_at = coalesce(?, CASE status WHEN 'scheduled' THEN scheduled_at END), updated_at = relance_now()
			WHERE id = ?`, c.Name, c.Message1, c.Message2, c.Message1MediaURL, c.Message2MediaURL,
			c.CategoryIDs, c.ContactIDs, c.ExpectedReplyRate, c.ScheduledAt, id).Error
	})
}

// DeleteDraft forgets a campaign that has not begun. Any other is an
// [ErrConflict]: what was sent stays on record.
func (s *Store) DeleteDraft(ctx context.Context, id uuid.UUID) error {
	return s.unbegun(ctx, "deleting a campaign", id, func(tx *gorm.DB) error {
		return tx.Exec(`DELETE FROM campaigns WHERE id = ?`, id).Error
	})
}

// unbegun changes a campaign that has not begun, under the lock that
// [Store.FreezeAudience] takes to begin.
func (s *Store) unbegun(ctx context.Context, doing string, id uuid.UUID, change func(tx *gorm.DB) error) error {
	return s.transaction(ctx, doing, func(tx *gorm.DB) error {
		var status campaign.Status
		if err := value(tx, &status, `SELECT status FROM campaigns WHERE id = ? FOR UPDATE`, id); err != nil {
			return err
		}
		if status != campaign.Draft && status != campaign.Scheduled {
			return fmt.Errorf("a %s campaign has begun: %w", status, ErrConflict)
		}
		return change(tx)
	})
}
