package store

import (
	"context"
	"fmt"
	"strings"

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

// Stats are a campaign's numbers, correct to the row (Property 14). Reading them
// costs the same for ten recipients and for a million.
type Stats struct {
	TotalContacts int64
	Messages      MessageCounts
	ByType        map[campaign.MessageType]MessageCounts
	States        map[campaign.RecipientState]int64 // those that nobody is in are absent
	// Interactions counts every reply; Replied the contacts that replied in time.
	Interactions int64
	Replied      int64
}

// CampaignStats tells one campaign's numbers; [ErrNotFound] when there is none.
func (s *Store) CampaignStats(ctx context.Context, id uuid.UUID) (Stats, error) {
	// One statement, so that the numbers of a running campaign fit each other.
	stats, err := readStats(s.db.WithContext(ctx), `
		SELECT 'contacts' AS what, total_contacts AS n FROM campaigns WHERE id = @campaign
		UNION ALL SELECT what, n FROM `+counts+` c`, map[string]any{"campaign": id})
	if err != nil {
		return stats, fmt.Errorf("reading a campaign's statistics: %w", err)
	}
	return stats, nil
}

// counts are the sums of what has been folded and what has not, of one campaign.
const counts = `
	(SELECT what, CAST(sum(n) AS bigint) AS n
	 FROM (SELECT what, n FROM campaign_stats WHERE campaign_id = @campaign
	       UNION ALL SELECT what, n FROM stat_changes WHERE campaign_id = @campaign) both_parts
	 GROUP BY what)`

// AllStats tells the numbers of all campaigns together. A contact counts once
// for each campaign that it is in.
func (s *Store) AllStats(ctx context.Context) (Stats, error) {
	stats, err := readStats(s.db.WithContext(ctx), `
		SELECT 'contacts' AS what, CAST(coalesce(sum(total_contacts), 0) AS bigint) AS n FROM campaigns
		UNION ALL
		SELECT what, CAST(sum(n) AS bigint) FROM (SELECT what, n FROM campaign_stats UNION ALL SELECT what, n FROM stat_changes) both_parts
		GROUP BY what`)
	if err != nil {
		return stats, fmt.Errorf("reading all statistics: %w", err)
	}
	return stats, nil
}

func readStats(db *gorm.DB, query string, values ...any) (Stats, error) {
	var rows []struct {
		What string
		N    int64
	}
	if err := db.Raw(query, values...).Scan(&rows).Error; err != nil {
		return Stats{}, err
	}
	if len(rows) == 0 {
		return Stats{}, ErrNotFound
	}
	stats := newStats()
	for _, row := range rows {
		stats.take(row.What, row.N)
	}
	return stats.total(stats.TotalContacts), nil
}

func newStats() *Stats {
	return &Stats{
		ByType: map[campaign.MessageType]MessageCounts{campaign.Message1: {}, campaign.Message2: {}},
		States: map[campaign.RecipientState]int64{},
	}
}

// total adds up what has been taken.
func (stats *Stats) total(contacts int64) Stats {
	stats.TotalContacts = contacts
	for _, counts := range stats.ByType {
		stats.Messages = stats.Messages.plus(counts)
	}
	return *stats
}

// take puts one number, by its name in the database, where it belongs.
func (stats *Stats) take(what string, n int64) {
	switch what {
	case "contacts":
		stats.TotalContacts = n
		return
	case "interactions":
		stats.Interactions = n
		return
	case "replied":
		stats.Replied = n
		return
	}
	kind, of, _ := strings.Cut(what, ".")
	if kind == "state" {
		if n != 0 { // somebody was in it once
			stats.States[campaign.RecipientState(of)] = n
		}
		return
	}
	counts := stats.ByType[campaign.MessageType(kind)]
	switch of {
	case "sent":
		counts.Sent = n
	case "delivered":
		counts.Delivered = n
	case "read":
		counts.Read = n
	case "failed":
		counts.Failed = n
	case "unknown":
		counts.Unknown = n
	}
	stats.ByType[campaign.MessageType(kind)] = counts
}

func (c MessageCounts) plus(other MessageCounts) MessageCounts {
	return MessageCounts{
		Sent: c.Sent + other.Sent, Delivered: c.Delivered + other.Delivered, Read: c.Read + other.Read,
		Failed: c.Failed + other.Failed, Unknown: c.Unknown + other.Unknown,
	}
}
