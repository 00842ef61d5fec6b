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
	ID          uuid.UUID              `json:"id" format:"uuid" doc:"Also the reference that the provider was given."`
	CampaignID  uuid.UUID              `json:"campaign_id" format:"uuid"`
	ContactID   uuid.UUID              `json:"contact_id" format:"uuid"`
	Phone       string                 `json:"phone"`
	Name        string                 `json:"name"`
	MessageType campaign.MessageType   `json:"message_type" enum:"message_1,message_2"`
	Status      campaign.MessageStatus `json:"status" enum:"pending,sending,sent,delivered,read,failed,no_interaction,unknown"`
	Attempts    int                    `json:"attempts"`
	CreatedAt   time.Time              `json:"created_at"`
	SentAt      *time.Time             `json:"sent_at"`
	DeliveredAt *time.Time             `json:"delivered_at"`
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
	CampaignID uuid.UUID `query:"campaign_id" format:"uuid" doc:"Only messages of this campaign."`
	Status     string    `query:"status" enum:"pending,sending,sent,delivered,read,failed,no_interaction,unknown" doc:"Only messages in this status."`
	Type       string    `query:"type" enum:"message_1,message_2" doc:"Only Message 1s, or only Message 2s."`
}

func (a *API) listMessages(ctx context.Context, in *listMessagesInput) (*listOutput[messageView], error) {
	page, err := in.page()
	if err != nil {
		return nil, err
	}
	found, err := a.store.Messages(ctx, store.MessageFilter{
		CampaignID: in.CampaignID, Status: campaign.MessageStatus(in.Status), Type: campaign.MessageType(in.Type),
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
