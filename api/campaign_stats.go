package api

import (
	"context"

	"github.com/relance/relance/cache"
	"github.com/relance/relance/campaign"
	"github.com/relance/relance/store"
)

// statsView has the seed's six fields (Property 14) and what lies beneath them.
type statsView struct {
	TotalContacts     int64                             `json:"total_contacts"`
	MessagesSent      int64                             `json:"messages_sent" doc:"Both messages together."`
	MessagesDelivered int64                             `json:"messages_delivered"`
	MessagesRead      int64                             `json:"messages_read"`
	Interactions      int64                             `json:"interactions" doc:"All replies, late and repeated ones too."`
	Failures          int64                             `json:"failures" doc:"Messages refused for good."`
	Unknown           int64                             `json:"unknown" doc:"Messages of which nobody can tell whether they left."`
	Replied           int64                             `json:"replied" doc:"Contacts who replied in time."`
	ByType            messagesView                      `json:"by_type"`
	States            map[campaign.RecipientState]int64 `json:"states" doc:"Contacts in each of the ten states."`
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
