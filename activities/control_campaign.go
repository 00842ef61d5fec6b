package activities

import (
	"context"
	"fmt"

	"github.com/google/uuid"
	"go.temporal.io/sdk/activity"
	"golang.org/x/sync/errgroup"

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
	defer alive(ctx)()
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

// WakeHeldUp wakes every contact that a pause or a halted device may have held up,
// and gives those a workflow that have none.
func (a *Activities) WakeHeldUp(ctx context.Context, campaignID uuid.UUID) error {
	defer alive(ctx)()
	recipients, err := a.Store.HeldUp(ctx, campaignID)
	if err != nil {
		return storeError(err)
	}
	for _, recipient := range recipients {
		if err := a.Workflows.Revive(ctx, recipient.CampaignID, recipient.ContactID); err != nil {
			activity.GetLogger(ctx).Warn("A contact could not be woken; it asks again by itself.", "contact_id", recipient.ContactID, "Error", err)
		}
	}
	return nil
}

// ReviveUnfinished sees to it that every contact of a campaign that is not final
// has a workflow.
func (a *Activities) ReviveUnfinished(ctx context.Context, campaignID uuid.UUID) error {
	defer alive(ctx)()
	recipients, err := a.Store.Unfinished(ctx, campaignID, reviveAtOnce)
	if err != nil {
		return storeError(err)
	}
	for _, recipient := range recipients {
		if err := a.Workflows.Revive(ctx, recipient.CampaignID, recipient.ContactID); err != nil {
			return err
		}
	}
	return nil
}

// reviveAtOnce bounds one round of revivals.
const reviveAtOnce = 500

// WakeStopped wakes the contacts of a cancelled campaign that were stopped, or whose
// Message 1 will not leave any more. An attempt after a crash goes on where the one
// before was.
func (a *Activities) WakeStopped(ctx context.Context, campaignID uuid.UUID) error {
	behind := -1
	if activity.HasHeartbeatDetails(ctx) {
		if err := activity.GetHeartbeatDetails(ctx, &behind); err != nil {
			return fmt.Errorf("reading how far the attempt before was: %w", err)
		}
	}
	for {
		contacts, last, err := a.Store.Stopped(ctx, campaignID, behind, stoppedAtOnce)
		if err != nil {
			return storeError(err)
		}
		if len(contacts) == 0 {
			return nil
		}
		wakeUps, wakeCtx := errgroup.WithContext(ctx)
		wakeUps.SetLimit(wakeAtOnce)
		for _, contactID := range contacts {
			wakeUps.Go(func() error { return a.Workflows.Wake(wakeCtx, campaignID, contactID) })
		}
		if err := wakeUps.Wait(); err != nil {
			return err
		}
		behind = last
		activity.RecordHeartbeat(ctx, behind)
	}
}

// stoppedAtOnce is how many are woken between two signs of life.
const stoppedAtOnce = 200
