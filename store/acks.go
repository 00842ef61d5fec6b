package store

import (
	"errors"
	"time"

	"github.com/google/uuid"
	"gorm.io/gorm"

	"github.com/relance/relance/campaign"
)

// applyAck moves one of our messages forward, never back. An acknowledgement
// proves that the message left, even before our own send has returned.
func (s *Store) applyAck(tx *gorm.DB, event campaign.Event) (Effect, Recipient, error) {
	id, err := acknowledged(tx, event)
	if errors.Is(err, ErrNotFound) {
		return Effect{Outcome: "acknowledgement of an unknown message", Unmatched: true}, Recipient{}, nil
	}
	if err != nil {
		return Effect{}, Recipient{}, err
	}
	row, err := lockMessage(tx, id)
	if err != nil {
		return Effect{}, Recipient{}, err
	}
	at, err := now(tx)
	if err != nil {
		return Effect{}, Recipient{}, err
	}
	recipient := Recipient{CampaignID: row.CampaignID, ContactID: row.ContactID}
	effect := Effect{Outcome: "acknowledged: " + string(event.Status)}
	if row.ClaimedAt == nil {
		return Effect{Outcome: "acknowledgement of a message never sent"}, Recipient{}, nil
	}
	if row.SentAt == nil && event.Status != campaign.MessageFailed || row.Status == campaign.MessageSending || row.Status == campaign.MessageUnknown {
		if row, err = s.markSent(tx, row, *row.ClaimedAt, at); err != nil {
			return Effect{}, Recipient{}, err
		}
		effect.Wake = []Recipient{recipient}
	}
	if event.Status == campaign.MessageFailed && row.Status.After(campaign.MessageFailed) == campaign.MessageFailed && row.Status != campaign.MessageFailed {
		_, err := failMessage(tx, row, Refusal{Reason: campaign.ReasonUndelivered, Detail: event.Failure}, at)
		effect.Wake = []Recipient{recipient}
		return effect, recipient, err
	}
	return effect, recipient, moveForward(tx, row, event, ackMoment(event.At, *row.ClaimedAt, at))
}

// acknowledged finds the message an acknowledgement is about: by our own
// reference, then WhatsApp's id, then the provider's.
func acknowledged(tx *gorm.DB, event campaign.Event) (uuid.UUID, error) {
	reference, err := uuid.Parse(event.Reference)
	if err != nil {
		reference = uuid.Nil // not one of ours; no row has it
	}
	var id uuid.UUID
	err = value(tx, &id, `
		SELECT id FROM messages
		WHERE id = @reference OR wa_id = nullif(@wa_id, '') OR provider_id = nullif(@provider_id, '')
		ORDER BY id = @reference DESC, wa_id = nullif(@wa_id, '') DESC NULLS LAST
		LIMIT 1`, map[string]any{"reference": reference, "wa_id": event.WAID, "provider_id": event.ProviderID})
	return id, err
}

// ackMoment is the event's own time, kept between the claim and now.
func ackMoment(eventAt, claimedAt, at time.Time) time.Time {
	switch {
	case eventAt.IsZero(), eventAt.After(at):
		return at
	case eventAt.Before(claimedAt):
		return claimedAt
	}
	return eventAt
}

func moveForward(tx *gorm.DB, row sentRow, event campaign.Event, moment time.Time) error {
	return tx.Exec(`
		UPDATE messages SET status = @status,
		       delivered_at = CASE WHEN @delivered THEN least(coalesce(delivered_at, @at), @at) ELSE delivered_at END,
		       read_at = CASE WHEN @read THEN coalesce(read_at, @at) ELSE read_at END,
		       wa_id = coalesce(wa_id, nullif(@wa_id, '')), provider_id = coalesce(provider_id, nullif(@provider_id, ''))
		WHERE id = @id`, map[string]any{
		"status":    row.Status.After(event.Status),
		"delivered": event.Status == campaign.MessageDelivered || event.Status == campaign.MessageRead,
		"read":      event.Status == campaign.MessageRead,
		"at":        moment, "id": row.ID, "wa_id": event.WAID, "provider_id": event.ProviderID,
	}).Error
}
