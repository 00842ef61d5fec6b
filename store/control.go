package store

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"gorm.io/gorm"

	"github.com/relance/relance/campaign"
)

// Pause holds a running campaign's Message 1s back from the moment it returns; a
// reply still gets its Message 2. Pausing a paused campaign changes nothing.
// Any other is an [ErrConflict].
func (s *Store) Pause(ctx context.Context, id uuid.UUID, reason string) error {
	return s.control(ctx, "pausing the campaign", id, func(tx *gorm.DB, status campaign.Status, _ time.Time) error {
		if status == campaign.Paused {
			return nil
		}
		return s.become(tx, id, status, campaign.Paused, reason)
	})
}

// Resume lets a paused campaign go on. The admin's word also lifts the halt of
// the campaign's device: if it still cannot send, the next message halts it again.
func (s *Store) Resume(ctx context.Context, id uuid.UUID) error {
	return s.control(ctx, "resuming the campaign", id, func(tx *gorm.DB, status campaign.Status, _ time.Time) error {
		// A halted device also holds up campaigns launched since, and the answers
		// that a completed one still owes.
		if status != campaign.Running && status != campaign.Completed {
			if err := s.become(tx, id, status, campaign.Running, ""); err != nil {
				return err
			}
		}
		lifted := tx.Exec(`UPDATE devices d SET halted_at = NULL, halt_reason = '' FROM campaigns c
			WHERE c.id = ? AND d.id = c.device_id AND d.halted_at IS NOT NULL`, id)
		if lifted.Error == nil && lifted.RowsAffected == 0 && status == campaign.Completed {
			return fmt.Errorf("a %s campaign cannot be resumed: %w", status, ErrConflict)
		}
		return lifted.Error
	})
}

// Cancel ends a campaign. From the moment it returns nothing more is claimed:
// who was not sent Message 1 ends as not_sent, who was and is not final as
// stopped. A message that may just be leaving is settled by its own workflow.
func (s *Store) Cancel(ctx context.Context, id uuid.UUID) error {
	err := s.control(ctx, "cancelling the campaign", id, func(tx *gorm.DB, status campaign.Status, at time.Time) error {
		if status == campaign.Cancelled {
			return nil
		}
		if err := s.become(tx, id, status, campaign.Cancelled, ""); err != nil {
			return err
		}
		if err := leaveUnsent(tx, id, campaign.ReasonCancelled, at); err != nil {
			return err
		}
		return stopAnswers(tx, id, campaign.ReasonCancelled, at)
	})
	if err != nil {
		return err
	}
	return s.storeTotals(ctx, id)
}

// stopAnswers ends every recipient who was sent Message 1 and whose Message 2
// has surely not left.
func stopAnswers(tx *gorm.DB, id uuid.UUID, reason campaign.Reason, at time.Time) error {
	return tx.Exec(`
		UPDATE recipients r SET state = 'stopped', state_reason = ?, finished_at = ?
		FROM (SELECT r.contact_id FROM recipients r
		      LEFT JOIN messages m ON m.campaign_id = r.campaign_id AND m.contact_id = r.contact_id AND m.message_type = 'message_2'
		      WHERE r.campaign_id = ? AND r.state IN ('message_1_sent', 'replied') AND coalesce(m.status, 'pending') = 'pending'
		      ORDER BY r.position FOR UPDATE OF r) alive
		WHERE r.campaign_id = ? AND r.contact_id = alive.contact_id`, reason, at, id, id).Error
}

// RetryFailed gives every recipient whose Message 1 failed another four
// attempts in the same campaign, and tells how many that are. Whose outcome is
// unknown is left alone: it may have left.
func (s *Store) RetryFailed(ctx context.Context, id uuid.UUID) (retried int64, err error) {
	err = s.control(ctx, "retrying failed messages", id, func(tx *gorm.DB, status campaign.Status, _ time.Time) error {
		if status != campaign.Running && status != campaign.Paused {
			return fmt.Errorf("a %s campaign sends nothing any more; start a new one for these contacts: %w", status, ErrConflict)
		}
		if err := tx.Exec(`
			WITH failed AS (
			    SELECT r.contact_id, m.id FROM recipients r
			    JOIN messages m ON m.campaign_id = r.campaign_id AND m.contact_id = r.contact_id AND m.message_type = 'message_1'
			    WHERE r.campaign_id = @campaign AND r.state IN ('failed', 'not_sent') AND m.status = 'failed' AND m.sent_at IS NULL
			    ORDER BY r.position FOR UPDATE)
			UPDATE messages m SET status = 'pending', attempts = 0, claimed_at = NULL, failed_at = NULL, error = ''
			FROM failed WHERE m.id = failed.id`, map[string]any{"campaign": id}).Error; err != nil {
			return err
		}
		reset := tx.Exec(`
			UPDATE recipients r SET state = 'pending', state_reason = '', wave = NULL, not_before = NULL, finished_at = NULL
			FROM messages m
			WHERE r.campaign_id = ? AND m.campaign_id = r.campaign_id AND m.contact_id = r.contact_id
			  AND m.message_type = 'message_1' AND m.status = 'pending' AND r.state IN ('failed', 'not_sent')
			  AND r.state_reason IN ('invalid_number', 'refused', 'attempts_spent')`, id)
		retried = reset.RowsAffected
		return reset.Error
	})
	return retried, err
}

// Launch schedules a draft, for now or for later.
func (s *Store) Launch(ctx context.Context, id uuid.UUID, scheduledAt *time.Time) error {
	return s.transaction(ctx, "launching the campaign", func(tx *gorm.DB) error {
		var status campaign.Status
		if err := value(tx, &status, `SELECT status FROM campaigns WHERE id = ? FOR NO KEY UPDATE`, id); err != nil {
			return err
		}
		if err := tx.Exec(`UPDATE campaigns SET scheduled_at = coalesce(?, relance_now()) WHERE id = ?`, scheduledAt, id).Error; err != nil {
			return err
		}
		return s.become(tx, id, status, campaign.Scheduled, "")
	})
}

