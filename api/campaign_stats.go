package api

import (
	"context"

	"github.com/relance/relance/cache"
	"github.com/relance/relance/campaign"
	"github.com/relance/relance/store"
)

// statsView has the seed's six fields (Property 14) and what lies beneath them.
type statsView struct {
	TotalContacts     int64                             `json:"total_contacts" example:"1250"`
	MessagesSent      int64                             `json:"messages_sent" example:"1580" doc:"Both messages together."`
	MessagesDelivered int64                             `json:"messages_delivered" example:"1540"`
	MessagesRead      int64                             `json:"messages_read" example:"1102"`
	Interactions      int64                             `json:"interactions" example:"412" doc:"All replies, late and repeated ones too."`
	Failures          int64                             `json:"failures" example:"6" doc:"Messages refused for good."`
	Unknown           int64                             `json:"unknown" example:"0" doc:"Messages of which nobody can tell whether they left."`
	Replied           int64                             `json:"replied" example:"344" doc:"Contacts who replied in time."`
	ByType            messagesView                      `json:"by_type"`
	States            map[campaign.RecipientState]int64 `json:"states" example:"{\"pending\":0,\"admitted\":0,\"message_1_sent\":120,\"replied\":8,\"message_2_sent\":336,\"no_interaction\":760,\"late_interaction\":14,\"failed\":6,\"not_sent\":4,\"stopped\":2}" doc:"Contacts in each of the ten states."`
}

type messagesView struct {
	Message1 messageCountsView `json:"message_1"`
	Message2 messageCountsView `json:"message_2"`
}

type messageCountsView struct {
	Sent      int64 `json:"sent"`
	Delivered int64 `json:"delivered"`
	Read      int64 `json:"read"`
	Failed    int64 `json:"failed"`
	Unknown   int64 `json:"unknown"`
}

func viewStats(s store.Stats) statsView {
	view := statsView{
		TotalContacts: s.TotalContacts, MessagesSent: s.Messages.Sent, MessagesDelivered: s.Messages.Delivered,
		MessagesRead: s.Messages.Read, Interactions: s.Interactions, Failures: s.Messages.Failed, Unknown: s.Messages.Unknown,
		Replied: s.Replied,
		ByType: messagesView{
			Message1: messageCountsView(s.ByType[campaign.Message1]),
			Message2: messageCountsView(s.ByType[campaign.Message2]),
		},
		States: make(map[campaign.RecipientState]int64, len(campaign.RecipientStates)),
	}
	for _, state := range campaign.RecipientStates {
		view.States[state] = s.States[state]
	}
	return view
}

type statsOutput struct{ Body statsView }

func (a *API) campaignStats(ctx context.Context, in *ByID) (*statsOutput, error) {
	body, err := cache.Through(ctx, a.cache, cache.Stats+"campaign:"+in.ID.String(), cache.StatsTTL,
		func(ctx context.Context) (statsView, error) {
			stats, err := a.store.CampaignStats(ctx, in.ID)
			return viewStats(stats), err
		})
	if err != nil {
		return nil, err
	}
	return &statsOutput{Body: body}, nil
}
