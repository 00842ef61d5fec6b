package api

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/relance/relance/cache"
	"github.com/relance/relance/campaign"
	"github.com/relance/relance/store"
)

type messageView struct {
	ID          uuid.UUID              `json:"id" example:"0197d2c6-41f0-7e55-9b3c-6d7e8f901a2b" format:"uuid" doc:"Also the reference that the provider was given."`
	CampaignID  uuid.UUID              `json:"campaign_id" example:"0197d2c6-3c5d-7a91-b2f7-91d3e5a7c024" format:"uuid"`
	ContactID   uuid.UUID              `json:"contact_id" example:"0197d2c5-1b22-7f04-8d9e-2a4c6e8f0b13" format:"uuid"`
	Phone       string                 `json:"phone" example:"+33639980001"`
	Name        string                 `json:"name" example:"Camille"`
	MessageType campaign.MessageType   `json:"message_type" example:"message_1" enum:"message_1,message_2"`
	Status      campaign.MessageStatus `json:"status" example:"delivered" enum:"pending,sending,sent,delivered,read,failed,no_interaction,unknown"`
	Attempts    int                    `json:"attempts" example:"1"`
	CreatedAt   time.Time              `json:"created_at" example:"2026-06-01T09:00:00Z"`
	SentAt      *time.Time             `json:"sent_at" example:"2026-06-01T09:00:03Z"`
	DeliveredAt *time.Time             `json:"delivered_at" example:"2026-06-01T09:00:04Z"`
	ReadAt      *time.Time             `json:"read_at"`
	FailedAt    *time.Time             `json:"failed_at"`
	Error       string                 `json:"error" doc:"The provider's words about a message that failed."`
}

func viewMessage(m store.MessageRow) messageView {
	return messageView{
		ID: m.ID, CampaignID: m.CampaignID, ContactID: m.ContactID, Phone: m.Phone, Name: m.Name,
		MessageType: m.MessageType, Status: m.Status, Attempts: m.Attempts, CreatedAt: m.CreatedAt.UTC(),
		SentAt: utc(m.SentAt), DeliveredAt: utc(m.DeliveredAt), ReadAt: utc(m.ReadAt), FailedAt: utc(m.FailedAt), Error: m.Error,
	}
}

type listMessagesInput struct {
	Paging
	CampaignID uuid.UUID `query:"campaign_id" example:"0197d2c6-3c5d-7a91-b2f7-91d3e5a7c024" format:"uuid" doc:"Only messages of this campaign."`
	Status     string    `query:"status" example:"failed" enum:"pending,sending,sent,delivered,read,failed,no_interaction,unknown" doc:"Only messages in this status."`
	Type       string    `query:"type" example:"message_2" enum:"message_1,message_2" doc:"Only Message 1s, or only Message 2s."`
	Reached    string    `query:"reached" example:"delivered" enum:"sent,delivered,read" doc:"Only messages that came so far, or further: what messages_sent, messages_delivered and messages_read count."`
}

func (a *API) listMessages(ctx context.Context, in *listMessagesInput) (*listOutput[messageView], error) {
	page, err := in.page()
	if err != nil {
		return nil, err
	}
	found, err := a.store.Messages(ctx, store.MessageFilter{
		CampaignID: in.CampaignID, Status: campaign.MessageStatus(in.Status), Type: campaign.MessageType(in.Type),
		Reached: store.Reached(in.Reached),
	}, page)
	if err != nil {
		return nil, err
	}
	next, err := cursorAfter(found.Next)
	if err != nil {
		return nil, err
	}
	return &listOutput[messageView]{Body: list[messageView]{Items: viewAll(found.Messages, viewMessage), NextCursor: next}}, nil
}

// messageStats are the statistics of all campaigns together.
func (a *API) messageStats(ctx context.Context, _ *struct{}) (*statsOutput, error) {
	body, err := cache.Through(ctx, a.cache, cache.Stats+"all", cache.StatsTTL, func(ctx context.Context) (statsView, error) {
		stats, err := a.store.AllStats(ctx)
		return viewStats(stats), err
	})
	if err != nil {
		return nil, err
	}
	return &statsOutput{Body: body}, nil
}
