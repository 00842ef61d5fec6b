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
	"time"

	"github.com/google/uuid"
	"go.opentelemetry.io/otel/attribute"

	"github.com/relance/relance/campaign"
	"github.com/relance/relance/store"
	"github.com/relance/relance/telemetry"
	"github.com/relance/relance/wassenger"
)

// Statuses that a webhook is answered with.
const (
	StatusOK          = "ok"
	StatusDuplicate   = "duplicate"
	StatusErrorLogged = "error_logged" // kept, but it could not be understood
	StatusParked      = "parked"       // kept by Temporal until the database is back
)

// The provider waits ten seconds for its answer; together these stay below.
const (
	// keepTimeout is how long storing may take before the webhook is parked,
	keepTimeout = 3 * time.Second
	// parkTimeout how long parking may take before it is refused,
	parkTimeout = 3 * time.Second
	// applyTimeout how long applying may take before it is left to the dispatcher,
	applyTimeout = 4 * time.Second
	// and wakeTimeout how long waking may take before it is.
	wakeTimeout = 2 * time.Second
)

// ackPatience is how long an acknowledgement may wait for the message that it is
// about to become known: our own request for it may not have returned yet.
const ackPatience = 10 * time.Minute

// Workflows is what intake asks of Temporal. Everything may be asked twice.
type Workflows interface {
	// Wake makes a recipient's workflow look at the database again.
	Wake(ctx context.Context, campaignID, contactID uuid.UUID) error
	// Revive does so too, and starts the workflow anew where it is gone.
	Revive(ctx context.Context, campaignID, contactID uuid.UUID) error
	// Park keeps a sealed webhook until the database is back.
	Park(ctx context.Context, id string, sealed []byte) error
}

// Answers sends what a reply has earned at once.
type Answers interface {
	// Owe takes an answer over, and the waking of its recipient's workflow with it, on
	// account of the webhook that ctx is about. It must not wait; taken is false if it
	// has no place for it.
	Owe(ctx context.Context, recipient store.Recipient) (taken bool)
}

// Intake takes webhooks in.
type Intake struct {
	Store     *store.Store
	Workflows Workflows
	Answers   Answers // nil leaves all to the workflows
	Seal      *Seal
	// ContactsChanged hears that somebody has opted out or in; nil if nobody cares.
	ContactsChanged func(ctx context.Context)
	Logger          *slog.Logger
	Metrics         *Metrics // nil counts nothing
}

// Receive stores a webhook, then applies it. While the database is away it parks
// the webhook in Temporal. An error means that it may not have been kept at all
// and must be delivered again; whatever happens once it is kept is made up for.
func (in *Intake) Receive(ctx context.Context, raw []byte) (status string, err error) {
	defer func() { in.Metrics.answered(status, err) }()
	events, problem := wassenger.ParseWebhook(raw)
	key := dedupeKey(events, raw)
	keeping, cancel := context.WithTimeout(ctx, keepTimeout)
	defer cancel()
	if len(events) == 1 && problem == nil {
		// An error is met again below, where it is known what to do about it.
		if done, err := in.keepAcknowledgement(keeping, key, raw, events[0]); err == nil && done {
			return StatusOK, nil
		}
	}
	event, err := in.keep(keeping, key, raw, time.Time{}, events)
	if err != nil {
		if parkErr := in.park(ctx, key, raw); parkErr != nil {
			return "", errors.Join(err, parkErr)
		}
		in.Logger.WarnContext(ctx, "A webhook could not be stored and is parked in Temporal.", "error", err)
		return StatusParked, nil
	}
	if event.Erased {
		return in.receiveErased(ctx, key, event, events)
	}
	return in.applyKept(ctx, event, events, problem), nil
}

// ReceiveParked stores and applies a webhook that was parked at the given time of
// this process's clock. An error means that the database is still away.
func (in *Intake) ReceiveParked(ctx context.Context, sealed []byte, parkedAt time.Time) (status string, err error) {
	raw, err := in.Seal.open(sealed)
	if err != nil {
		return "", err
	}
	events, problem := wassenger.ParseWebhook(raw)
	key := dedupeKey(events, raw)
	event, err := in.keep(ctx, key, raw, parkedAt, events)
	if err != nil {
		return "", err
	}
	if event.Erased {
		return in.receiveErased(ctx, key, event, events)
	}
	return in.applyKept(ctx, event, events, problem), nil
}

func (in *Intake) keep(ctx context.Context, key string, raw []byte, parkedAt time.Time, events []campaign.Event) (event store.WebhookEvent, err error) {
	ctx, span := telemetry.Start(ctx, "store webhook")
	defer func() { telemetry.End(span, err) }()
	ctx, cancel := context.WithTimeout(ctx, keepTimeout)
	defer cancel()
	event, err = in.Store.KeepWebhook(ctx, key, raw, parkedAt, events...)
	if err == nil {
		span.SetAttributes(telemetry.WebhookID(event.ID))
	}
	return event, err
}

