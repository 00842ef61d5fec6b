package store

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/google/uuid"
	"gorm.io/gorm"

	"github.com/relance/relance/campaign"
)

// MessageCounts are counts of messages by how far they came. Read messages are
// delivered ones, delivered ones are sent ones.
type MessageCounts struct {
	Sent      int64
	Delivered int64
	Read      int64
	Failed    int64
	Unknown   int64 // nobody can tell whether they left
}

// Stats are a campaign's numbers, counted from its rows (Property 14).
type Stats struct {
	TotalContacts int64
	Messages      MessageCounts
	ByType        map[campaign.MessageType]MessageCounts
	States        map[campaign.RecipientState]int64
	// Interactions counts every reply; Replied the contacts that replied in time.
	Interactions int64
	Replied      int64
}

// CampaignStats counts one campaign; [ErrNotFound] when there is none.
func (s *Store) CampaignStats(ctx context.Context, id uuid.UUID) (Stats, error) {
	stats := Stats{
		ByType: map[campaign.MessageType]MessageCounts{campaign.Message1: {}, campaign.Message2: {}},
		States: map[campaign.RecipientState]int64{},
	}
	// One snapshot, so that the numbers of a running campaign fit each other.
	err := s.db.WithContext(ctx).Transaction(func(tx *gorm.DB) error { return stats.count(tx, id) },
		&sql.TxOptions{Isolation: sql.LevelRepeatableRead, ReadOnly: true})
	return stats, err
}

func (stats *Stats) count(db *gorm.DB, id uuid.UUID) error {
	if err := value(db, &stats.TotalContacts, `SELECT total_contacts FROM campaigns WHERE id = ?`, id); err != nil {
		return fmt.Errorf("reading the campaign's size: %w", err)
	}
	var byType []struct {
		MessageType campaign.MessageType
		MessageCounts
	}
	if err := db.Raw(`
		SELECT message_type, count(sent_at) AS sent, count(delivered_at) AS delivered, count(read_at) AS read,
		       count(*) FILTER (WHERE status = 'failed') AS failed, count(*) FILTER (WHERE status = 'unknown') AS unknown
		FROM messages WHERE campaign_id = ? GROUP BY message_type`, id).Scan(&byType).Error; err != nil {
		return fmt.Errorf("counting messages: %w", err)
	}
	for _, row := range byType {
		stats.ByType[row.MessageType] = row.MessageCounts
		stats.Messages = stats.Messages.plus(row.MessageCounts)
	}
	var states []struct {
		State      campaign.RecipientState
		N, Replied int64
	}
	if err := db.Raw(`SELECT state, count(*) AS n, count(replied_at) AS replied FROM recipients WHERE campaign_id = ? GROUP BY state`,
		id).Scan(&states).Error; err != nil {
		return fmt.Errorf("counting recipients: %w", err)
	}
	for _, row := range states {
		stats.States[row.State] = row.N
		stats.Replied += row.Replied
	}
	if err := db.Raw(`SELECT count(*) FROM interactions WHERE campaign_id = ?`, id).Scan(&stats.Interactions).Error; err != nil {
		return fmt.Errorf("counting interactions: %w", err)
	}
	return nil
}

func (c MessageCounts) plus(other MessageCounts) MessageCounts {
	return MessageCounts{
		Sent: c.Sent + other.Sent, Delivered: c.Delivered + other.Delivered, Read: c.Read + other.Read,
		Failed: c.Failed + other.Failed, Unknown: c.Unknown + other.Unknown,
	}
}
