package store

import (
	"context"
	"time"

	"github.com/google/uuid"
	"gorm.io/gorm"

	"github.com/relance/relance/campaign"
)

// CloseWindow ends a recipient's reply window if its time has come. Under the
// same row lock that a reply takes, it either finds the reply or closes the
// window: nothing falls between (Property 6). While the window is open, or when
// the recipient is already further, it only tells how things stand.
func (s *Store) CloseWindow(ctx context.Context, campaignID, contactID uuid.UUID) (Progress, error) {
	var progress Progress
	err := s.transaction(ctx, "closing the reply window", func(tx *gorm.DB) error {
		var row struct {
			State        campaign.RecipientState
			WindowEndsAt *time.Time
		}
		if err := first(tx, &row, `SELECT state, window_ends_at FROM recipients
			WHERE campaign_id = ? AND contact_id = ? FOR UPDATE`, campaignID, contactID); err != nil {
			return err
		}
		at, err := now(tx)
		if err != nil {
			return err
		}
		progress = Progress{State: row.State, WindowLeft: windowLeft(row.WindowEndsAt, at)}
		if row.State != campaign.Message1Sent || campaign.InWindow(at, *row.WindowEndsAt) {
			return nil
		}
		progress.State = campaign.NoInteraction
		if err := finishRecipient(tx, campaignID, contactID, campaign.NoInteraction, "", at); err != nil {
			return err
		}
		return tx.Exec(`UPDATE messages SET status = 'no_interaction'
			WHERE campaign_id = ? AND contact_id = ? AND message_type = 'message_1' AND status IN ('sent', 'delivered', 'read')`,
			campaignID, contactID).Error
	})
	return progress, err
}

// Recipient names one contact of one campaign.
type Recipient struct {
	CampaignID uuid.UUID
	ContactID  uuid.UUID
}

// UnansweredReplies lists recipients whose Message 2 has been owed for at least
// the given age and is not on its way: their workflows may have missed the
// wake-up. Oldest first.
func (s *Store) UnansweredReplies(ctx context.Context, age time.Duration, limit int) ([]Recipient, error) {
	var recipients []Recipient
	err := s.transaction(ctx, "looking for unanswered replies", func(tx *gorm.DB) error {
		at, err := now(tx)
		if err != nil {
			return err
		}
		return tx.Raw(`
			SELECT r.campaign_id, r.contact_id FROM recipients r
			JOIN messages m ON m.campaign_id = r.campaign_id AND m.contact_id = r.contact_id AND m.message_type = 'message_2'
			WHERE r.device_id = ? AND r.state = 'replied' AND m.status = 'pending' AND r.replied_at < ?
			ORDER BY r.replied_at LIMIT ?`, s.deviceID, at.Add(-age), limit).Scan(&recipients).Error
	})
	return recipients, err
}
