package api

import (
	"context"
	"net/url"
	"time"

	"github.com/google/uuid"

	"github.com/relance/relance/campaign"
	"github.com/relance/relance/store"
)

type campaignView struct {
	ID                uuid.UUID       `json:"id" format:"uuid"`
	Name              string          `json:"name"`
	Status            campaign.Status `json:"status" enum:"draft,scheduled,running,paused,completed,cancelled"`
	StatusReason      string          `json:"status_reason" doc:"Why the campaign is in its status, where that is not plain."`
	Message1          string          `json:"message_1"`
	Message2          string          `json:"message_2"`
	Message1MediaURL  string          `json:"message_1_media_url,omitempty"`
	Message2MediaURL  string          `json:"message_2_media_url,omitempty"`
	CategoryIDs       []uuid.UUID     `json:"category_ids" nullable:"false" format:"uuid"`
	ContactIDs        []uuid.UUID     `json:"contact_ids,omitempty" nullable:"false" format:"uuid" doc:"Left out in lists."`
	ExpectedReplyRate *float64        `json:"expected_reply_rate"`
	ScheduledAt       *time.Time      `json:"scheduled_at"`
	StartedAt         *time.Time      `json:"started_at"`
	DeadlineAt        *time.Time      `json:"deadline_at" doc:"When the campaign completes at the latest."`
	CompletedAt       *time.Time      `json:"completed_at"`
	TotalContacts     int64           `json:"total_contacts" doc:"The audience; 0 until it is fixed at the start."`
	SentCount         int64           `json:"sent_count" doc:"Final totals are stored when the campaign ends; see the stats for those of the moment."`
	DeliveredCount    int64           `json:"delivered_count"`
	ReadCount         int64           `json:"read_count"`
	FailedCount       int64           `json:"failed_count"`
	InteractionCount  int64           `json:"interaction_count"`
	Stats             *statsView      `json:"stats,omitempty" doc:"Only in lists; GET /campaigns/{id}/stats has those of one campaign."`
	CreatedBy         *uuid.UUID      `json:"created_by" format:"uuid" nullable:"true"`
	CreatedAt         time.Time       `json:"created_at"`
	UpdatedAt         time.Time       `json:"updated_at"`
	WorkflowID        string          `json:"workflow_id"`
	TemporalURL       string          `json:"temporal_url" doc:"Where Temporal's Web UI shows the campaign; empty without a Web UI."`
}

func (a *API) viewCampaign(c store.Campaign) campaignView {
	workflowID := "campaign/" + c.ID.String()
	view := campaignView{
		ID: c.ID, Name: c.Name, Status: c.Status, StatusReason: c.StatusReason,
		Message1: c.Message1, Message2: c.Message2, Message1MediaURL: c.Message1MediaURL, Message2MediaURL: c.Message2MediaURL,
		CategoryIDs: c.CategoryIDs, ContactIDs: c.ContactIDs, ExpectedReplyRate: c.ExpectedReplyRate,
		ScheduledAt: utc(c.ScheduledAt), StartedAt: utc(c.StartedAt), DeadlineAt: utc(c.DeadlineAt), CompletedAt: utc(c.CompletedAt),
		TotalContacts: c.TotalContacts, SentCount: c.SentCount, DeliveredCount: c.DeliveredCount, ReadCount: c.ReadCount,
		FailedCount: c.FailedCount, InteractionCount: c.InteractionCount,
		CreatedBy: c.CreatedBy, CreatedAt: c.CreatedAt.UTC(), UpdatedAt: c.UpdatedAt.UTC(), WorkflowID: workflowID,
	}
	if view.CategoryIDs == nil {
		view.CategoryIDs = []uuid.UUID{}
	}
	if a.options.TemporalUIURL != "" {
		view.TemporalURL = a.options.TemporalUIURL + "/namespaces/" + url.PathEscape(a.options.TemporalNamespace) +
			"/workflows/" + url.PathEscape(workflowID)
	}
	return view
}

type campaignOutput struct{ Body campaignView }

func (a *API) getCampaign(ctx context.Context, in *ByID) (*campaignOutput, error) {
	found, err := a.store.Campaign(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	return &campaignOutput{Body: a.viewCampaign(found)}, nil
}

func (a *API) listCampaigns(ctx context.Context, in *Paging) (*listOutput[campaignView], error) {
	page, err := in.page()
	if err != nil {
		return nil, err
	}
	found, err := a.store.Campaigns(ctx, page)
	if err != nil {
		return nil, err
	}
	stats, err := a.store.StatsOf(ctx, found.Campaigns)
	if err != nil {
		return nil, err
	}
	next, err := cursorAfter(found.Next)
	if err != nil {
		return nil, err
	}
	return &listOutput[campaignView]{Body: list[campaignView]{
		Items: viewAll(found.Campaigns, func(c store.Campaign) campaignView {
			view, numbers := a.viewCampaign(c), viewStats(stats[c.ID])
			view.Stats = &numbers
			return view
		}),
		NextCursor: next,
	}}, nil
}
