package store

import (
	"errors"
	"time"

	"github.com/google/uuid"
	"gorm.io/gorm"

	"github.com/relance/relance/campaign"
)

// applyReply records an inbound message and decides what it earns. The moment
// of decision is the database's clock once the recipient's row is locked.
func (s *Store) applyReply(tx *gorm.DB, event campaign.Event) (Effect, Recipient, error) {
	recipient, err := s.repliedTo(tx, event)
	if errors.Is(err, ErrNotFound) {
		return Effect{Outcome: "reply from somebody never messaged"}, Recipient{}, nil
	}
	if err != nil {
		return Effect{}, Recipient{}, err
	}
	row, err := lockMessage1(tx, recipient)
	if err != nil {
		return Effect{}, Recipient{}, err
	}
	at, err := now(tx)
	if err != nil {
		return Effect{}, Recipient{}, err
	}
	if row.SentAt == nil && row.ClaimedAt != nil {
		// Nobody answers a message that was not sent.
		if row, err = s.markSent(tx, row, *row.ClaimedAt, at); err != nil {
			return Effect{}, Recipient{}, err
		}
	}
	inTime := row.WindowEndsAt != nil && campaign.InWindow(at, *row.WindowEndsAt)
	id, err := uuid.NewV7()
	if err != nil {
		return Effect{}, Recipient{}, err
	}
	recorded := tx.Exec(`
		INSERT INTO interactions (id, campaign_id, contact_id, interaction_type, received_at, within_24h, event_key)
		VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (event_key) DO NOTHING`,
		id, recipient.CampaignID, recipient.ContactID, event.Interaction, at, inTime, event.Key)
	if recorded.Error != nil {
		return Effect{}, Recipient{}, recorded.Error
	}
	if recorded.RowsAffected == 0 {
		return Effect{Outcome: "repeated reply"}, recipient, nil
	}
	effect, err := s.answer(tx, row, inTime, at)
	return effect, recipient, err
}

// answer moves the recipient on: the first reply inside the window earns
// Message 2 (Properties 6 and 10), the first one after it is late.
func (s *Store) answer(tx *gorm.DB, row sentRow, inTime bool, at time.Time) (Effect, error) {
	recipient := Recipient{CampaignID: row.CampaignID, ContactID: row.ContactID}
	switch {
	case inTime && (row.State == campaign.Message1Sent || row.State.CanSettleAs(row.StateReason, campaign.Replied)):
		if err := tx.Exec(`UPDATE recipients SET state = 'replied', state_reason = '', replied_at = ?, finished_at = NULL WHERE campaign_id = ? AND contact_id = ?`,
			at, row.CampaignID, row.ContactID).Error; err != nil {
			return Effect{}, err
		}
		err := tx.Exec(`
			INSERT INTO messages (id, campaign_id, contact_id, device_id, message_type)
			SELECT gen_random_uuid(), campaign_id, contact_id, device_id, 'message_2' FROM recipients
			WHERE campaign_id = ? AND contact_id = ?
			ON CONFLICT (campaign_id, contact_id, message_type) DO NOTHING`, row.CampaignID, row.ContactID).Error
		return Effect{Outcome: "reply in time", Wake: recipient}, err
	case row.WindowEndsAt != nil && row.State.CanBecome(campaign.LateInteraction):
		err := finishRecipient(tx, row.CampaignID, row.ContactID, campaign.LateInteraction, "", at)
		return Effect{Outcome: "late reply", Wake: recipient}, err
	}
	return Effect{Outcome: "further reply"}, nil
}

// repliedTo finds whom a reply belongs to: the campaign whose message it
// quotes; else the newest one with an open, unanswered window; else the newest
// one that messaged the contact.
func (s *Store) repliedTo(tx *gorm.DB, event campaign.Event) (Recipient, error) {
	var recipient Recipient
	if event.QuotedWAID != "" || event.QuotedReference != "" {
		reference, err := uuid.Parse(event.QuotedReference)
		if err != nil {
			reference = uuid.Nil // not one of ours; no row has it
		}
		err = first(tx, &recipient, `
			SELECT m.campaign_id, m.contact_id FROM messages m
			JOIN recipients r ON r.campaign_id = m.campaign_id AND r.contact_id = m.contact_id
			WHERE r.phone = ? AND (m.wa_id = nullif(?, '') OR m.id = ?) LIMIT 1`,
			event.Phone, event.QuotedWAID, reference)
		if !errors.Is(err, ErrNotFound) {
			return recipient, err
		}
	}
	at, err := now(tx)
	if err != nil {
		return recipient, err
	}
	err = first(tx, &recipient, `
		SELECT r.campaign_id, r.contact_id
		FROM recipients r JOIN messages m ON m.campaign_id = r.campaign_id AND m.contact_id = r.contact_id AND m.message_type = 'message_1'
		WHERE r.phone = ? AND m.claimed_at IS NOT NULL AND (m.status NOT IN ('pending', 'failed') OR m.sent_at IS NOT NULL)
		ORDER BY (r.state = 'message_1_sent' AND r.window_ends_at > ? OR m.status = 'sending') DESC,
		         coalesce(r.message_1_sent_at, m.claimed_at) DESC
		LIMIT 1`, event.Phone, at)
	return recipient, err
}

// lockMessage1 locks a recipient and its Message 1.
func lockMessage1(tx *gorm.DB, recipient Recipient) (sentRow, error) {
	var id uuid.UUID
	if err := value(tx, &id, `SELECT id FROM messages WHERE campaign_id = ? AND contact_id = ? AND message_type = 'message_1'`,
		recipient.CampaignID, recipient.ContactID); err != nil {
		return sentRow{}, err
	}
	return lockMessage(tx, id)
}
