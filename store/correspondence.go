package store

import (
	"context"
	"fmt"

	"github.com/google/uuid"

	"github.com/relance/relance/campaign"
)

// Correspondence is what one recipient was sent, by the references under which
// the provider knows the messages.
type Correspondence struct {
	ContactID  uuid.UUID
	Phone      string
	State      campaign.RecipientState
	Message1ID *uuid.UUID `gorm:"column:message_1_id"`
	Message2ID *uuid.UUID `gorm:"column:message_2_id"` // nil for who is owed none
}

// Correspondences lists all of a campaign's recipients, for an audit against
// the provider's own record.
func (s *Store) Correspondences(ctx context.Context, campaignID uuid.UUID) ([]Correspondence, error) {
	var all []Correspondence
	err := s.db.WithContext(ctx).Raw(`
		SELECT r.contact_id, r.phone, r.state, one.id AS message_1_id, two.id AS message_2_id
		FROM recipients r
		LEFT JOIN messages one ON one.campaign_id = r.campaign_id AND one.contact_id = r.contact_id AND one.message_type = 'message_1'
		LEFT JOIN messages two ON two.campaign_id = r.campaign_id AND two.contact_id = r.contact_id AND two.message_type = 'message_2'
		WHERE r.campaign_id = ? ORDER BY r.position`, campaignID).Scan(&all).Error
	if err != nil {
		return nil, fmt.Errorf("reading a campaign's correspondence: %w", err)
	}
	return all, nil
}
