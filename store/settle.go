package store

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"gorm.io/gorm"

	"github.com/relance/relance/campaign"
)

// sentRow is a message with its recipient, both locked.
type sentRow struct {
	ID           uuid.UUID
	CampaignID   uuid.UUID
	ContactID    uuid.UUID
	MessageType  campaign.MessageType
	Status       campaign.MessageStatus
	Attempts     int
	ClaimedAt    *time.Time
	SentAt       *time.Time
	AbsentSince  *time.Time
	State        campaign.RecipientState
	StateReason  campaign.Reason
	WindowEndsAt *time.Time
	RepliedAt    *time.Time

	Message1SentAt *time.Time `gorm:"column:message_1_sent_at"`
	FinishedAt     *time.Time
}

func (row sentRow) recipient() Recipient {
	return Recipient{CampaignID: row.CampaignID, ContactID: row.ContactID}
}

// lockMessage locks a message's recipient and then the message.
func lockMessage(tx *gorm.DB, messageID uuid.UUID) (sentRow, error) {
	return lock(tx, `m.id = ?`, messageID)
}

// lockMessages locks several, always in the same order.
func lockMessages(tx *gorm.DB, ids UUIDs) (map[uuid.UUID]sentRow, error) {
	var rows []sentRow
	if err := tx.Raw(lockedBy(`m.id = ANY (?::uuid[])`), ids).Scan(&rows).Error; err != nil {
		return nil, err
	}
	byID := make(map[uuid.UUID]sentRow, len(rows))
	for _, row := range rows {
		byID[row.ID] = row
	}
	return byID, nil
}

func lock(tx *gorm.DB, which string, values ...any) (sentRow, error) {
	var row sentRow
	err := first(tx, &row, lockedBy(which), values...)
	return row, err
}

func lockedBy(which string) string {
	return `
		SELECT m.id, m.campaign_id, m.contact_id, m.message_type, m.status, m.attempts, m.claimed_at, m.sent_at, m.absent_since,
		       r.state, r.state_reason, r.window_ends_at, r.replied_at, r.message_1_sent_at, r.finished_at
		FROM recipients r JOIN messages m ON m.campaign_id = r.campaign_id AND m.contact_id = r.contact_id
		WHERE ` + which + ` ORDER BY r.campaign_id, r.contact_id FOR UPDATE OF r, m`
}

func (row sentRow) progress(at time.Time) Progress {
	return Progress{State: row.State, WindowLeft: windowLeft(row.WindowEndsAt, at)}
}

// Refusal is the provider's word that a message will never leave.
type Refusal struct {
	Reason campaign.Reason
	Detail string // for people; holds neither number nor text
}

// SettleRefused records that a claimed message was refused for good.
func (s *Store) SettleRefused(ctx context.Context, messageID uuid.UUID, token time.Time, refusal Refusal) (Progress, error) {
	return s.underClaim(ctx, "settling a refused message", messageID, token, func(tx *gorm.DB, row sentRow, at time.Time) (sentRow, error) {
		return failMessage(tx, row, refusal, at)
	})
}

// Release gives back a claimed message that surely has not left. reached tells
// whether the provider saw the request, which then used up an attempt; when
// none is left, the message has failed.
func (s *Store) Release(ctx context.Context, messageID uuid.UUID, token time.Time, reached bool, detail string) (Progress, error) {
	return s.underClaim(ctx, "releasing a message", messageID, token, func(tx *gorm.DB, row sentRow, at time.Time) (sentRow, error) {
		return releaseMessage(tx, row, reached, detail, at)
	})
}

// underClaim decides about a message that is still claimed with the given
// token. A claim that has been settled or succeeded by another is left alone.
func (s *Store) underClaim(ctx context.Context, doing string, messageID uuid.UUID, token time.Time,
	decide func(tx *gorm.DB, row sentRow, at time.Time) (sentRow, error),
) (Progress, error) {
	var progress Progress
	err := s.transaction(ctx, doing, func(tx *gorm.DB) error {
		row, err := lockMessage(tx, messageID)
		if err != nil {
			return err
		}
		at, err := now(tx)
		if err != nil {
			return err
		}
		if row.Status == campaign.MessageSending && row.ClaimedAt.Equal(token) {
			row, err = decide(tx, row, at)
		}
		progress = row.progress(at)
		return err
	})
	return progress, err
}

func releaseMessage(tx *gorm.DB, row sentRow, reached bool, detail string, at time.Time) (sentRow, error) {
	if reached && row.Attempts >= campaign.MaxAttempts {
		return failMessage(tx, row, Refusal{Reason: campaign.ReasonAttemptsSpent, Detail: detail}, at)
	}
	if !reached {
		row.Attempts--
	}
	row.Status = campaign.MessagePending
	return row, tx.Exec(`
		UPDATE messages SET status = 'pending', attempts = ?, absent_since = NULL, error = ? WHERE id = ?`,
		row.Attempts, detail, row.ID).Error
}

