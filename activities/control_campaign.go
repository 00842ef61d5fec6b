package activities

import (
	"context"
	"errors"
	"fmt"

	"github.com/google/uuid"

	"github.com/relance/relance/store"
)

// Action is what an operator decides about a campaign.
type Action string

// The actions.
const (
	Pause  Action = "pause"
	Resume Action = "resume"
	Cancel Action = "cancel"
)

// ControlCampaignInput names the campaign and what is to become of it.
type ControlCampaignInput struct {
	CampaignID uuid.UUID `json:"campaign_id"`
	Action     Action    `json:"action"`
}

// ControlCampaign has the database keep an operator's decision.
func (a *Activities) ControlCampaign(ctx context.Context, in ControlCampaignInput) error {
	switch in.Action {
	case Pause:
		return storeError(a.Store.Pause(ctx, in.CampaignID, "paused by an operator"))
	case Resume:
		return storeError(a.Store.Resume(ctx, in.CampaignID))
	case Cancel:
		return storeError(a.Store.Cancel(ctx, in.CampaignID))
	}
	return storeError(fmt.Errorf("no action is called %q: %w", in.Action, store.ErrConflict))
}

// WakeHeldUp wakes every contact that a pause or a halted device may have held up.
func (a *Activities) WakeHeldUp(ctx context.Context, campaignID uuid.UUID) error {
	recipients, err := a.Store.HeldUp(ctx, campaignID)
	if err != nil {
		return storeError(err)
	}
	var errs []error
	for _, recipient := range recipients {
		errs = append(errs, a.Workflows.Wake(ctx, recipient.CampaignID, recipient.ContactID))
	}
	return errors.Join(errs...)
}
