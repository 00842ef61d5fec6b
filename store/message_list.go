package store

import (
	"context"
	"fmt"
	"slices"
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
	// Reached takes ReachedSent, ReachedDelivered or ReachedRead.
	Reached Reached
}

// reachedBy are the moments at which a message came so far: a status says only how
// far it is now, and a message that was read was delivered too.
var reachedBy = map[Reached]string{ReachedSent: "sent_at", ReachedDelivered: "delivered_at", ReachedRead: "read_at"}

// MessageList is one page of messages, newest first.
type MessageList struct {
	Messages []MessageRow
	Next     *Position // nil on the last page
}

// Messages lists messages.
func (s *Store) Messages(ctx context.Context, filter MessageFilter, page Page) (MessageList, error) {
	query, values := filter.list(page)
	var rows []MessageRow
	if err := s.db.WithContext(ctx).Raw(`
		SELECT m.id, m.campaign_id, m.contact_id, r.phone, coalesce(r.variables->>'name', '') AS name, m.message_type, m.status,
		       m.attempts, m.created_at, m.sent_at, m.delivered_at, m.read_at, m.failed_at, m.error
		FROM (`+query+`) m
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

// list is the query for a page's messages, and its values. It takes the newest of
// each kind in each status, and of those the newest: one index has each of them
// ready, whatever is rare among a million and whatever the planner believes.
func (f MessageFilter) list(page Page) (string, map[string]any) {
	statuses := campaign.MessageStatuses
	where, values := []string{"x.message_type = t.message_type", "x.status = s.status"}, map[string]any{"limit": page.Limit + 1}
	if f.CampaignID != uuid.Nil {
		where, values["campaign"] = append(where, `campaign_id = @campaign`), f.CampaignID
	}
	if moment, ok := reachedBy[f.Reached]; ok {
		where = append(where, moment+` IS NOT NULL`)
		statuses = slices.DeleteFunc(slices.Clone(statuses), func(s campaign.MessageStatus) bool { return s == campaign.MessagePending })
	}
	if page.After != nil {
		where = append(where, `(created_at, id) < (@created_at, @id)`)
		values["created_at"], values["id"] = page.After.CreatedAt, page.After.ID
	}
	values["types"], values["statuses"] = oneOrAll(f.Type, []campaign.MessageType{campaign.Message1, campaign.Message2}), oneOrAll(f.Status, statuses)
	const newest = ` ORDER BY created_at DESC, id DESC LIMIT @limit`
	return `
		SELECT found.* FROM unnest(string_to_array(@types, ',')) AS t (message_type), unnest(string_to_array(@statuses, ',')) AS s (status),
		     LATERAL (SELECT * FROM messages x WHERE ` + strings.Join(where, " AND ") + newest + `) found
		ORDER BY found.created_at DESC, found.id DESC LIMIT @limit`, values
}

// oneOrAll lists one word, or all where none is asked for, separated by commas.
func oneOrAll[T ~string](one T, all []T) string {
	if one != "" {
		return string(one)
	}
	words := make([]string, len(all))
	for i, word := range all {
		words[i] = string(word)
	}
	return strings.Join(words, ",")
}
