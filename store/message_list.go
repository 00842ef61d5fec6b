package store

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/relance/relance/campaign"
)

// MessageRow is a message as people look at it.
type MessageRow struct {
	ID          uuid.UUID
	CampaignID  uuid.UUID
	ContactID   uuid.UUID
	Phone       string
	Name        string
	MessageType campaign.MessageType
	Status      campaign.MessageStatus
	Attempts    int
	CreatedAt   time.Time
	SentAt      *time.Time
	DeliveredAt *time.Time
	ReadAt      *time.Time
	FailedAt    *time.Time
	Error       string
}

// MessageFilter narrows a list of messages; the zero value takes all.
type MessageFilter struct {
	CampaignID uuid.UUID
	Status     campaign.MessageStatus
	Type       campaign.MessageType
}

// MessageList is one page of messages, newest first.
type MessageList struct {
	Messages []MessageRow
	Next     *Position // nil on the last page
}

// Messages lists messages.
func (s *Store) Messages(ctx context.Context, filter MessageFilter, page Page) (MessageList, error) {
	where, values := []string{"true"}, map[string]any{"limit": page.Limit + 1}
	narrow := func(condition, name string, value any) {
		where, values[name] = append(where, condition), value
	}
	if filter.CampaignID != uuid.Nil {
		narrow(`campaign_id = @campaign`, "campaign", filter.CampaignID)
	}
	if filter.Status != "" {
		narrow(`status = @status`, "status", filter.Status)
	}
	if filter.Type != "" {
		narrow(`message_type = @type`, "type", filter.Type)
	}
	if page.After != nil {
		narrow(`(created_at, id) < (@created_at, @id)`, "created_at", page.After.CreatedAt)
		values["id"] = page.After.ID
	}
	var rows []MessageRow
	if err := s.db.WithContext(ctx).Raw(`
		SELECT m.id, m.campaign_id, m.contact_id, r.phone, coalesce(r.variables->>'name', '') AS name, m.message_type, m.status,
		       m.attempts, m.created_at, m.sent_at, m.delivered_at, m.read_at, m.failed_at, m.error
		FROM (SELECT * FROM messages WHERE `+strings.Join(where, " AND ")+` ORDER BY created_at DESC, id DESC LIMIT @limit) m
		JOIN recipients r ON r.campaign_id = m.campaign_id AND r.contact_id = m.contact_id
		ORDER BY m.created_at DESC, m.id DESC`, values).Scan(&rows).Error; err != nil {
		return MessageList{}, fmt.Errorf("listing messages: %w", err)
	}
	var list MessageList
	var more bool
	if list.Messages, more = cut(rows, page.Limit); more {
		last := list.Messages[page.Limit-1]
		list.Next = &Position{CreatedAt: last.CreatedAt, ID: last.ID}
	}
	return list, nil
}
