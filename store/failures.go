package store

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/relance/relance/campaign"
)

// FailureKind says what went wrong.
type FailureKind string

// The kinds of failures.
const (
	// MessageFailed: a message was refused for good or ran out of attempts.
	MessageFailed FailureKind = "message_failed"
	// MessageUnknown: nobody can tell whether a message left.
	MessageUnknown FailureKind = "message_unknown"
	// WebhookFailed: a webhook means nothing that is understood, or could not be
	// applied for ten minutes.
	WebhookFailed FailureKind = "webhook_failed"
	// ImportFailure: nothing of a file of contacts was taken in.
	ImportFailure FailureKind = "import_failed"
)

// Failure is something that went wrong and that a person may want to look into.
type Failure struct {
	Kind FailureKind
	At   time.Time
	// ID is the message's, the webhook's or the import's.
	ID     uuid.UUID
	Reason string // for people; holds neither number nor text

	// What follows is set for messages only.

	CampaignID  *uuid.UUID
	ContactID   *uuid.UUID
	MessageType campaign.MessageType
}

// stuckAfter is how old a webhook must be to count as stuck: until then an
// acknowledgement may wait for the message that it is about.
const stuckAfter = 10 * time.Minute

// Failures lists up to limit failures, newest first: of the device's messages,
// of webhooks and of imports. What has been put right since, by a retry or by a
// later look-up, is not among them.
func (s *Store) Failures(ctx context.Context, limit int) ([]Failure, error) {
	// Each part reads at most limit rows of a partial index, whatever the size of
	// its table. A message is given up one reply window after it was claimed, so
	// claimed_at orders the unknown ones.
	var failures []Failure
	err := s.db.WithContext(ctx).Raw(`
		(SELECT 'message_failed' AS kind, failed_at AS at, id, error AS reason, campaign_id, contact_id, message_type
		 FROM messages WHERE device_id = @device AND status = 'failed' ORDER BY failed_at DESC LIMIT @limit)
		UNION ALL
		(SELECT 'message_unknown', counted_at, id, error, campaign_id, contact_id, message_type
		 FROM messages WHERE device_id = @device AND status = 'unknown' ORDER BY claimed_at DESC LIMIT @limit)
		UNION ALL
		(SELECT 'webhook_failed', received_at, id, error, NULL, NULL, ''
		 FROM webhook_events WHERE error <> '' ORDER BY received_at DESC LIMIT @limit)
		UNION ALL
		(SELECT 'webhook_failed', received_at, id, 'not applied after ' || tries || ' tries', NULL, NULL, ''
		 FROM webhook_events WHERE processed_at IS NULL AND tries > 3 AND error = ''
		   AND received_at < relance_now() - make_interval(secs => @stuck) ORDER BY received_at DESC LIMIT @limit)
		UNION ALL
		(SELECT 'import_failed', coalesce(finished_at, created_at), id, error, NULL, NULL, ''
		 FROM import_jobs WHERE state = 'failed' ORDER BY created_at DESC LIMIT @limit)
		ORDER BY at DESC, id LIMIT @limit`,
		map[string]any{"device": s.deviceID, "limit": limit, "stuck": stuckAfter.Seconds()}).Scan(&failures).Error
	if err != nil {
		return nil, fmt.Errorf("listing failures: %w", err)
	}
	return failures, nil
}
