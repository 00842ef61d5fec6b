package store

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
)

// Retention says how long what people wrote, and what was written to them, is
// kept. Zero keeps it for good.
type Retention struct {
	// Texts is how long after a campaign's end its texts are kept, and names and
	// attributes of its recipients, which filled them in.
	Texts time.Duration
	// Events is how long raw webhooks are kept, which hold the texts of replies.
	Events time.Duration
}

// retainAtOnce bounds one statement of a removal: each has rows of its own to lock.
const retainAtOnce = 1000

// idClocks is how far the clocks of processes, which make ids, may be apart from
// the database's.
const idClocks = 24 * time.Hour

// removeOldWebhooks deletes raw webhooks that are applied, have been kept for long
// enough, and came before the oldest campaign that still runs began.
func (s *Store) removeOldWebhooks(ctx context.Context) (removed int64, err error) {
	if s.retention.Events == 0 {
		return 0, nil
	}
	var until time.Time
	if err := value(s.db.WithContext(ctx), &until, `
		SELECT least(relance_now() - make_interval(secs => ?), (
		    SELECT min(started_at) FROM campaigns WHERE status IN ('running', 'paused')))`, s.retention.Events.Seconds()); err != nil {
		return 0, fmt.Errorf("finding the age of webhooks: %w", err)
	}
	for {
		// The primary key is in the order of time: it bounds what is read, and there
		// is no index on when webhooks came, which each of them would have to pay for.
		deleted := s.db.WithContext(ctx).Exec(`
			DELETE FROM webhook_events WHERE id IN (
			    SELECT id FROM webhook_events WHERE id < ? AND received_at < ? AND processed_at IS NOT NULL
			    ORDER BY id LIMIT ? FOR UPDATE SKIP LOCKED)`, firstIDAt(until.Add(idClocks)), until, retainAtOnce)
		if deleted.Error != nil {
			return removed, fmt.Errorf("removing old webhooks: %w", deleted.Error)
		}
		removed += deleted.RowsAffected
		if deleted.RowsAffected < retainAtOnce {
			return removed, nil
		}
	}
}

// firstIDAt is the smallest id of version 7 that is made at a moment.
func firstIDAt(at time.Time) uuid.UUID {
	var id uuid.UUID
	binary.BigEndian.PutUint64(id[:8], uint64(at.UnixMilli())<<16)
	return id
}

// removeOldTexts takes the texts out of campaigns that ended long enough ago and in
// which everybody is final, and from their recipients what filled the texts in. It
// tells how many campaigns that were.
func (s *Store) removeOldTexts(ctx context.Context) (removed int64, err error) {
	if s.retention.Texts == 0 {
		return 0, nil
	}
	var old []uuid.UUID
	if err := s.db.WithContext(ctx).Raw(`
		SELECT c.id FROM campaigns c
		WHERE c.status IN ('completed', 'cancelled') AND c.texts_removed_at IS NULL
		  AND c.completed_at < relance_now() - make_interval(secs => ?)
		  AND NOT EXISTS (SELECT FROM recipients r WHERE r.campaign_id = c.id AND r.state IN ('pending', 'admitted', 'message_1_sent', 'replied'))
		ORDER BY c.completed_at`, s.retention.Texts.Seconds()).Scan(&old).Error; err != nil {
		return 0, fmt.Errorf("looking for old texts: %w", err)
	}
	for _, id := range old {
		if err := s.removeVariables(ctx, id); err != nil {
			return removed, err
		}
		// Last, so that a removal that was interrupted is gone on with. Whoever was
		// opened again meanwhile by a reply that came to light is waited for.
		emptied := s.db.WithContext(ctx).Exec(`
			UPDATE campaigns c SET message_1 = '', message_2 = '', message_1_media_url = '', message_2_media_url = '',
			       texts_removed_at = relance_now()
			WHERE id = ? AND texts_removed_at IS NULL AND NOT EXISTS (SELECT FROM recipients r WHERE r.campaign_id = c.id AND r.state = 'replied')`, id)
		if emptied.Error != nil {
			return removed, fmt.Errorf("removing a campaign's texts: %w", emptied.Error)
		}
		removed += emptied.RowsAffected
	}
	return removed, nil
}

// removeVariables goes through a campaign's recipients in their order, some at a time.
func (s *Store) removeVariables(ctx context.Context, campaignID uuid.UUID) error {
	for after := int64(0); ; {
		err := value(s.db.WithContext(ctx), &after, `
			WITH part AS (
			    SELECT contact_id, position FROM recipients WHERE campaign_id = @campaign AND position > @after ORDER BY position LIMIT @limit),
			emptied AS (
			    UPDATE recipients r SET variables = '{}' FROM part
			    WHERE r.campaign_id = @campaign AND r.contact_id = part.contact_id AND r.variables <> '{}')
			SELECT max(position) FROM part HAVING count(*) > 0`,
			map[string]any{"campaign": campaignID, "after": after, "limit": retainAtOnce})
		if errors.Is(err, ErrNotFound) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("removing what filled texts in: %w", err)
		}
	}
}
