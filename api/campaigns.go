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
	ID                uuid.UUID       `json:"id" example:"0197d2c6-3c5d-7a91-b2f7-91d3e5a7c024" format:"uuid"`
	Name              string          `json:"name" example:"Offre de printemps"`
	Status            campaign.Status `json:"status" example:"running" enum:"draft,scheduled,running,paused,completed,cancelled"`
	StatusReason      string          `json:"status_reason" doc:"Why the campaign is in its status, where that is not plain."`
	Message1          string          `json:"message_1" example:"Bonjour {{name|à vous}}, notre offre de printemps vous intéresse-t-elle ?"`
	Message2          string          `json:"message_2" example:"Merci {{name}} ! La voici : https://example.com/printemps"`
	Message1MediaURL  string          `json:"message_1_media_url,omitempty" example:"https://example.com/printemps.jpg"`
	Message2MediaURL  string          `json:"message_2_media_url,omitempty" example:"https://example.com/offre.pdf"`
	CategoryIDs       []uuid.UUID     `json:"category_ids" example:"0197d2c4-7a10-7c3e-9a41-5f0e3b6d2c18" nullable:"false" format:"uuid"`
	ContactIDs        []uuid.UUID     `json:"contact_ids,omitempty" example:"0197d2c5-1b22-7f04-8d9e-2a4c6e8f0b13" nullable:"false" format:"uuid" doc:"Left out in lists."`
	ExpectedReplyRate *float64        `json:"expected_reply_rate" example:"0.3"`
	ScheduledAt       *time.Time      `json:"scheduled_at" example:"2026-06-01T09:00:00Z"`
	StartedAt         *time.Time      `json:"started_at" example:"2026-06-01T09:00:01Z"`
	DeadlineAt        *time.Time      `json:"deadline_at" example:"2026-06-03T09:00:01Z" doc:"When the campaign completes at the latest."`
	CompletedAt       *time.Time      `json:"completed_at"`
	TextsRemovedAt    *time.Time      `json:"texts_removed_at" doc:"When the texts, and names and attributes of the recipients, were removed (RETENTION_TEXTS); null while they are there."`
	TotalContacts     int64           `json:"total_contacts" example:"1250" doc:"The audience; 0 until it is fixed at the start."`
	SentCount         int64           `json:"sent_count" doc:"Final totals are stored when the campaign ends; see the stats for those of the moment."`
	DeliveredCount    int64           `json:"delivered_count"`
	ReadCount         int64           `json:"read_count"`
	FailedCount       int64           `json:"failed_count"`
	InteractionCount  int64           `json:"interaction_count"`
	Stats             *statsView      `json:"stats,omitempty" doc:"Only in lists; GET /campaigns/{id}/stats has those of one campaign."`
	CreatedBy         *uuid.UUID      `json:"created_by" example:"0197d2c0-05aa-7d12-8c44-b7e6a5948372" format:"uuid" nullable:"true"`
	CreatedAt         time.Time       `json:"created_at" example:"2026-06-01T08:00:00Z"`
	UpdatedAt         time.Time       `json:"updated_at" example:"2026-06-01T09:00:01Z"`
	WorkflowID        string          `json:"workflow_id" example:"campaign/0197d2c6-3c5d-7a91-b2f7-91d3e5a7c024"`
	TemporalURL       string          `json:"temporal_url" example:"https://temporal.example.com/namespaces/default/workflows/campaign%2F0197d2c6-3c5d-7a91-b2f7-91d3e5a7c024" doc:"Where Temporal's Web UI shows the campaign; empty without a Web UI."`
}

func (a *API) viewCampaign(c store.Campaign) campaignView {
	workflowID := "campaign/" + c.ID.String()
	view := campaignView{
		ID: c.ID, Name: c.Name, Status: c.Status, StatusReason: c.StatusReason,
		Message1: c.Message1, Message2: c.Message2, Message1MediaURL: c.Message1MediaURL, Message2MediaURL: c.Message2MediaURL,
		CategoryIDs: c.CategoryIDs, ContactIDs: c.ContactIDs, ExpectedReplyRate: c.ExpectedReplyRate,
		ScheduledAt: utc(c.ScheduledAt), StartedAt: utc(c.StartedAt), DeadlineAt: utc(c.DeadlineAt), CompletedAt: utc(c.CompletedAt), TextsRemovedAt: utc(c.TextsRemovedAt),
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
