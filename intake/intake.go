// Package intake turns one webhook from raw bytes into committed decisions and
// the wake-ups that follow from them.
package intake

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"strings"

	"github.com/google/uuid"

	"github.com/relance/relance/campaign"
	"github.com/relance/relance/store"
	"github.com/relance/relance/wassenger"
)

// Statuses that a webhook is answered with.
const (
	StatusOK          = "ok"
	StatusDuplicate   = "duplicate"
	StatusErrorLogged = "error_logged" // kept, but it could not be understood
)

// Waker makes a recipient's workflow look at the database again.
type Waker interface {
	Wake(ctx context.Context, campaignID, contactID uuid.UUID) error
}

// Intake takes webhooks in.
type Intake struct {
	Store  *store.Store
	Waker  Waker
	Logger *slog.Logger
}

// Receive stores a webhook, then applies it. An error means that it may not
// have been stored and must be delivered again; whatever happens after it was
// stored is made up for by the dispatcher.
func (in *Intake) Receive(ctx context.Context, raw []byte) (status string, err error) {
	events, problem := wassenger.ParseWebhook(raw)
	event, err := in.Store.KeepWebhook(ctx, dedupeKey(events, raw), raw)
	if err != nil {
		return "", fmt.Errorf("keeping a webhook: %w", err)
	}
	if event.Processed {
		return StatusDuplicate, nil
	}
	if err := in.apply(ctx, event.ID, events, problem); err != nil {
		in.Logger.ErrorContext(ctx, "A stored webhook was not processed; the dispatcher tries again.",
			"webhook_id", event.ID, "error", err)
		return StatusOK, nil
	}
	if problem != nil {
		return StatusErrorLogged, nil
	}
	return StatusOK, nil
}

// Process applies a webhook that was stored earlier. It may be called again for
// the same one.
func (in *Intake) Process(ctx context.Context, event store.WebhookEvent) error {
	events, problem := wassenger.ParseWebhook(event.Raw)
	return in.apply(ctx, event.ID, events, problem)
}

// apply commits what each event means, wakes whom it concerns and only then
// marks the webhook as processed.
func (in *Intake) apply(ctx context.Context, id uuid.UUID, events []campaign.Event, problem error) error {
	var outcomes []string
	for _, event := range events {
		effect, err := in.Store.Apply(ctx, event)
		if err != nil {
			return err
		}
		outcomes = append(outcomes, effect.Outcome)
		if effect.Wake != (store.Recipient{}) {
			in.wake(ctx, effect.Wake)
		}
	}
	said := ""
	if problem != nil {
		said = problem.Error()
	}
	return in.Store.FinishWebhook(ctx, id, strings.Join(outcomes, "; "), said)
}

// wake may fail: the database knows what is owed, and the dispatcher looks there.
func (in *Intake) wake(ctx context.Context, recipient store.Recipient) {
	if err := in.Waker.Wake(ctx, recipient.CampaignID, recipient.ContactID); err != nil && !errors.Is(err, context.Canceled) {
		in.Logger.WarnContext(ctx, "A contact's workflow could not be woken; the dispatcher tries again.",
			"campaign_id", recipient.CampaignID, "contact_id", recipient.ContactID, "error", err)
	}
}

// dedupeKey is the event's own key, or one made of all keys of a webhook that
// carries several, or of the bytes of one that says nothing readable.
func dedupeKey(events []campaign.Event, raw []byte) string {
	if len(events) == 1 {
		return events[0].Key
	}
	hash := sha256.New()
	for _, event := range events {
		hash.Write([]byte(event.Key + "\n"))
	}
	if len(events) == 0 {
		hash.Write(raw)
	}
	return "sha256:" + hex.EncodeToString(hash.Sum(nil))
}
