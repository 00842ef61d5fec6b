package store

import (
	"time"

	"github.com/google/uuid"

	"github.com/relance/relance/campaign"
)

// takeIn applies replies that are not stored, as of when they were sent. Those that
// are stored keep the moment at which they were taken in. What somebody wrote who has
// been erased since is obeyed and not stored, as when it comes by webhook.
func (r reconciling) takeIn(inbound []Inbound) error {
	events := make([]campaign.Event, len(inbound))
	for i, reply := range inbound {
		events[i] = reply.Event
	}
	erased, err := aboutErased(r.tx, events)
	if err != nil {
		return err
	}
	for i, reply := range inbound {
		receivedAt := momentOf(reply.Event.At, r.at)
		isNew := false
		if !erased[i] {
			if isNew, err = r.keep(reply, receivedAt); err != nil {
				return err
			}
		}
		if isNew {
			r.settled.Replies++
		}
		if isNew || erased[i] {
			if _, err := r.applyReply(r.tx, reply.Event, receivedAt); err != nil {
				return err
			}
		}
	}
	return nil
}

// keep stores a reply, unless it is.
func (r reconciling) keep(reply Inbound, receivedAt time.Time) (isNew bool, err error) {
	id, err := uuid.NewV7()
	if err != nil {
		return false, err
	}
	// The space before @raw keeps gorm from writing its bytes as a list.
	kept := r.tx.Exec(`
		INSERT INTO webhook_events (id, dedupe_key, raw, received_at, due_at, processed_at, outcome)
		SELECT @id, @key, CAST( @raw AS bytea), @received, @at, @at, 'found at the provider'
		WHERE NOT EXISTS (SELECT FROM interactions WHERE event_key = @event)
		ON CONFLICT (dedupe_key) DO NOTHING`, map[string]any{
		"id": id, "key": reply.Key, "raw": reply.Raw, "received": receivedAt, "at": r.at, "event": reply.Event.Key,
	})
	return kept.RowsAffected > 0, kept.Error
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
