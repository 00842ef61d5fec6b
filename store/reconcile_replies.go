package store

import (
	"github.com/google/uuid"

	"github.com/relance/relance/campaign"
)

// takeInAll applies what people wrote, in the order in which they did.
func (r reconciling) takeInAll(inbound []Inbound) error {
	events := make([]campaign.Event, len(inbound))
	for i, reply := range inbound {
		events[i] = reply.Event
	}
	erased, err := aboutErased(r.tx, events)
	if err != nil {
		return err
	}
	for i, reply := range inbound {
		take := r.takeIn
		if erased[i] {
			take = r.heed
		}
		if err := take(reply); err != nil {
			return err
		}
	}
	return nil
}

// heed keeps of what somebody wrote who was erased only a wish to be left alone.
// Since nothing of theirs is stored, it may have been heeded before, and a wish to
// be written to again may have been overruled since.
func (r reconciling) heed(reply Inbound) error {
	if campaign.WishOf(reply.Event.Body) != campaign.WishOptOut {
		return nil
	}
	_, _, err := applyWish(r.tx, reply.Event, uuid.Nil, r.at)
	return err
}

// takeIn applies a reply that is not stored, as of when it was sent. One that is
// stored keeps the moment at which it was taken in.
func (r reconciling) takeIn(reply Inbound) error {
	id, err := uuid.NewV7()
	if err != nil {
		return err
	}
	receivedAt := momentOf(reply.Event.At, r.at)
	// The space before @raw keeps gorm from writing its bytes as a list.
	kept := r.tx.Exec(`
		INSERT INTO webhook_events (id, dedupe_key, raw, received_at, due_at, processed_at, outcome)
		SELECT @id, @key, CAST( @raw AS bytea), @received, @at, @at, 'found at the provider'
		WHERE NOT EXISTS (SELECT FROM interactions WHERE event_key = @event)
		ON CONFLICT (dedupe_key) DO NOTHING`, map[string]any{
		"id": id, "key": reply.Key, "raw": reply.Raw, "received": receivedAt, "at": r.at, "event": reply.Event.Key,
	})
	if kept.Error != nil || kept.RowsAffected == 0 {
		return kept.Error
	}
	r.settled.Replies++
	_, err = r.applyReply(r.tx, reply.Event, receivedAt)
	return err
}

// makeAnswers makes the rows of Message 2s that left and whose replies are not to
// be found.
func (r reconciling) makeAnswers(found []Found) error {
	if len(found) == 0 {
		return nil
	}
	return r.tx.Exec(`
		INSERT INTO messages (id, campaign_id, contact_id, device_id, message_type)
		SELECT a.id, a.campaign_id, a.contact_id, a.device_id, 'message_2'
		FROM (SELECT relance_message_id(campaign_id, contact_id, 'message_2') AS id, campaign_id, contact_id, device_id FROM recipients
		      WHERE device_id = ? AND message_1_sent_at IS NOT NULL) a
		JOIN unnest(?::uuid[]) AS found (id) USING (id)
		ON CONFLICT (campaign_id, contact_id, message_type) DO NOTHING`, r.deviceID, references(found)).Error
}
