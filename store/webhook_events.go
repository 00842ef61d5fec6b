package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"
	"gorm.io/gorm"

	"github.com/relance/relance/campaign"
)

// WebhookEvent is one webhook as it came in.
type WebhookEvent struct {
	ID  uuid.UUID
	Raw []byte
	// ReceivedAt is when it was taken in: what a reply is judged by.
	ReceivedAt time.Time
	// Age is how long ago that was.
	Age time.Duration
	// Processed: everything that follows from it has been committed.
	Processed bool
	// Erased: it was not stored, because it tells about somebody who was erased.
	Erased bool
}

// grace is how long the dispatcher leaves a new webhook to whoever took it in.
const grace = 2 * time.Second

// KeepWebhook stores a webhook before anything else is done with it. A
// repetition, recognised by its key, answers with what is already stored.
//
// parkedAt is when it was taken in, on this process's clock, if it could not be
// stored at once, and zero otherwise. A repetition that could is then dated back
// to it, and has to be applied again.
//
// events are what it says. A webhook that says anything about somebody who was
// erased is not stored: it is answered with Erased, and the rest is the caller's.
func (s *Store) KeepWebhook(ctx context.Context, dedupeKey string, raw []byte, parkedAt time.Time, events ...campaign.Event) (WebhookEvent, error) {
	id, err := uuid.NewV7()
	if err != nil {
		return WebhookEvent{}, fmt.Errorf("making a webhook id: %w", err)
	}
	var parked time.Duration
	if !parkedAt.IsZero() {
		// Connected first, so that waiting for that does not date it later.
		if err := s.Ping(ctx); err != nil {
			return WebhookEvent{}, fmt.Errorf("storing a parked webhook: %w", err)
		}
		parked = max(time.Since(parkedAt), time.Microsecond)
	}
	var stored webhookRow
	// The space before @raw keeps gorm from writing its bytes as a list.
	err = first(s.db.WithContext(ctx), &stored, `
		INSERT INTO webhook_events AS e (id, dedupe_key, raw, received_at, due_at)
		SELECT CAST(@id AS uuid), CAST(@key AS text), CAST( @raw AS bytea), now - make_interval(secs => @parked), now + make_interval(secs => @grace)
		FROM (SELECT relance_now() AS now) clock
		WHERE NOT EXISTS (SELECT FROM `+toldAbout+` WHERE about_erased(told.phones, told.message, told.wa_message))
		ON CONFLICT (dedupe_key) DO UPDATE SET received_at = excluded.received_at, due_at = excluded.due_at, processed_at = NULL
		WHERE CAST(@parked AS double precision) > 0 AND excluded.received_at < e.received_at
		RETURNING id, received_at, processed_at`, map[string]any{
		"id": id, "key": dedupeKey, "raw": raw, "parked": parked.Seconds(), "grace": grace.Seconds(), "events": told(events),
	})
	if errors.Is(err, ErrNotFound) {
		err = first(s.db.WithContext(ctx), &stored, `SELECT id, received_at, processed_at FROM webhook_events WHERE dedupe_key = ?`, dedupeKey)
	}
	if errors.Is(err, ErrNotFound) {
		at, err := now(s.db.WithContext(ctx))
		return WebhookEvent{Raw: raw, ReceivedAt: at.Add(-parked), Age: parked, Erased: true}, err
	}
	if err != nil {
		return WebhookEvent{}, fmt.Errorf("storing a webhook: %w", err)
	}
	return WebhookEvent{ID: stored.ID, Raw: raw, ReceivedAt: stored.ReceivedAt, Age: parked, Processed: stored.ProcessedAt != nil}, nil
}

type webhookRow struct {
	ID          uuid.UUID
	Raw         []byte
	ReceivedAt  time.Time
	ProcessedAt *time.Time
}

// TakeWebhooks takes up to limit stored webhooks that were not processed in good
// time, oldest first. Each is taken again only after twice the time that it has
// waited, and at least hourly; several callers at once take different ones.
func (s *Store) TakeWebhooks(ctx context.Context, limit int) ([]WebhookEvent, error) {
	var events []WebhookEvent
	err := s.transaction(ctx, "taking unprocessed webhooks", func(tx *gorm.DB) error {
		at, err := now(tx)
		if err != nil {
			return err
		}
		var rows []webhookRow
		if err := tx.Raw(`
			UPDATE webhook_events SET tries = tries + 1,
			       due_at = CAST(@at AS timestamptz) + greatest(make_interval(secs => @grace), least(CAST(@at AS timestamptz) - received_at, interval '1 hour'))
			WHERE id IN (
			    SELECT id FROM webhook_events WHERE processed_at IS NULL AND due_at <= @at
			    ORDER BY due_at LIMIT @limit FOR UPDATE SKIP LOCKED)
			RETURNING id, raw, received_at`, map[string]any{"at": at, "grace": grace.Seconds(), "limit": limit}).Scan(&rows).Error; err != nil {
			return err
		}
		events = events[:0]
		for _, row := range rows {
			events = append(events, WebhookEvent{ID: row.ID, Raw: row.Raw, ReceivedAt: row.ReceivedAt, Age: at.Sub(row.ReceivedAt)})
		}
		slices.SortFunc(events, func(a, b WebhookEvent) int { return a.ReceivedAt.Compare(b.ReceivedAt) })
		return nil
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
	// Wake are the recipients whose workflows should look again. A workflow of
	// theirs may have ended already; then Revive is set, and they need a new one.
	Wake   []Recipient
	Revive bool
	// Owed: the one recipient to wake has just earned Message 2.
	Owed bool
	// Unmatched: an acknowledgement of a message that is not known, or not yet.
	Unmatched bool
	// Doubtful: a reply of which it is not known yet what it answers. It has to be
	// applied again when a message that may just be leaving has been settled.
	Doubtful bool
	// ContactsChanged: somebody opted out or in.
	ContactsChanged bool
}

// Apply takes in one event of a webhook that was taken in at the given moment
// of the database's clock, in one transaction under the lock of the recipient
// it is about. Applied again, it changes nothing.
func (s *Store) Apply(ctx context.Context, event campaign.Event, receivedAt time.Time) (Effect, error) {
	if event.Kind != campaign.EventReply && event.Kind != campaign.EventAck {
		return Effect{Outcome: "ignored: " + event.Ignored}, nil
	}
	var effect Effect
	err := s.transaction(ctx, "applying a webhook event", func(tx *gorm.DB) error {
		err := s.knowsAll(tx)
		if err != nil {
			return err
		}
		if event.Kind == campaign.EventReply {
			effect, err = s.applyReply(tx, event, receivedAt)
		} else {
			effect, err = s.applyAck(tx, event)
		}
		return err
	})
	return effect, err
}
