package store

import (
	"context"
	"fmt"
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
		if err := s.knowsAll(tx); err != nil {
			return err
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

// UnansweredReplies takes recipients whose Message 2 has been owed for at least
// the given age and is not on its way: their workflows may have missed the
// wake-up. Each is taken again only after a quarter of the time it has been owed,
// so that what holds an answer up is not met by a storm of wake-ups; several
// callers at once take different ones. Nothing is taken while the device is halted
// or the database has to be reconciled.
func (s *Store) UnansweredReplies(ctx context.Context, age time.Duration, limit int) ([]Recipient, error) {
	var recipients []Recipient
	err := s.transaction(ctx, "looking for unanswered replies", func(tx *gorm.DB) error {
		at, err := now(tx)
		if err != nil {
			return err
		}
		return tx.Raw(`
			UPDATE recipients SET woken_at = @at
			WHERE (campaign_id, contact_id) IN (
			    SELECT r.campaign_id, r.contact_id FROM recipients r
			    JOIN devices d ON d.id = r.device_id AND d.halted_at IS NULL
			    JOIN messages m ON m.campaign_id = r.campaign_id AND m.contact_id = r.contact_id AND m.message_type = 'message_2'
			    WHERE NOT (`+isRestored+`) AND r.device_id = @device AND r.state = 'replied' AND m.status = 'pending' AND r.replied_at < @before
			      AND (r.woken_at IS NULL OR r.woken_at < r.replied_at
			           OR r.woken_at < CAST(@at AS timestamptz) - greatest(interval '2 seconds', (CAST(@at AS timestamptz) - r.replied_at) / 4))
			    ORDER BY r.replied_at LIMIT @limit FOR UPDATE OF r SKIP LOCKED)
			RETURNING campaign_id, contact_id`, map[string]any{
			"at": at, "device": s.deviceID, "before": at.Add(-age), "limit": limit,
		}).Scan(&recipients).Error
	})
	return recipients, err
}

// isRestored is [ErrRestored] within a statement, where it is asked once.
const isRestored = `SELECT coalesce(lineage <> relance_lineage(), false) FROM devices WHERE id = @device`

// Overdue takes recipients whose window closed at least age ago and whom no
// workflow has closed it for: theirs is gone. Each is taken again only after that
// age; several callers at once take different ones.
func (s *Store) Overdue(ctx context.Context, age time.Duration, limit int) ([]Recipient, error) {
	var recipients []Recipient
	err := s.transaction(ctx, "looking for overdue recipients", func(tx *gorm.DB) error {
		at, err := now(tx)
		if err != nil {
			return err
		}
		return tx.Raw(`
			UPDATE recipients SET woken_at = @at
			WHERE (campaign_id, contact_id) IN (
			    SELECT campaign_id, contact_id FROM recipients
			    WHERE NOT (`+isRestored+`) AND device_id = @device AND state = 'message_1_sent' AND window_ends_at < @before
			      AND (woken_at IS NULL OR woken_at < @before)
			    ORDER BY window_ends_at LIMIT @limit FOR UPDATE SKIP LOCKED)
			RETURNING campaign_id, contact_id`, map[string]any{
			"at": at, "device": s.deviceID, "before": at.Add(-age), "limit": limit,
		}).Scan(&recipients).Error
	})
	return recipients, err
}

// OpenWithoutNeed lists campaigns that have been launched and are not closed although
// everybody in them is final, the last of them since the given age ago.
func (s *Store) OpenWithoutNeed(ctx context.Context, age time.Duration, limit int) ([]uuid.UUID, error) {
	var ids []uuid.UUID
	var rows []struct{ ID uuid.UUID }
	err := s.db.WithContext(ctx).Raw(`
		SELECT c.id FROM campaigns c
		WHERE NOT (`+isRestored+`) AND c.device_id = @device AND c.status IN ('running', 'paused') AND NOT EXISTS (
		    SELECT FROM recipients r WHERE r.campaign_id = c.id AND r.state IN ('pending', 'admitted', 'message_1_sent', 'replied'))
		  AND EXISTS (SELECT FROM recipients r WHERE r.campaign_id = c.id AND r.finished_at >= relance_now() - make_interval(secs => @age))
		LIMIT @limit`, map[string]any{"device": s.deviceID, "age": age.Seconds(), "limit": limit}).Scan(&rows).Error
	if err != nil {
		return nil, fmt.Errorf("looking for campaigns to close: %w", err)
	}
	for _, row := range rows {
		ids = append(ids, row.ID)
	}
	return ids, nil
}

// Unfinished lists admitted recipients of a campaign who are not final.
func (s *Store) Unfinished(ctx context.Context, campaignID uuid.UUID, limit int) ([]Recipient, error) {
	var recipients []Recipient
	err := s.db.WithContext(ctx).Raw(`
		SELECT campaign_id, contact_id FROM recipients
		WHERE campaign_id = ? AND state IN ('admitted', 'message_1_sent', 'replied') ORDER BY position LIMIT ?`,
		campaignID, limit).Scan(&recipients).Error
	if err != nil {
		return nil, fmt.Errorf("listing unfinished recipients: %w", err)
	}
	return recipients, nil
}
