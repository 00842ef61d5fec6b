package store

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"gorm.io/gorm"

	"github.com/relance/relance/campaign"
)

// Acceptance is the provider's word that a message left.
type Acceptance struct {
	ProviderID string
	WAID       string
	// CreatedAt is the provider's time of a message found by look-up; zero when
	// the provider has just answered, then the database's clock counts.
	CreatedAt time.Time
}

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
}

// lockMessage locks a message's recipient and then the message.
func lockMessage(tx *gorm.DB, messageID uuid.UUID) (sentRow, error) {
	return lock(tx, `m.id = ?`, messageID)
}

func lock(tx *gorm.DB, which string, values ...any) (sentRow, error) {
	var row sentRow
	err := first(tx, &row, `
		SELECT m.id, m.campaign_id, m.contact_id, m.message_type, m.status, m.attempts, m.claimed_at, m.sent_at, m.absent_since,
		       r.state, r.state_reason, r.window_ends_at, r.replied_at
		FROM recipients r JOIN messages m ON m.campaign_id = r.campaign_id AND m.contact_id = r.contact_id
		WHERE `+which+` FOR UPDATE OF r, m`, values...)
	return row, err
}

func (row sentRow) progress(at time.Time) Progress {
	return Progress{State: row.State, WindowLeft: windowLeft(row.WindowEndsAt, at)}
}

// SettleSent records that a message left. It is true whoever says it and
// however late: a forgotten attempt's success counts like any other. A message
// that is already settled only gains the provider's ids it lacked.
func (s *Store) SettleSent(ctx context.Context, messageID uuid.UUID, accepted Acceptance) (Progress, error) {
	var progress Progress
	err := s.transaction(ctx, "settling a sent message", func(tx *gorm.DB) error {
		row, err := lockMessage(tx, messageID)
		if err != nil {
			return err
		}
		at, err := now(tx)
		if err != nil {
			return err
		}
		if err := tx.Exec(`UPDATE messages SET provider_id = coalesce(provider_id, nullif(?, '')), wa_id = coalesce(wa_id, nullif(?, '')) WHERE id = ?`,
			accepted.ProviderID, accepted.WAID, messageID).Error; err != nil {
			return err
		}
		row, err = s.markSent(tx, row, sentMoment(row, accepted.CreatedAt, at), at)
		progress = row.progress(at)
		return err
	})
	return progress, err
}

// sentMoment is when a message left: now for an answer that has just come; the
// provider's own time for one found later, kept between the claim and now so
// that a skewed clock cannot open or close a window by itself.
func sentMoment(row sentRow, createdAt, at time.Time) time.Time {
	if createdAt.IsZero() || row.ClaimedAt == nil {
		return at
	}
	if createdAt.Before(*row.ClaimedAt) {
		return *row.ClaimedAt
	}
	if createdAt.After(at) {
		return at
	}
	return createdAt
}

// markSent moves a message to sent, and its recipient along with it, unless
// that has been done. counted_at is the latest moment at which it can have
// left, so that the quota never forgets a message too early (Property 5).
func (s *Store) markSent(tx *gorm.DB, row sentRow, sentAt, at time.Time) (sentRow, error) {
	if row.SentAt != nil {
		return row, nil
	}
	if err := tx.Exec(`
		UPDATE messages SET status = 'sent', sent_at = ?, counted_at = coalesce(counted_at, ?), error = '', absent_since = NULL WHERE id = ?`,
		sentAt, at, row.ID).Error; err != nil {
		return row, err
	}
	row.Status, row.SentAt = campaign.MessageSent, &sentAt
	if row.MessageType == campaign.Message2 {
		return s.markMessage2Sent(tx, row, at)
	}
	return s.openWindow(tx, row, sentAt, at)
}

func (s *Store) markMessage2Sent(tx *gorm.DB, row sentRow, at time.Time) (sentRow, error) {
	if !row.State.CanBecome(campaign.Message2Sent) && !row.State.CanSettleAs(row.StateReason, campaign.Message2Sent) {
		return row, nil
	}
	row.State = campaign.Message2Sent
	return row, finishRecipient(tx, row.CampaignID, row.ContactID, campaign.Message2Sent, "", at)
}

// openWindow starts the reply window of a recipient whose Message 1 left. When
// that is learnt only after the campaign was cancelled, or after the window has
// passed, or the contact has opted out, the recipient takes the final state that
// follows.
func (s *Store) openWindow(tx *gorm.DB, row sentRow, sentAt, at time.Time) (sentRow, error) {
	if row.State != campaign.Pending && row.State != campaign.Admitted && !row.State.CanSettleAs(row.StateReason, campaign.Message1Sent) {
		return row, nil
	}
	var present struct {
		Status   campaign.Status
		OptedOut bool
	}
	if err := first(tx, &present, `
		SELECT c.status, coalesce(k.opted_out_at IS NOT NULL, false) AS opted_out
		FROM campaigns c LEFT JOIN contacts k ON k.id = ? WHERE c.id = ?`, row.ContactID, row.CampaignID); err != nil {
		return row, err
	}
	ends := campaign.WindowEnd(sentAt, s.rules.ReplyWindow)
	row.State, row.StateReason, row.WindowEndsAt = campaign.Message1Sent, "", &ends
	var finished *time.Time
	switch {
	case present.Status == campaign.Cancelled:
		row.State, row.StateReason, finished = campaign.Stopped, campaign.ReasonCancelled, &at
	case present.OptedOut:
		row.State, row.StateReason, finished = campaign.Stopped, campaign.ReasonOptedOut, &at
	case !campaign.InWindow(at, ends): // its workflow gave up and has ended
		row.State, finished = campaign.NoInteraction, &at
	}
	return row, tx.Exec(`
		UPDATE recipients SET state = ?, state_reason = ?, message_1_sent_at = ?, window_ends_at = ?, finished_at = ?,
		       wave = coalesce(wave, 0)
		WHERE campaign_id = ? AND contact_id = ?`,
		row.State, row.StateReason, sentAt, ends, finished, row.CampaignID, row.ContactID).Error
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
