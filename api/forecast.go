package api

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/relance/relance/campaign"
	"github.com/relance/relance/store"
)

type forecastView struct {
	Contacts          int64              `json:"contacts" example:"1250" doc:"Who would get the campaign now: each contact once, without those who opted out."`
	ExpectedReplyRate float64            `json:"expected_reply_rate" example:"0.3" doc:"The rate that the forecast assumes: the one given, else that of the last seven days, else 0.3."`
	Message1          int                `json:"message_1" example:"1250" doc:"Message 1s that will leave before the deadline."`
	Message2          int                `json:"message_2" example:"375" doc:"Message 2s that will leave at that reply rate."`
	NotReached        int                `json:"not_reached" example:"0" doc:"Contacts whom the quota does not let be sent Message 1 before the deadline."`
	FirstMessage1At   *time.Time         `json:"first_message_1_at" example:"2026-06-01T09:00:00Z"`
	LastMessage1At    *time.Time         `json:"last_message_1_at" example:"2026-06-02T11:00:00Z"`
	CompletesAt       *time.Time         `json:"completes_at" example:"2026-06-03T09:00:00Z"`
	Hours             []forecastHourView `json:"hours" nullable:"false" doc:"What leaves in each hour in which anything does."`
}

type forecastHourView struct {
	At       time.Time `json:"at" example:"2026-06-01T09:00:00Z" doc:"The start of the hour, counted from the start of the campaign."`
	Message1 int       `json:"message_1"`
	Message2 int       `json:"message_2"`
}

type forecastOutput struct{ Body forecastView }

// forecastCampaign tells how a campaign would run under the quota, and keeps nothing.
func (a *API) forecastCampaign(ctx context.Context, in *startCampaignInput) (*forecastOutput, error) {
	planned, err := in.Body.check()
	if err != nil {
		return nil, err
	}
	var start time.Time
	if in.Body.ScheduledAt != nil {
		start = *in.Body.ScheduledAt
	}
	reach, err := a.reach(ctx, planned)
	if err != nil {
		return nil, err
	}
	view, err := a.forecast(ctx, planned, reach, start)
	if err != nil {
		return nil, err
	}
	return &forecastOutput{Body: view}, nil
}

// usualReplyRate is assumed where neither the caller nor experience gives one.
const usualReplyRate = 0.3

// reach counts whom a campaign would get to.
func (a *API) reach(ctx context.Context, planned store.Campaign) (store.Reach, error) {
	reach, err := a.store.Reach(ctx, audienceOf(planned))
	return reach, audienceProblem(err)
}

func audienceOf(c store.Campaign) store.Audience {
	return store.Audience{CategoryIDs: c.CategoryIDs, ContactIDs: c.ContactIDs}
}

func audienceProblem(err error) error {
	return missing(err, map[string]string{"category": "body.category_ids", "contact": "body.contact_ids"})
}

// forecast plays a campaign that starts at the given moment, or now if that has passed.
func (a *API) forecast(ctx context.Context, planned store.Campaign, reach store.Reach, start time.Time) (forecastView, error) {
	plan, err := a.store.ForecastPlan(ctx, uuid.Nil)
	if err != nil {
		return forecastView{}, err
	}
	if start.After(plan.Now) {
		plan.Start = start
	}
	plan.Contacts = int(reach.Contacts)
	if plan.ReplyRate, err = a.expectedReplyRate(ctx, planned); err != nil {
		return forecastView{}, err
	}
	return viewForecast(reach.Contacts, plan.ReplyRate, campaign.Forecast(plan)), nil
}

func (a *API) expectedReplyRate(ctx context.Context, planned store.Campaign) (float64, error) {
	if planned.ExpectedReplyRate != nil {
		return *planned.ExpectedReplyRate, nil
	}
	device, err := a.store.Monitor(ctx)
	if err != nil {
		return 0, err
	}
	if rate, known := device.ReplyRate(); known {
		return rate, nil
	}
	return usualReplyRate, nil
}

func viewForecast(contacts int64, rate float64, o campaign.Outlook) forecastView {
	return forecastView{
		Contacts: contacts, ExpectedReplyRate: rate,
		Message1: o.Message1, Message2: o.Message2, NotReached: o.NotReached,
		FirstMessage1At: utc(o.FirstMessage1At), LastMessage1At: utc(o.LastMessage1At), CompletesAt: utc(o.CompletesAt),
		Hours: viewAll(o.Hours, func(h campaign.HourCount) forecastHourView {
			return forecastHourView{At: h.At.UTC(), Message1: h.Message1, Message2: h.Message2}
		}),
	}
}
