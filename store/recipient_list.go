package store

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/relance/relance/campaign"
)

// RecipientRow is a recipient as people look at it.
type RecipientRow struct {
	ContactID      uuid.UUID
	Position       int64 // the order of sending, from 1
	Phone          string
	Name           string
	State          campaign.RecipientState
	StateReason    campaign.Reason
	Message1Status campaign.MessageStatus  `gorm:"column:message_1_status"`
	Message2Status *campaign.MessageStatus `gorm:"column:message_2_status"` // nil while none is owed
	Message1SentAt *time.Time              `gorm:"column:message_1_sent_at"`
	Message2SentAt *time.Time              `gorm:"column:message_2_sent_at"`
	WindowEndsAt   *time.Time
	RepliedAt      *time.Time
	FinishedAt     *time.Time
	Error          string // the provider's words about a message that failed

	Message1DeliveredAt *time.Time `gorm:"column:message_1_delivered_at"`
	Message1ReadAt      *time.Time `gorm:"column:message_1_read_at"`
	Message2DeliveredAt *time.Time `gorm:"column:message_2_delivered_at"`
	Message2ReadAt      *time.Time `gorm:"column:message_2_read_at"`
}

// Recipients lists a campaign's audience in the order of sending, from after a
// position; 0 is the beginning. An empty state takes all. more tells whether
// others follow.
func (s *Store) Recipients(ctx context.Context, campaignID uuid.UUID, state campaign.RecipientState, after int64, limit int) (rows []RecipientRow, more bool, err error) {
	where := `campaign_id = @campaign AND position > @after`
	if state != "" {
		where += ` AND state = @state`
	}
	err = s.db.WithContext(ctx).Raw(`
		SELECT r.contact_id, r.position, r.phone, coalesce(r.variables->>'name', '') AS name, r.state, r.state_reason,
		       m1.status AS message_1_status, m2.status AS message_2_status,
		       r.message_1_sent_at, m2.sent_at AS message_2_sent_at,
		       m1.delivered_at AS message_1_delivered_at, m1.read_at AS message_1_read_at,
		       m2.delivered_at AS message_2_delivered_at, m2.read_at AS message_2_read_at,
		       r.window_ends_at, r.replied_at, r.finished_at, coalesce(nullif(m2.error, ''), m1.error, '') AS error
		FROM (SELECT * FROM recipients
		      WHERE `+where+`
		      ORDER BY position LIMIT @limit) r
		LEFT JOIN messages m1 ON m1.campaign_id = r.campaign_id AND m1.contact_id = r.contact_id AND m1.message_type = 'message_1'
		LEFT JOIN messages m2 ON m2.campaign_id = r.campaign_id AND m2.contact_id = r.contact_id AND m2.message_type = 'message_2'
		ORDER BY r.position`, map[string]any{
		"campaign": campaignID, "after": after, "state": state, "limit": limit + 1,
	}).Scan(&rows).Error
	if err != nil {
		return nil, false, fmt.Errorf("listing recipients: %w", err)
	}
	rows, more = cut(rows, limit)
	return rows, more, nil
}
