package activities

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/relance/relance/campaign"
)

// CloseWindowInput names the recipient.
type CloseWindowInput struct {
	CampaignID uuid.UUID `json:"campaign_id"`
	ContactID  uuid.UUID `json:"contact_id"`
}

// CloseWindowResult tells how far the recipient is.
type CloseWindowResult struct {
	State      campaign.RecipientState `json:"state"`
	WindowLeft time.Duration           `json:"window_left,omitempty"`
}

// CloseWindow asks the database for the recipient's state and ends the reply
// window if its time has come.
func (a *Activities) CloseWindow(ctx context.Context, in CloseWindowInput) (CloseWindowResult, error) {
	progress, err := a.Store.CloseWindow(ctx, in.CampaignID, in.ContactID)
	return CloseWindowResult(progress), storeError(err)
}
