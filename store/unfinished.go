package store

import (
	"context"
	"fmt"

	"github.com/google/uuid"

	"github.com/relance/relance/campaign"
)

// Alive lists the device's campaigns whose workflows should be running: those that
// run or are paused.
func (s *Store) Alive(ctx context.Context) ([]uuid.UUID, error) {
	var rows []struct{ ID uuid.UUID }
	if err := s.db.WithContext(ctx).Raw(`SELECT id FROM campaigns WHERE device_id = ? AND status IN ('running', 'paused') ORDER BY started_at, id`,
		s.deviceID).Scan(&rows).Error; err != nil {
		return nil, fmt.Errorf("listing the campaigns that run: %w", err)
	}
	ids := make([]uuid.UUID, len(rows))
	for i, row := range rows {
		ids[i] = row.ID
	}
	return ids, nil
}

// NotLaunched are those of the campaigns that no workflow can be of: that do not
// exist, or are drafts, or wait for a later start.
func (s *Store) NotLaunched(ctx context.Context, ids []uuid.UUID) ([]uuid.UUID, error) {
	var rows []struct{ ID uuid.UUID }
	if err := s.db.WithContext(ctx).Raw(`
		SELECT asked.id FROM unnest(?::uuid[]) AS asked (id) LEFT JOIN campaigns c ON c.id = asked.id
		WHERE c.id IS NULL OR c.status = 'draft' OR c.status = 'scheduled' AND c.scheduled_at > relance_now()`, UUIDs(ids)).Scan(&rows).Error; err != nil {
		return nil, fmt.Errorf("looking campaigns up: %w", err)
	}
	strange := make([]uuid.UUID, len(rows))
	for i, row := range rows {
		strange[i] = row.ID
	}
	return strange, nil
}

// InState lists up to limit of the device's recipients in a state that is not
// final, campaign by campaign, behind the given one.
func (s *Store) InState(ctx context.Context, state campaign.RecipientState, behind Recipient, limit int) ([]Recipient, error) {
	var recipients []Recipient
	if err := s.db.WithContext(ctx).Raw(`
		SELECT campaign_id, contact_id FROM recipients
		WHERE device_id = ? AND state = ? AND state IN ('admitted', 'message_1_sent', 'replied') AND (campaign_id, contact_id) > (?, ?)
		ORDER BY campaign_id, contact_id LIMIT ?`,
		s.deviceID, state, behind.CampaignID, behind.ContactID, limit).Scan(&recipients).Error; err != nil {
		return nil, fmt.Errorf("listing recipients that are %s: %w", state, err)
	}
	return recipients, nil
}
