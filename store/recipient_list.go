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

// Reached is how far a recipient came, and whoever came further came there too.
type Reached string

// What the counts of [Stats] count, so that there is a list behind each of them.
const (
	ReachedSent      Reached = "sent"
	ReachedDelivered Reached = "delivered"
	ReachedRead      Reached = "read"
	ReachedReplied   Reached = "replied"  // in time
	ReachedAnswered  Reached = "answered" // by Message 2
)

var reachedCondition = map[Reached]string{
	ReachedSent:      messageOf("message_1", "sent_at"),
	ReachedDelivered: messageOf("message_1", "delivered_at"),
	ReachedRead:      messageOf("message_1", "read_at"),
	ReachedReplied:   `replied_at IS NOT NULL`,
	ReachedAnswered:  messageOf("message_2", "sent_at"),
}

func messageOf(messageType, moment string) string {
	return `EXISTS (SELECT 1 FROM messages m WHERE m.campaign_id = recipients.campaign_id AND m.contact_id = recipients.contact_id
		AND m.message_type = '` + messageType + `' AND m.` + moment + ` IS NOT NULL)`
}

// RecipientFilter chooses from a campaign's audience; what is empty takes all.
type RecipientFilter struct {
	State   campaign.RecipientState
	Reached Reached
	// Query is a part of the name or of the phone number, as they were at the start.
	Query string
}

// Recipients lists a campaign's audience in the order of sending, from after a
// position; 0 is the beginning. more tells whether others follow.
func (s *Store) Recipients(ctx context.Context, campaignID uuid.UUID, filter RecipientFilter, after int64, limit int) (rows []RecipientRow, more bool, err error) {
	values := map[string]any{"campaign": campaignID, "after": after, "state": filter.State, "limit": limit + 1}
	where := `campaign_id = @campaign AND position > @after`
	if filter.State != "" {
		where += ` AND state = @state`
	}
	if filter.Reached != "" {
		where += ` AND ` + reachedCondition[filter.Reached]
	}
	if filter.Query != "" {
		match := `variables->>'name' ILIKE @name`
		values["name"] = "%" + escapeLike(filter.Query) + "%"
		if digits := phoneFragment(filter.Query); digits != "" {
			match += ` OR phone LIKE @digits`
			values["digits"] = "%" + digits + "%"
		}
		where += ` AND (` + match + `)`
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
		ORDER BY r.position`, values).Scan(&rows).Error
	if err != nil {
		return nil, false, fmt.Errorf("listing recipients: %w", err)
	}
	rows, more = cut(rows, limit)
	return rows, more, nil
}

// AudienceSize is how many recipients a campaign has; [ErrNotFound] when there is
// no such campaign. Whoever reads the campaign itself reads the up to 100,000
// contacts that it may name.
func (s *Store) AudienceSize(ctx context.Context, campaignID uuid.UUID) (int64, error) {
	var n int64
	if err := value(s.db.WithContext(ctx), &n, `SELECT total_contacts FROM campaigns WHERE id = ?`, campaignID); err != nil {
		return 0, fmt.Errorf("reading the size of an audience: %w", err)
	}
	return n, nil
}
