package store

import (
	"context"
	"fmt"

	"github.com/google/uuid"
)

// CampaignList is one page of campaigns, newest first.
type CampaignList struct {
	Campaigns []Campaign
	Next      *Position // nil on the last page
}

// Campaigns lists campaigns. Their ContactIDs, which may be very many, are left out.
func (s *Store) Campaigns(ctx context.Context, page Page) (CampaignList, error) {
	query := s.db.WithContext(ctx).Omit("contact_ids").Order("created_at DESC, id DESC").Limit(page.Limit + 1)
	if page.After != nil {
		query = query.Where("(created_at, id) < (?, ?)", page.After.CreatedAt, page.After.ID)
	}
	var list CampaignList
	var rows []Campaign
	if err := query.Find(&rows).Error; err != nil {
		return list, fmt.Errorf("listing campaigns: %w", err)
	}
	var more bool
	if list.Campaigns, more = cut(rows, page.Limit); more {
		last := list.Campaigns[page.Limit-1]
		list.Next = &Position{CreatedAt: last.CreatedAt, ID: last.ID}
	}
	return list, nil
}

// StatsOf tells the numbers of the campaigns of a page, each by its campaign's id.
func (s *Store) StatsOf(ctx context.Context, campaigns []Campaign) (map[uuid.UUID]Stats, error) {
	ids := make(UUIDs, len(campaigns))
	for i, c := range campaigns {
		ids[i] = c.ID
	}
	found, err := statsOf(s.db.WithContext(ctx), ids)
	if err != nil {
		return nil, fmt.Errorf("reading the statistics of campaigns: %w", err)
	}
	stats := make(map[uuid.UUID]Stats, len(campaigns))
	for _, c := range campaigns {
		stats[c.ID] = found[c.ID].total(c.TotalContacts)
	}
	return stats, nil
}
