package api

import (
	"context"

	"github.com/relance/relance/campaign"
	"github.com/relance/relance/store"
)

type createDraftOutput struct {
	Location string `header:"Location"`
	Body     campaignView
}

func (a *API) createDraft(ctx context.Context, in *startCampaignInput) (*createDraftOutput, error) {
	draft, err := a.planned(ctx, in.Body)
	if err != nil {
		return nil, err
	}
	by := callerID(ctx)
	draft.Status, draft.CreatedBy = campaign.Draft, &by
	if err := a.store.CreateCampaign(ctx, &draft); err != nil {
		return nil, err
	}
	return &createDraftOutput{Location: "/campaigns/" + draft.ID.String(), Body: a.viewCampaign(draft)}, nil
}

type replaceDraftInput struct {
	ByID
	Body CampaignBody
}

func (a *API) replaceDraft(ctx context.Context, in *replaceDraftInput) (*campaignOutput, error) {
	changed, err := a.planned(ctx, in.Body)
	if err != nil {
		return nil, err
	}
	if err := a.store.UpdateDraft(ctx, in.ID, changed); err != nil {
		return nil, err
	}
	return a.getCampaign(ctx, &ByID{ID: in.ID})
}

// planned reads what a caller says about a campaign that is not to start yet.
// Its audience is there now; who is in it is decided when it starts.
func (a *API) planned(ctx context.Context, body CampaignBody) (store.Campaign, error) {
	planned, err := body.check()
	if err != nil {
		return planned, err
	}
	at, err := a.store.CheckAudience(ctx, audienceOf(planned))
	if err != nil {
		return planned, audienceProblem(err)
	}
	if body.ScheduledAt != nil {
		due, err := startMoment(body.ScheduledAt, at)
		planned.ScheduledAt = &due
		return planned, err
	}
	return planned, nil
}

func (a *API) deleteDraft(ctx context.Context, in *ByID) (*struct{}, error) {
	return nil, a.store.DeleteDraft(ctx, in.ID)
}
