package store

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"gorm.io/gorm"

	"github.com/relance/relance/campaign"
)

// WebhookEvent is one webhook as it came in.
type WebhookEvent struct {
	ID  uuid.UUID
	Raw []byte
	// Processed: everything that follows from it has been committed.
	Processed bool
}

// KeepWebhook stores a webhook before anything else is done with it. A
// repetition, recognised by its key, answers with what is already stored.
func (s *Store) KeepWebhook(ctx context.Context, dedupeKey string, raw []byte) (WebhookEvent, error) {
	id, err := uuid.NewV7()
	if err != nil {
		return WebhookEvent{}, fmt.Errorf("making a webhook id: %w", err)
	}
	event := WebhookEvent{ID: id, Raw: raw}
	inserted := s.db.WithContext(ctx).Exec(`INSERT INTO webhook_events (id, dedupe_key, raw) VALUES (?, ?, ?)
		ON CONFLICT (dedupe_key) DO NOTHING`, id, dedupeKey, raw)
	if inserted.Error != nil {
		return WebhookEvent{}, fmt.Errorf("storing a webhook: %w", inserted.Error)
	}
	if inserted.RowsAffected == 1 {
		return event, nil
	}
	var stored struct {
		ID          uuid.UUID
		ProcessedAt *time.Time
	}
	if err := first(s.db.WithContext(ctx), &stored,
		`SELECT id, processed_at FROM webhook_events WHERE dedupe_key = ?`, dedupeKey); err != nil {
		return WebhookEvent{}, fmt.Errorf("reading a repeated webhook: %w", err)
	}
	event.ID, event.Processed = stored.ID, stored.ProcessedAt != nil
	return event, nil
}

// UnprocessedWebhooks lists webhooks that were stored at least age ago and then
// forgotten, oldest first.
func (s *Store) UnprocessedWebhooks(ctx context.Context, age time.Duration, limit int) ([]WebhookEvent, error) {
	var events []WebhookEvent
	err := s.transaction(ctx, "looking for unprocessed webhooks", func(tx *gorm.DB) error {
		at, err := now(tx)
		if err != nil {
			return err
		}
		return tx.Raw(`SELECT id, raw FROM webhook_events WHERE processed_at IS NULL AND received_at < ?
			ORDER BY received_at LIMIT ?`, at.Add(-age), limit).Scan(&events).Error
	})
	return events, err
}

// FinishWebhook marks a webhook as processed, with what went wrong if it meant nothing.
func (s *Store) FinishWebhook(ctx context.Context, id uuid.UUID, outcome, problem string) error {
	err := s.db.WithContext(ctx).Exec(`UPDATE webhook_events SET processed_at = relance_now(), outcome = ?, error = ?
		WHERE id = ?`, outcome, problem, id).Error
	if err != nil {
		return fmt.Errorf("finishing a webhook: %w", err)
	}
	return nil
}

// Effect is what an event changed.
type Effect struct {
	// Outcome says in a word or two what was made of the event.
	Outcome string
	// Wake is the recipient whose workflow should look again; zero for none.
	Wake Recipient
}

// Apply takes in one event of a webhook, in one transaction under the lock of
// the recipient it is about. Applied again, it changes nothing.
func (s *Store) Apply(ctx context.Context, event campaign.Event) (Effect, error) {
	var effect Effect
	var recipient Recipient
	err := s.transaction(ctx, "applying a webhook event", func(tx *gorm.DB) error {
		var err error
		switch event.Kind {
		case campaign.EventReply:
			effect, recipient, err = s.applyReply(tx, event)
		case campaign.EventAck:
			effect, recipient, err = s.applyAck(tx, event)
		default:
			effect, recipient = Effect{Outcome: "ignored: " + event.Ignored}, Recipient{}
		}
		return err
	})
	if err != nil || recipient == (Recipient{}) {
		return effect, err
	}
	return effect, s.RefreshTotals(ctx, recipient.CampaignID)
}
