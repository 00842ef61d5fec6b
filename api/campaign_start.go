package api

import (
	"context"
	"net/url"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/relance/relance/campaign"
	"github.com/relance/relance/store"
)

// CampaignBody is what a caller says about a campaign, exported like [Paging].
type CampaignBody struct {
	Name              string      `json:"name" example:"Spring offer"`
	Message1          string      `json:"message_1" example:"Hello {{name|there}}, may we tell you about our spring offer?"`
	Message2          string      `json:"message_2" example:"Thank you {{name}}! Here it is."`
	CategoryIDs       []uuid.UUID `json:"category_ids,omitempty" example:"0197d2c4-7a10-7c3e-9a41-5f0e3b6d2c18" nullable:"false" maxItems:"1000" format:"uuid"`
	ContactIDs        []uuid.UUID `json:"contact_ids,omitempty" example:"0197d2c5-1b22-7f04-8d9e-2a4c6e8f0b13,0197d2c5-1b23-7b6c-a1d0-4e5f60718293" nullable:"false" maxItems:"100000" format:"uuid"`
	Message1MediaURL  string      `json:"message_1_media_url,omitempty" example:"https://example.com/printemps.jpg" maxLength:"2000"`
	Message2MediaURL  string      `json:"message_2_media_url,omitempty" example:"https://example.com/offre.pdf" maxLength:"2000"`
	ScheduledAt       *time.Time  `json:"scheduled_at,omitempty" example:"2026-06-01T11:00:00+02:00" doc:"When to start; at once if left out."`
	ExpectedReplyRate *float64    `json:"expected_reply_rate,omitempty" example:"0.3" minimum:"0" maximum:"1"`
}

type startCampaignInput struct{ Body CampaignBody }

type startedView struct {
	Campaign campaignView `json:"campaign"`
	Forecast forecastView `json:"forecast"`
}

type startCampaignOutput struct {
	Location string `header:"Location"`
	Body     startedView
}

// startCampaign stores a campaign and wakes the engine. It costs the same for
// ten contacts and for ten thousand, but for counting them: the campaign's own
// workflow fixes the audience.
func (a *API) startCampaign(ctx context.Context, in *startCampaignInput) (*startCampaignOutput, error) {
	created, err := in.Body.check()
	if err != nil {
		return nil, err
	}
	reach, err := a.reach(ctx, created)
	if err != nil {
		return nil, err
	}
	due, err := startMoment(in.Body.ScheduledAt, reach.At)
	if err != nil {
		return nil, err
	}
	forecast, err := a.forecast(ctx, created, reach, due)
	if err != nil {
		return nil, err
	}
	by := callerID(ctx)
	created.Status, created.ScheduledAt, created.CreatedBy = campaign.Scheduled, &due, &by
	if err := a.store.CreateCampaign(ctx, &created); err != nil {
		return nil, err
	}
	if !due.After(reach.At) {
		a.setGoing(ctx, created.ID)
	}
	return &startCampaignOutput{
		Location: "/campaigns/" + created.ID.String(),
		Body:     startedView{Campaign: a.viewCampaign(created), Forecast: forecast},
	}, nil
}

// clockTolerance forgives callers whose clock runs behind, and the way here.
const clockTolerance = time.Minute

// startMoment is when a campaign starts, on the database's clock.
func startMoment(asked *time.Time, now time.Time) (time.Time, error) {
	switch {
	case asked == nil:
		return now, nil
	case asked.Before(now.Add(-clockTolerance)):
		return now, invalid("body.scheduled_at", "must not be in the past; it is %s", now.UTC().Format(time.RFC3339))
	case asked.Before(now):
		return now, nil
	}
	return *asked, nil
}

const (
	// engineLimit is how long an engine may take to do what it is told.
	engineLimit = 10 * time.Second
	// enginePatience is how much of that a caller waits for: the answer does not
	// depend on it, and must not take more than 100 ms in all (Property 1).
	enginePatience = 50 * time.Millisecond
)

// setGoing starts a stored campaign. Whatever becomes of that, the campaign is
// stored as due, and the worker starts every campaign that is due.
func (a *API) setGoing(ctx context.Context, id uuid.UUID) {
	traceCampaign(ctx, id)
	a.soon(ctx, func(ctx context.Context) {
		if err := a.options.Engine.StartCampaign(ctx, id); err != nil {
			a.logger.WarnContext(ctx, "A campaign could not be started at once; the worker starts it.",
				"request_id", requestID(ctx), "campaign_id", id, "error", err)
			return
		}
		a.logger.InfoContext(ctx, "A campaign was started.", "request_id", requestID(ctx), "campaign_id", id)
	})
}

// soon tells the engine something that the answer does not depend on. The caller
// waits for it a moment only: while Temporal is away it takes its whole limit.
func (a *API) soon(ctx context.Context, tell func(ctx context.Context)) {
	done := make(chan struct{})
	a.background.run(ctx, func(ctx context.Context) {
		defer close(done)
		ctx, cancel := context.WithTimeout(ctx, engineLimit)
		defer cancel()
		tell(ctx)
	})
	patience := time.NewTimer(enginePatience)
	defer patience.Stop()
	select {
	case <-done:
	case <-patience.C:
	}
}

const (
	longestCampaignName = 200
	noAudience          = "must name a category, or contact_ids a contact"
)

// check reads what a caller says about a campaign.
func (b CampaignBody) check() (store.Campaign, error) {
	var wrong fields
	name, err := required(b.Name, longestCampaignName)
	if err != nil {
		wrong.wrong("body.name", "%s", err)
	}
	checkMessage(&wrong, "body.message_1", b.Message1)
	checkMessage(&wrong, "body.message_2", b.Message2)
	checkMediaURL(&wrong, "body.message_1_media_url", b.Message1MediaURL)
	checkMediaURL(&wrong, "body.message_2_media_url", b.Message2MediaURL)
	if len(b.CategoryIDs) == 0 && len(b.ContactIDs) == 0 {
		wrong.wrong("body.category_ids", noAudience)
	}
	return store.Campaign{
		Name: name, Message1: b.Message1, Message2: b.Message2,
		Message1MediaURL: b.Message1MediaURL, Message2MediaURL: b.Message2MediaURL,
		CategoryIDs: orEmpty(b.CategoryIDs), ContactIDs: orEmpty(b.ContactIDs), ExpectedReplyRate: b.ExpectedReplyRate,
	}, wrong.problem()
}

// orEmpty keeps NULL out of columns that hold lists.
func orEmpty(ids []uuid.UUID) []uuid.UUID {
	if ids == nil {
		return []uuid.UUID{}
	}
	return ids
}

func checkMessage(wrong *fields, location, text string) {
	err := campaign.ValidateText(text)
	if err == nil {
		err = storable(text)
	}
	if err != nil {
		wrong.wrong(location, "%s", err)
	}
}

func checkMediaURL(wrong *fields, location, text string) {
	if text == "" {
		return
	}
	parsed, err := url.Parse(text)
	if err != nil || parsed.Host == "" || (parsed.Scheme != "http" && parsed.Scheme != "https") ||
		strings.ContainsAny(text, " \t\r\n") {
		wrong.wrong(location, "must be an address such as https://example.com/picture.jpg")
	}
}
