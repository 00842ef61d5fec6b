package api

import (
	"context"

	"github.com/google/uuid"
)

// pauseCampaign, resumeCampaign and cancelCampaign have the database keep the
// decision, which holds from then on, and tell the campaign's workflow.

func (a *API) pauseCampaign(ctx context.Context, in *ByID) (*campaignOutput, error) {
	return a.decide(ctx, in.ID, func() error { return a.store.Pause(ctx, in.ID, "Paused by an admin.") })
}

func (a *API) resumeCampaign(ctx context.Context, in *ByID) (*campaignOutput, error) {
	return a.decide(ctx, in.ID, func() error { return a.store.Resume(ctx, in.ID) })
}

func (a *API) cancelCampaign(ctx context.Context, in *ByID) (*campaignOutput, error) {
	return a.decide(ctx, in.ID, func() error { return a.store.Cancel(ctx, in.ID) })
}

// startStored starts a draft: at the time that it names if that is to come, else
// now. Among drafts are campaigns whose scheduled start was missed.
func (a *API) startStored(ctx context.Context, in *ByID) (*startCampaignOutput, error) {
	stored, err := a.store.Campaign(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	reach, err := a.reach(ctx, stored)
	if err != nil {
		return nil, err
	}
	due := reach.At
	if stored.ScheduledAt != nil && stored.ScheduledAt.After(due) {
		due = *stored.ScheduledAt
	}
	forecast, err := a.forecast(ctx, stored, reach, due)
	if err != nil {
		return nil, err
	}
	if err := a.store.Launch(ctx, in.ID, &due); err != nil {
		return nil, err
	}
	if !due.After(reach.At) {
		a.setGoing(ctx, in.ID)
	}
	if stored, err = a.store.Campaign(ctx, in.ID); err != nil {
		return nil, err
	}
	return &startCampaignOutput{
		Location: "/campaigns/" + in.ID.String(),
		Body:     startedView{Campaign: a.viewCampaign(stored), Forecast: forecast},
	}, nil
}

type retryOutput struct {
	Body struct {
		Retried int64 `json:"retried" example:"3" doc:"Contacts who get another chance."`
	}
}

func (a *API) retryFailed(ctx context.Context, in *ByID) (*retryOutput, error) {
	retried, err := a.store.RetryFailed(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	a.tellDecided(ctx, in.ID)
	note(ctx, "retried", retried)
	output := &retryOutput{}
	output.Body.Retried = retried
	return output, nil
}

func (a *API) decide(ctx context.Context, id uuid.UUID, decision func() error) (*campaignOutput, error) {
	if err := decision(); err != nil {
		return nil, err
	}
	a.tellDecided(ctx, id)
	return a.getCampaign(ctx, &ByID{ID: id})
}

// tellDecided makes the campaign's workflow act on what has been decided. If it
// cannot be told, the worker's dispatcher tells it.
func (a *API) tellDecided(ctx context.Context, id uuid.UUID) {
	a.soon(ctx, func(ctx context.Context) {
		due, err := a.store.ControlDue(ctx, id)
		if err == nil && due != nil {
			if err = a.options.Engine.TellDecided(ctx, id); err == nil {
				err = a.store.ControlDelivered(ctx, id, *due)
			}
		}
		if err != nil {
			a.logger.WarnContext(ctx, "A campaign's workflow could not be told of a decision; the worker tells it.",
				"request_id", requestID(ctx), "campaign_id", id, "error", err)
		}
	})
}
