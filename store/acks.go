package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"gorm.io/gorm"

	"github.com/relance/relance/campaign"
)

// applyAck moves one of our messages forward, never back. An acknowledgement
// proves that the message left, even before our own send has returned.
func (s *Store) applyAck(tx *gorm.DB, event campaign.Event) (Effect, error) {
	id, err := acknowledged(tx, event)
	if errors.Is(err, ErrNotFound) {
		return Effect{Outcome: "acknowledgement of an unknown message", Unmatched: true}, nil
	}
	if err != nil {
		return Effect{}, err
	}
	row, err := lockMessage(tx, id)
	if err != nil {
		return Effect{}, err
	}
	at, err := now(tx)
	if err != nil {
		return Effect{}, err
	}
	recipient := Recipient{CampaignID: row.CampaignID, ContactID: row.ContactID}
	effect := Effect{Outcome: outcomeOf(event)}
	if row.ClaimedAt == nil {
		if event.Status == campaign.MessageFailed {
			return Effect{Outcome: "failure of a message never sent"}, nil
		}
		// It left, and the database that knew has been replaced by an older one.
		left := ackMoment(event.At, time.Time{}, at)
		row.ClaimedAt = &left
	}
	if row.SentAt == nil && event.Status != campaign.MessageFailed || row.Status == campaign.MessageSending || row.Status == campaign.MessageUnknown {
		if row, err = s.markSent(tx, row, *row.ClaimedAt, at); err != nil {
			return Effect{}, err
		}
		effect.Wake = []Recipient{recipient}
	}
	if event.Status == campaign.MessageFailed && row.Status.After(campaign.MessageFailed) == campaign.MessageFailed && row.Status != campaign.MessageFailed {
		_, err := failMessage(tx, row, Refusal{Reason: campaign.ReasonUndelivered, Detail: event.Failure}, at)
		effect.Wake = []Recipient{recipient}
		return effect, err
	}
	return effect, moveForward(tx, row, event, ackMoment(event.At, *row.ClaimedAt, at))
}

// KeepAcknowledgement takes in what most webhooks are, in one statement: an
// acknowledgement, alone in its webhook, of a message that is known to have left.
// The webhook is stored together with what follows from it, unless the message is
// of somebody who was erased: then only the message moves. done is false, and
// nothing has been done, for any other, and for one that is stored already.
func (s *Store) KeepAcknowledgement(ctx context.Context, dedupeKey string, raw []byte, event campaign.Event) (done bool, err error) {
	if event.Kind != campaign.EventAck || event.Status == campaign.MessageFailed {
		return false, nil
	}
	id, err := uuid.NewV7()
	if err != nil {
		return false, fmt.Errorf("making a webhook id: %w", err)
	}
	var at *time.Time
	if !event.At.IsZero() {
		at = &event.At
	}
	// Of the message's row alone: what has left concerns nobody else any more.
	// Where another changes it meanwhile, PostgreSQL looks at the row again.
	// The space before @raw keeps gorm from writing its bytes as a list.
	err = value(s.db.WithContext(ctx), &done, `
		WITH clock AS MATERIALIZED (SELECT relance_now() AS now),
		settled AS MATERIALIZED (
		    SELECT id, erased, least(greatest(coalesce(CAST(@at AS timestamptz), clock.now), claimed_at), clock.now) AS moment
		    FROM (`+theAcknowledged+`) found JOIN messages m USING (id), clock
		    WHERE m.status IN ('sent', 'delivered', 'read', 'no_interaction')),
		kept AS (
		    INSERT INTO webhook_events (id, dedupe_key, raw, received_at, due_at, processed_at, outcome)
		    SELECT @webhook, @key, CAST( @raw AS bytea), clock.now, clock.now, clock.now, @outcome FROM clock, settled
		    WHERE NOT settled.erased
		    ON CONFLICT (dedupe_key) DO NOTHING RETURNING true),
		moved AS (
		    UPDATE messages m
		    SET status = CASE WHEN @status = 'read' AND m.status IN ('sent', 'delivered') OR @status = 'delivered' AND m.status = 'sent'
		                      THEN @status ELSE m.status END,
		        delivered_at = CASE WHEN @status IN ('delivered', 'read') THEN least(coalesce(m.delivered_at, moment), moment) ELSE m.delivered_at END,
		        read_at = CASE WHEN @status = 'read' THEN coalesce(m.read_at, moment) ELSE m.read_at END,
		        wa_id = coalesce(m.wa_id, nullif(@wa_id, '')), provider_id = coalesce(m.provider_id, nullif(@provider_id, ''))
		    FROM settled WHERE m.id = settled.id AND (settled.erased OR EXISTS (SELECT FROM kept)))
		SELECT EXISTS (SELECT FROM kept) OR EXISTS (SELECT FROM settled WHERE erased)`, map[string]any{
		"reference": reference(event.Reference), "wa_id": event.WAID, "provider_id": event.ProviderID,
		"status": string(event.Status), "at": at, "webhook": id, "key": dedupeKey, "raw": raw, "outcome": outcomeOf(event),
	})
	if err != nil {
		return false, fmt.Errorf("storing an acknowledgement: %w", err)
	}
	return done, nil
}

func outcomeOf(ack campaign.Event) string { return "acknowledged: " + string(ack.Status) }

// reference reads our own reference; what is not one of ours no row has.
func reference(text string) uuid.UUID {
	id, err := uuid.Parse(text)
	if err != nil {
		return uuid.Nil
	}
	return id
}

// theAcknowledged is the message that an acknowledgement is about: by our own
// reference, then WhatsApp's id, then the provider's.
const theAcknowledged = `
	SELECT id FROM messages
	WHERE id = @reference OR wa_id = nullif(@wa_id, '') OR provider_id = nullif(@provider_id, '')
	ORDER BY id = @reference DESC, wa_id = nullif(@wa_id, '') DESC NULLS LAST
	LIMIT 1`

func acknowledged(tx *gorm.DB, event campaign.Event) (uuid.UUID, error) {
	var id uuid.UUID
	err := value(tx, &id, theAcknowledged, map[string]any{
		"reference": reference(event.Reference), "wa_id": event.WAID, "provider_id": event.ProviderID,
	})
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
