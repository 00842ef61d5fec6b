package api

import (
	"context"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/relance/relance/campaign"
	"github.com/relance/relance/store"
)

type recipientView struct {
	ContactID      uuid.UUID               `json:"contact_id" example:"0197d2c5-1b22-7f04-8d9e-2a4c6e8f0b13" format:"uuid"`
	Phone          string                  `json:"phone" example:"+33639980001"`
	Name           string                  `json:"name" example:"Camille"`
	State          campaign.RecipientState `json:"state" example:"stopped" enum:"pending,admitted,message_1_sent,replied,message_2_sent,no_interaction,late_interaction,failed,not_sent,stopped"`
	StateReason    campaign.Reason         `json:"state_reason" example:"opted_out"`
	Message1Status campaign.MessageStatus  `json:"message_1_status" example:"read"`
	Message1SentAt *time.Time              `json:"message_1_sent_at" example:"2026-06-01T09:00:03Z"`
	Message2Status *campaign.MessageStatus `json:"message_2_status" doc:"null while no Message 2 is owed."`
	Message2SentAt *time.Time              `json:"message_2_sent_at"`
	WindowEndsAt   *time.Time              `json:"window_ends_at" example:"2026-06-02T09:00:03Z" doc:"A reply before this moment earns Message 2."`
	RepliedAt      *time.Time              `json:"replied_at"`
	FinishedAt     *time.Time              `json:"finished_at" example:"2026-06-01T10:12:03Z"`
	Error          string                  `json:"error" doc:"The provider's words about a message that failed."`
}

func viewRecipient(r store.RecipientRow) recipientView {
	return recipientView{
		ContactID: r.ContactID, Phone: r.Phone, Name: r.Name, State: r.State, StateReason: r.StateReason,
		Message1Status: r.Message1Status, Message1SentAt: utc(r.Message1SentAt),
		Message2Status: r.Message2Status, Message2SentAt: utc(r.Message2SentAt),
		WindowEndsAt: utc(r.WindowEndsAt), RepliedAt: utc(r.RepliedAt), FinishedAt: utc(r.FinishedAt), Error: r.Error,
	}
}

type listRecipientsInput struct {
	ByID
	Paging
	State   string `query:"state" example:"no_interaction" enum:"pending,admitted,message_1_sent,replied,message_2_sent,no_interaction,late_interaction,failed,not_sent,stopped" doc:"Only recipients in this state."`
	Reached string `query:"reached" example:"replied" enum:"sent,delivered,read,replied,answered" doc:"Only recipients who came so far, or further: their Message 1 was sent, delivered or read, they replied in time, Message 2 was sent."`
	Query   string `query:"q" maxLength:"100" example:"emma" doc:"Only recipients whose name or phone number contains this, as they were at the start."`
}

func (a *API) listRecipients(ctx context.Context, in *listRecipientsInput) (*listOutput[recipientView], error) {
	after, err := place[int64](in.Cursor)
	if err != nil {
		return nil, err
	}
	if after == nil {
		after = new(int64)
	}
	if err := storable(in.Query); err != nil {
		return nil, invalid("query.q", "%s", err)
	}
	total, err := a.store.AudienceSize(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	filter := store.RecipientFilter{State: campaign.RecipientState(in.State), Reached: store.Reached(in.Reached), Query: strings.TrimSpace(in.Query)}
	rows, more, err := a.store.Recipients(ctx, in.ID, filter, *after, in.Limit)
	if err != nil {
		return nil, err
	}
	body := list[recipientView]{Items: viewAll(rows, viewRecipient)}
	if filter == (store.RecipientFilter{}) {
		body.Total = &total
	}
	if more {
		if body.NextCursor, err = cursorTo(rows[len(rows)-1].Position); err != nil {
			return nil, err
		}
	}
	return &listOutput[recipientView]{Body: body}, nil
}
