package api

import (
	"context"
	"time"

	"github.com/relance/relance/cache"
	"github.com/relance/relance/campaign"
	"github.com/relance/relance/store"
)

type courseView struct {
	StepSeconds     float64          `json:"step_seconds" example:"3600" doc:"How long each step is; 0 before the start."`
	Steps           []courseStepView `json:"steps" nullable:"false" doc:"Those in which anything happened, in order; at most 60 until the campaign's end."`
	Waiting         int              `json:"waiting" example:"120" doc:"Contacts who have not been admitted to be sent Message 1."`
	Message1PerHour *float64         `json:"message_1_per_hour" example:"41.5" doc:"How fast Message 1s leave, by the last fifteen minutes; null unless the campaign runs and some wait."`
	CompletesAt     *time.Time       `json:"completes_at" example:"2026-06-03T09:00:00Z" doc:"When the campaign will be complete, by the arithmetic of the forecast; null unless it runs."`
	At              time.Time        `json:"at" example:"2026-06-01T10:00:00Z"`
}

type courseStepView struct {
	At       time.Time `json:"at" example:"2026-06-01T09:00:00Z" doc:"The start of the step."`
	Message1 int64     `json:"message_1" example:"40"`
	Message2 int64     `json:"message_2" example:"12"`
	Replies  int64     `json:"replies" example:"15" doc:"All replies, late and repeated ones too."`
}

type courseOutput struct{ Body courseView }

const (
	// courseSteps is how many steps a chart can show on a telephone.
	courseSteps = 60
	// recently is the share of an hour that speed is measured over.
	recently = 15 * time.Minute
)

func (a *API) campaignCourse(ctx context.Context, in *ByID) (*courseOutput, error) {
	body, err := cache.Through(ctx, a.cache, cache.Stats+"course:"+in.ID.String(), cache.StatsTTL,
		func(ctx context.Context) (courseView, error) {
			course, err := a.store.CampaignCourse(ctx, in.ID, courseSteps, recently)
			if err != nil {
				return courseView{}, err
			}
			view := viewCourse(course)
			if course.Status == campaign.Running {
				view.CompletesAt, err = a.completesAt(ctx, in, course)
			}
			return view, err
		})
	if err != nil {
		return nil, err
	}
	return &courseOutput{Body: body}, nil
}

func viewCourse(c store.Course) courseView {
	view := courseView{
		StepSeconds: c.Step.Seconds(), Waiting: c.Waiting, At: c.At.UTC(),
		Steps: viewAll(c.Steps, func(s store.CourseStep) courseStepView {
			return courseStepView{At: s.At.UTC(), Message1: s.Message1, Message2: s.Message2, Replies: s.Replies}
		}),
	}
	if c.Status == campaign.Running && c.Waiting > 0 {
		// A campaign younger than the span has had less time.
		span := max(min(recently, c.At.Sub(*c.StartedAt)), time.Second)
		speed := float64(c.RecentMessage1) / span.Hours()
		view.Message1PerHour = &speed
	}
	return view
}

// completesAt plays what is left of a running campaign, as its forecast did before
// the start: who waits is sent to as the quota allows, and open windows end.
func (a *API) completesAt(ctx context.Context, in *ByID, course store.Course) (*time.Time, error) {
	end := course.At
	if course.OpenUntil != nil && course.OpenUntil.After(end) {
		end = *course.OpenUntil
	}
	if course.Waiting > 0 {
		of, err := a.store.Campaign(ctx, in.ID)
		if err != nil {
			return nil, err
		}
		plan, err := a.store.ForecastPlan(ctx, in.ID)
		if err != nil {
			return nil, err
		}
		plan.Contacts = course.Waiting
		if plan.ReplyRate, err = a.expectedReplyRate(ctx, of); err != nil {
			return nil, err
		}
		if sent := campaign.Forecast(plan).CompletesAt; sent != nil && sent.After(end) {
			end = *sent
		}
	}
	if course.DeadlineAt != nil && end.After(*course.DeadlineAt) {
		end = *course.DeadlineAt
	}
	return utc(&end), nil
}