// control runs an admin's decision about a campaign under its lock, and notes
// that its workflow has to be told.
func (s *Store) control(ctx context.Context, doing string, id uuid.UUID, decide func(tx *gorm.DB, status campaign.Status, at time.Time) error) error {
	return s.transaction(ctx, doing, func(tx *gorm.DB) error {
		var status campaign.Status
		var deviceID string
		if err := value(tx, &deviceID, `SELECT device_id FROM campaigns WHERE id = ?`, id); err != nil {
			return err
		}
		// The device first, as in a claim: what has been claimed is settled
		// before this decision, what has not been is claimed under it.
		if _, err := lockDevice(tx, deviceID); err != nil {
			return err
		}
		if err := value(tx, &status, `SELECT status FROM campaigns WHERE id = ? FOR NO KEY UPDATE`, id); err != nil {
			return err
		}
		at, err := now(tx)
		if err != nil {
			return err
		}
		if err := decide(tx, status, at); err != nil {
			return err
		}
		return tx.Exec(`UPDATE campaigns SET control_due_at = CASE WHEN started_at IS NOT NULL THEN CAST(? AS timestamptz) END, updated_at = ? WHERE id = ?`, at, at, id).Error
	})
}

func (s *Store) become(tx *gorm.DB, id uuid.UUID, status, next campaign.Status, reason string) error {
	if !status.CanBecome(next) {
		return fmt.Errorf("a %s campaign cannot become %s: %w", status, next, ErrConflict)
	}
	return tx.Exec(`UPDATE campaigns SET status = @next, status_reason = @reason,
		completed_at = CASE WHEN @next = 'cancelled' THEN relance_now() END WHERE id = @id`,
		map[string]any{"next": string(next), "reason": reason, "id": id}).Error
}

// ControlDelivered notes that a campaign's workflow knows of every decision up to the given moment.
func (s *Store) ControlDelivered(ctx context.Context, id uuid.UUID, decided time.Time) error {
	err := s.db.WithContext(ctx).Exec(`UPDATE campaigns SET control_due_at = NULL WHERE id = ? AND control_due_at <= ?`, id, decided).Error
	if err != nil {
		return fmt.Errorf("noting that the workflow was told: %w", err)
	}
	return nil
}

// DueControl is a decision that a campaign's workflow has not been told of.
type DueControl struct {
	CampaignID uuid.UUID `gorm:"column:id"`
	DecidedAt  time.Time `gorm:"column:control_due_at"`
}

// ControlsDue lists decisions that have waited at least age to be told.
func (s *Store) ControlsDue(ctx context.Context, age time.Duration, limit int) ([]DueControl, error) {
	var due []DueControl
	err := s.db.WithContext(ctx).Raw(`SELECT id, control_due_at FROM campaigns
		WHERE control_due_at < relance_now() - make_interval(secs => ?) ORDER BY control_due_at LIMIT ?`,
		age.Seconds(), limit).Scan(&due).Error
	if err != nil {
		return nil, fmt.Errorf("looking for decisions to tell: %w", err)
	}
	return due, nil
}

// HeldUp lists the recipients whose next message may have been held up by what
// has just changed: everyone admitted or owed an answer on the campaign's device.
func (s *Store) HeldUp(ctx context.Context, campaignID uuid.UUID) ([]Recipient, error) {
	var recipients []Recipient
	err := s.db.WithContext(ctx).Raw(`
		SELECT r.campaign_id, r.contact_id FROM recipients r JOIN campaigns c ON c.device_id = r.device_id
		WHERE c.id = ? AND c.status = 'running' AND r.state IN ('admitted', 'replied') AND (r.campaign_id = c.id OR r.state = 'replied')
		ORDER BY r.state DESC, r.position`, campaignID).Scan(&recipients).Error
	if err != nil {
		return nil, fmt.Errorf("listing recipients that were held up: %w", err)
	}
	return recipients, nil
}

// Stopped lists up to limit contacts, behind a position and up to the one it returns,
// who were admitted and then ended by the cancellation of their campaign.
func (s *Store) Stopped(ctx context.Context, campaignID uuid.UUID, behind, limit int) (contacts []uuid.UUID, last int, err error) {
	var rows []struct {
		ContactID uuid.UUID
		Position  int
	}
	if err := s.db.WithContext(ctx).Raw(`
		SELECT contact_id, position FROM recipients
		WHERE campaign_id = ? AND position > ? AND wave IS NOT NULL AND state IN ('stopped', 'not_sent') AND state_reason = ?
		ORDER BY position LIMIT ?`, campaignID, behind, campaign.ReasonCancelled, limit).Scan(&rows).Error; err != nil {
		return nil, 0, fmt.Errorf("listing recipients that were stopped: %w", err)
	}
	for _, row := range rows {
		contacts, last = append(contacts, row.ContactID), row.Position
	}
	return contacts, last, nil
}

// ControlDue is when the newest decision was made that a campaign's workflow has
// not been told of; nil when it knows all.
func (s *Store) ControlDue(ctx context.Context, id uuid.UUID) (*time.Time, error) {
	var due struct{ ControlDueAt *time.Time }
	if err := first(s.db.WithContext(ctx), &due, `SELECT control_due_at FROM campaigns WHERE id = ?`, id); err != nil {
		return nil, fmt.Errorf("looking for a decision to tell: %w", err)
	}
	return due.ControlDueAt, nil
}
