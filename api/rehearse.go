package api

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/google/uuid"

	"github.com/relance/relance/rehearsal"
	"github.com/relance/relance/store"
)

const (
	// largestRehearsal bounds the audience. A rehearsal's work grows with the
	// square of how many are reached: 1,000 take about a second, 5,000 ten.
	largestRehearsal = 5000
	// rehearsalTimeout is what a rehearsal may take, waiting for another included.
	rehearsalTimeout = time.Minute
	// rehearsalsAtOnce leaves the processors to those who send.
	rehearsalsAtOnce = 1
)

type rehearsalBody struct {
	CampaignBody
	ReplyAfter string `json:"reply_after,omitempty" example:"5m-6h" maxLength:"100" doc:"How long after Message 1 replies come: evenly between two bounds, or such as \"median 30m spread 4\", which is assumed if left out."`
	Seed       uint64 `json:"seed,omitempty" example:"7" default:"1" maximum:"9007199254740991" doc:"Another seed lets chance fall out differently; the same gives the same again."`
}

type rehearseInput struct{ Body rehearsalBody }

type rehearseOutput struct{ Body rehearsal.Result }

// rehearseCampaign plays a campaign on what the device's quota holds now, and
// keeps nothing.
func (a *API) rehearseCampaign(ctx context.Context, in *rehearseInput) (*rehearseOutput, error) {
	planned, settings, err := in.Body.check()
	if err != nil {
		return nil, err
	}
	reach, err := a.reach(ctx, planned)
	if err != nil {
		return nil, err
	}
	if err := in.Body.rehearsable(reach.Contacts); err != nil {
		return nil, err
	}
	plan, err := a.store.ForecastPlan(ctx, uuid.Nil)
	if err != nil {
		return nil, err
	}
	settings.Rules, settings.Load, settings.Start, settings.Contacts = plan.Rules, plan.Load, plan.Start, int(reach.Contacts)
	if in.Body.ScheduledAt != nil && in.Body.ScheduledAt.After(plan.Now) {
		settings.Start = *in.Body.ScheduledAt
	}
	if settings.ReplyRate, err = a.expectedReplyRate(ctx, planned); err != nil {
		return nil, err
	}
	result, err := a.rehearse(ctx, settings)
	if err != nil {
		return nil, err
	}
	return &rehearseOutput{Body: result}, nil
}

// rehearse waits for its turn first.
func (a *API) rehearse(ctx context.Context, settings rehearsal.Settings) (rehearsal.Result, error) {
	select {
	case a.rehearsals <- struct{}{}:
		defer func() { <-a.rehearsals }()
	case <-ctx.Done():
		return rehearsal.Result{}, tooLong(ctx.Err())
	}
	result, err := rehearsal.Run(ctx, settings)
	return result, tooLong(err)
}

// tooLong says what else a caller can do whose rehearsal did not end in time.
func tooLong(err error) error {
	if errors.Is(err, context.DeadlineExceeded) {
		return problem(http.StatusServiceUnavailable,
			"The rehearsal took too long. Try again in a moment, rehearse fewer contacts, or ask POST /campaigns/forecast.")
	}
	return err
}

func (b rehearsalBody) check() (store.Campaign, rehearsal.Settings, error) {
	settings := rehearsal.Settings{ReplyAfter: rehearsal.Usually(), Seed: b.Seed}
	planned, err := b.CampaignBody.check()
	if err != nil || b.ReplyAfter == "" {
		return planned, settings, err
	}
	if settings.ReplyAfter, err = rehearsal.ParseDelay(b.ReplyAfter); err != nil {
		return planned, settings, invalid("body.reply_after", "%s", err)
	}
	return planned, settings, nil
}

// rehearsable refuses audiences whose rehearsal would take too long here.
func (b rehearsalBody) rehearsable(contacts int64) error {
	if contacts <= largestRehearsal {
		return nil
	}
	location := "body.contact_ids"
	if len(b.CategoryIDs) > 0 {
		location = "body.category_ids"
	}
	return invalid(location, "reach %d contacts; at most %d can be rehearsed here: name fewer, ask POST /campaigns/forecast, or run `relance rehearse`",
		contacts, largestRehearsal)
}
