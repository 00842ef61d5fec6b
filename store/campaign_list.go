package store

import (
	"context"
	"fmt"
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