// keepAcknowledgement stores and applies at once what most webhooks are.
func (in *Intake) keepAcknowledgement(ctx context.Context, key string, raw []byte, event campaign.Event) (done bool, err error) {
	if event.Kind != campaign.EventAck {
		return false, nil
	}
	ctx, span := telemetry.Start(ctx, "store acknowledgement")
	defer func() { telemetry.End(span, err) }()
	return in.Store.KeepAcknowledgement(ctx, key, raw, event)
}

func (in *Intake) park(ctx context.Context, key string, raw []byte) error {
	sealed, err := in.Seal.close(raw)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, parkTimeout)
	defer cancel()
	if err := in.Workflows.Park(ctx, hashed(key), sealed); err != nil {
		return fmt.Errorf("parking a webhook: %w", err)
	}
	return nil
}

// applyKept applies a stored webhook. What fails is left to the dispatcher.
func (in *Intake) applyKept(ctx context.Context, event store.WebhookEvent, events []campaign.Event, problem error) (status string) {
	if event.Processed {
		return StatusDuplicate
	}
	ctx, cancel := context.WithTimeout(ctx, applyTimeout)
	defer cancel()
	if err := in.apply(ctx, event, events, problem); err != nil {
		in.Logger.ErrorContext(ctx, "A stored webhook was not processed; the dispatcher tries again.",
			"webhook_id", event.ID, "error", err)
	}
	if problem != nil {
		return StatusErrorLogged
	}
	return StatusOK
}

// Process applies a webhook that was stored earlier. It may be called again for
// the same one.
func (in *Intake) Process(ctx context.Context, event store.WebhookEvent) error {
	events, problem := wassenger.ParseWebhook(event.Raw)
	return in.apply(ctx, event, events, problem)
}

// apply commits what each event means, wakes whom it concerns and only then
// marks the webhook as processed. One event that fails costs none of the others.
// A webhook with an acknowledgement that matches nothing yet, or with a reply that may
// answer a message in doubt, stays unprocessed.
func (in *Intake) apply(ctx context.Context, kept store.WebhookEvent, events []campaign.Event, problem error) error {
	var outcomes []string
	var errs []error
	waiting := false
	for _, event := range events {
		effect, err := in.decide(ctx, event, kept.ReceivedAt, telemetry.WebhookID(kept.ID))
		if err != nil {
			errs = append(errs, err)
			continue
		}
		outcomes = append(outcomes, effect.Outcome)
		waiting = waiting || effect.Doubtful || effect.Unmatched && kept.Age < ackPatience
		in.follow(ctx, event, effect)
	}
	if len(errs) > 0 || waiting {
		return errors.Join(errs...)
	}
	said := ""
	if problem != nil {
		said = problem.Error()
	}
	return in.Store.FinishWebhook(ctx, kept.ID, strings.Join(outcomes, "; "), said)
}

// decide commits what one event means that was taken in at the given moment.
func (in *Intake) decide(ctx context.Context, event campaign.Event, receivedAt time.Time, about ...attribute.KeyValue) (effect store.Effect, err error) {
	ctx, span := telemetry.Start(ctx, "apply webhook", about...)
	defer func() { telemetry.End(span, err) }()
	effect, err = in.Store.Apply(ctx, event, receivedAt)
	outcome, _, _ := strings.Cut(effect.Outcome, ":") // what follows may quote the event
	span.SetAttributes(telemetry.Outcome(outcome))
	for _, recipient := range effect.Wake[:min(1, len(effect.Wake))] {
		span.SetAttributes(telemetry.CampaignID(recipient.CampaignID), telemetry.ContactID(recipient.ContactID))
	}
	return effect, err
}

// follow does what follows from an event that has been committed.
func (in *Intake) follow(ctx context.Context, event campaign.Event, effect store.Effect) {
	in.Metrics.applied(event, effect.Outcome)
	in.wake(ctx, effect)
	if effect.ContactsChanged && in.ContactsChanged != nil {
		in.ContactsChanged(ctx)
	}
}

// wake may fail: the database knows what is owed, and the dispatcher looks there.
func (in *Intake) wake(ctx context.Context, effect store.Effect) {
	if len(effect.Wake) == 0 {
		return
	}
	if effect.Owed && in.Answers != nil && in.Answers.Owe(ctx, effect.Wake[0]) {
		return
	}
	wake := in.Workflows.Wake
	if effect.Revive {
		wake = in.Workflows.Revive
	}
	within, cancel := context.WithTimeout(ctx, wakeTimeout)
	defer cancel()
	for _, recipient := range effect.Wake {
		if err := wake(within, recipient.CampaignID, recipient.ContactID); err != nil && ctx.Err() == nil {
			in.Logger.WarnContext(ctx, "A contact's workflow could not be woken; the dispatcher tries again.",
				"campaign_id", recipient.CampaignID, "contact_id", recipient.ContactID, "error", err)
		}
	}
}

// dedupeKey is the event's own key, or one made of all keys of a webhook that
// carries several, or of the bytes of one that says nothing readable.
func dedupeKey(events []campaign.Event, raw []byte) string {
	if len(events) == 1 {
		return events[0].Key
	}
	if len(events) == 0 {
		return "sha256:" + hashed(string(raw))
	}
	var keys strings.Builder
	for _, event := range events {
		keys.WriteString(event.Key + "\n")
	}
	return "sha256:" + hashed(keys.String())
}

func hashed(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}
