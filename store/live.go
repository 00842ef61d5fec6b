package store

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"gorm.io/gorm"

	"github.com/relance/relance/campaign"
)

// LiveCampaign is what changes about a campaign while one looks on.
type LiveCampaign struct {
	ID           uuid.UUID
	Name         string
	Status       campaign.Status
	StatusReason string
	ScheduledAt  *time.Time
	StartedAt    *time.Time
	DeadlineAt   *time.Time
	CompletedAt  *time.Time
	Stats        Stats `gorm:"-"`
}

const liveColumns = `id, name, status, status_reason, scheduled_at, started_at, deadline_at, completed_at, total_contacts`

// LiveCampaign reads one campaign as it is now; [ErrNotFound] when there is none.
func (s *Store) LiveCampaign(ctx context.Context, id uuid.UUID) (LiveCampaign, error) {
	found, err := s.liveCampaigns(ctx, `SELECT `+liveColumns+` FROM campaigns WHERE id = ?`, id)
	if err == nil && len(found) == 0 {
		err = ErrNotFound
	}
	if err != nil {
		return LiveCampaign{}, fmt.Errorf("looking at a campaign: %w", err)
	}
	return found[0], nil
}

// LiveCampaigns reads the campaigns that there is something to watch of: those
// that wait for their start, run or are paused, and those that ended within the
// last hour; newest first.
func (s *Store) LiveCampaigns(ctx context.Context, limit int) ([]LiveCampaign, error) {
	found, err := s.liveCampaigns(ctx, `
		SELECT `+liveColumns+` FROM (
		    SELECT * FROM campaigns WHERE status IN ('scheduled', 'running', 'paused')
		    UNION ALL
		    SELECT * FROM campaigns WHERE status IN ('completed', 'cancelled') AND completed_at > relance_now() - interval '1 hour') c
		ORDER BY created_at DESC, id DESC LIMIT ?`, limit)
	if err != nil {
		return nil, fmt.Errorf("looking at live campaigns: %w", err)
	}
	return found, nil
}

func (s *Store) liveCampaigns(ctx context.Context, query string, args ...any) ([]LiveCampaign, error) {
	var rows []struct {
		LiveCampaign
		TotalContacts int64
	}
	db := s.db.WithContext(ctx)
	if err := db.Raw(query, args...).Scan(&rows).Error; err != nil {
		return nil, err
	}
	found, ids := make([]LiveCampaign, len(rows)), make(UUIDs, len(rows))
	for i, row := range rows {
		found[i], ids[i] = row.LiveCampaign, row.ID
	}
	stats, err := statsOf(db, ids)
	for i, row := range rows {
		found[i].Stats = stats[row.ID].total(row.TotalContacts)
	}
	return found, err
}

// statsOf reads the numbers of several campaigns; total makes them whole.
func statsOf(db *gorm.DB, ids UUIDs) (map[uuid.UUID]*Stats, error) {
	stats := make(map[uuid.UUID]*Stats, len(ids))
	for _, id := range ids {
		stats[id] = newStats()
	}
	var rows []struct {
		CampaignID uuid.UUID
		What       string
		N          int64
	}
	if err := db.Raw(`
		SELECT campaign_id, what, CAST(sum(n) AS bigint) AS n
		FROM (SELECT campaign_id, what, n FROM campaign_stats WHERE campaign_id = ANY (@ids)
		      UNION ALL SELECT campaign_id, what, n FROM stat_changes WHERE campaign_id = ANY (@ids)) both_parts
		GROUP BY 1, 2`, map[string]any{"ids": ids}).Scan(&rows).Error; err != nil {
		return stats, err
	}
	for _, row := range rows {
		stats[row.CampaignID].take(row.What, row.N)
	}
	return stats, nil
}
