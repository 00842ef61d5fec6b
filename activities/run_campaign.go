package activities

import (
	"context"
	"time"

	"github.com/google/uuid"
	"go.temporal.io/sdk/activity"

	"github.com/relance/relance/campaign"
	"github.com/relance/relance/store"
)

// FreezeAudienceResult tells what was launched.
type FreezeAudienceResult struct {
	Status       campaign.Status `json:"status"`
	Recipients   int64           `json:"recipients"`
	Waves        int             `json:"waves,omitempty"` // of earlier runs of the workflow
	DeadlineLeft time.Duration   `json:"deadline_left"`
}

// FreezeAudience fixes who gets the campaign and starts its clock.
func (a *Activities) FreezeAudience(ctx context.Context, campaignID uuid.UUID) (FreezeAudienceResult, error) {
	defer alive(ctx)()
	frozen, err := a.Store.FreezeAudience(ctx, campaignID)
	return FreezeAudienceResult(frozen), storeError(err)
}

// AdmitRecipientsInput names the wave to fill.
type AdmitRecipientsInput struct {
	CampaignID uuid.UUID `json:"campaign_id"`
	Wave       int       `json:"wave"`
	Size       int       `json:"size"`
}

// AdmitRecipientsResult tells whom Message 1 may be sent to.
type AdmitRecipientsResult struct {
	Status       campaign.Status `json:"status"`
	Contacts     []uuid.UUID     `json:"contacts,omitempty"`
	Left         int64           `json:"left"`
	Obstacle     store.Obstacle  `json:"obstacle,omitempty"`
	AskAgain     time.Duration   `json:"ask_again,omitempty"`
	DeadlineLeft time.Duration   `json:"deadline_left"`
}

const (
	// ObstacleCrowded: as many contacts as are good for it are on their way.
	ObstacleCrowded store.Obstacle = "the contacts admitted before"
	// crowdedLook is how often a full backlog is looked at again,
	crowdedLook = 100 * time.Millisecond
	// and crowdedPatience how long before the workflow is told to ask anew.
	crowdedPatience = 10 * time.Second
)

// AdmitRecipients fills a wave as far as quota and reply reserve allow. While
// as many as two waves are admitted and unsent it waits here, where waiting
// costs the campaign's history nothing.
func (a *Activities) AdmitRecipients(ctx context.Context, in AdmitRecipientsInput) (AdmitRecipientsResult, error) {
	patience := time.NewTimer(crowdedPatience)
	defer patience.Stop()
	look := time.NewTicker(crowdedLook)
	defer look.Stop()
	for {
		admission, err := a.Store.Admit(ctx, in.CampaignID, in.Wave, in.Size, 2*in.Size)
		if err != nil {
			return AdmitRecipientsResult{}, storeError(err)
		}
		if !admission.Crowded {
			return answer(admission), nil
		}
		select {
		case <-look.C:
			continue
		case <-patience.C:
		case <-activity.GetWorkerStopChannel(ctx):
		case <-ctx.Done():
			return AdmitRecipientsResult{}, ctx.Err()
		}
		result := answer(admission)
		result.Obstacle, result.AskAgain = ObstacleCrowded, crowdedLook
		return result, nil
	}
}

func answer(admission store.Admission) AdmitRecipientsResult {
	return AdmitRecipientsResult{
		Status: admission.Status, Contacts: admission.Contacts, Left: admission.Left,
		Obstacle: admission.Obstacle, AskAgain: admission.AskAgain, DeadlineLeft: admission.DeadlineLeft,
	}
}

// CloseCampaignResult tells whether the campaign is over.
type CloseCampaignResult struct {
	Status       campaign.Status `json:"status"`
	Closed       bool            `json:"closed"`
	Unfinished   int64           `json:"unfinished"`
	DeadlineLeft time.Duration   `json:"deadline_left"`
}

// CloseCampaign completes the campaign when everyone is final, or at its deadline.
func (a *Activities) CloseCampaign(ctx context.Context, campaignID uuid.UUID) (CloseCampaignResult, error) {
	defer alive(ctx)()
	closing, err := a.Store.CloseCampaign(ctx, campaignID)
	return CloseCampaignResult(closing), storeError(err)
}