func failMessage(tx *gorm.DB, row sentRow, refusal Refusal, at time.Time) (sentRow, error) {
	if err := tx.Exec(`UPDATE messages SET status = 'failed', failed_at = ?, error = ? WHERE id = ?`,
		at, refusal.Detail, row.ID).Error; err != nil {
		return row, err
	}
	row.Status = campaign.MessageFailed
	// Who has replied got Message 1, whatever WhatsApp reports of it afterwards.
	answered := row.MessageType == campaign.Message1 && row.State == campaign.Replied
	if answered || !row.State.CanBecome(campaign.Failed) {
		return row, nil
	}
	row.State, row.StateReason = campaign.Failed, refusal.Reason
	if refusal.Reason == campaign.ReasonInvalidNumber && row.MessageType == campaign.Message1 {
		row.State = campaign.NotSent
	}
	return row, finishRecipient(tx, row.CampaignID, row.ContactID, row.State, row.StateReason, at)
}

// LookedUpAbsent records that the provider knows no message with the reference
// of a claimed message. Only when look-ups find nothing from one moment to
// another SEND_SETTLE later has it surely never left; then it is released.
// ago is how long ago the look-up was begun. wait is when to look again, 0 once
// the message is decided.
func (s *Store) LookedUpAbsent(ctx context.Context, messageID uuid.UUID, token time.Time, ago time.Duration) (progress Progress, wait time.Duration, err error) {
	progress, err = s.underClaim(ctx, "recording a look-up that found nothing", messageID, token, func(tx *gorm.DB, row sentRow, at time.Time) (sentRow, error) {
		wait = 0
		switch {
		case row.AbsentSince == nil:
			wait = s.rules.SendSettle / 4
			return row, tx.Exec(`UPDATE messages SET absent_since = ? WHERE id = ?`, at, row.ID).Error
		case at.Add(-ago).Sub(*row.AbsentSince) < s.rules.SendSettle:
			wait = s.rules.SendSettle / 4
			return row, nil
		}
		return releaseMessage(tx, row, true, "the provider never received it", at)
	})
	return progress, wait, err
}

// GiveUp marks a claimed message as unknown once the window that began with its
// claim has passed without anybody being able to tell whether it left.
// It reports false while that window is open.
func (s *Store) GiveUp(ctx context.Context, messageID uuid.UUID, token time.Time) (progress Progress, gaveUp bool, err error) {
	progress, err = s.underClaim(ctx, "giving up on a message", messageID, token, func(tx *gorm.DB, row sentRow, at time.Time) (sentRow, error) {
		gaveUp = false
		if campaign.InWindow(at, campaign.WindowEnd(*row.ClaimedAt, s.rules.ReplyWindow)) {
			return row, nil
		}
		gaveUp = true
		reason := campaign.ReasonMessage1Unknown
		if row.MessageType == campaign.Message2 {
			reason = campaign.ReasonMessage2Unknown
		}
		// It may have left just now: the quota counts it from here.
		if err := tx.Exec(`UPDATE messages SET status = 'unknown', counted_at = ?, absent_since = NULL, error = ? WHERE id = ?`,
			at, "nobody can tell whether it left", row.ID).Error; err != nil {
			return row, err
		}
		row.Status, row.State, row.StateReason = campaign.MessageUnknown, campaign.Failed, reason
		return row, finishRecipient(tx, row.CampaignID, row.ContactID, row.State, row.StateReason, at)
	})
	return progress, gaveUp, err
}

// UnknownMessage is a message of which nobody can tell whether it left.
type UnknownMessage struct{ ID uuid.UUID }

// UnknownMessages takes up to limit unknown messages that have not been looked
// up for a 24th of the reply window, and notes that they are being looked up
// now. They are looked for until they are a week of windows old.
func (s *Store) UnknownMessages(ctx context.Context, limit int) ([]UnknownMessage, error) {
	var messages []UnknownMessage
	err := s.transaction(ctx, "taking unknown messages", func(tx *gorm.DB) error {
		at, err := now(tx)
		if err != nil {
			return err
		}
		return tx.Raw(`
			UPDATE messages SET absent_since = @at WHERE id IN (
			    SELECT id FROM messages
			    WHERE status = 'unknown' AND claimed_at > @oldest AND (absent_since IS NULL OR absent_since < @looked)
			    ORDER BY claimed_at LIMIT @limit FOR UPDATE SKIP LOCKED)
			RETURNING id`, map[string]any{
			"at": at, "oldest": at.Add(-7 * s.rules.ReplyWindow), "looked": at.Add(-s.rules.ReplyWindow / 24), "limit": limit,
		}).Scan(&messages).Error
	})
	return messages, err
}

// HaltDevice records that the device cannot send any more and why, gives the
// claimed message back, and pauses the device's running campaigns.
func (s *Store) HaltDevice(ctx context.Context, messageID uuid.UUID, token time.Time, reason string) (Progress, error) {
	progress, err := s.Release(ctx, messageID, token, false, reason)
	if err != nil {
		return progress, err
	}
	return progress, s.transaction(ctx, "halting the device", func(tx *gorm.DB) error {
		var deviceID string
		if err := value(tx, &deviceID, `SELECT device_id FROM messages WHERE id = ?`, messageID); err != nil {
			return err
		}
		if _, err := lockDevice(tx, deviceID); err != nil {
			return err
		}
		if err := tx.Exec(`UPDATE devices SET halted_at = coalesce(halted_at, relance_now()), halt_reason = ? WHERE id = ?`,
			reason, deviceID).Error; err != nil {
			return err
		}
		return tx.Exec(`UPDATE campaigns SET status = 'paused', status_reason = ?, updated_at = relance_now()
			WHERE device_id = ? AND status = 'running'`, fmt.Sprintf("device halted: %s", reason), deviceID).Error
	})
}
