package api

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/relance/relance/campaign"
	"github.com/relance/relance/store"
)

type timelineView struct {
	At              time.Time                `json:"at"`
	Event           store.TimelineEvent      `json:"event" example:"replied" enum:"created,opted_out,sent,delivered,read,failed,replied,answered,finished" doc:"Message 1 is sent, Message 2 answers."`
	Campaign        *campaignName            `json:"campaign,omitempty" doc:"Left out of events about the contact itself."`
	MessageType     campaign.MessageType     `json:"message_type,omitempty" example:"message_1" enum:"message_1,message_2" doc:"Which message was sent, answered, delivered, read or failed."`
	Error           string                   `json:"error,omitempty" doc:"failed: the provider's words."`
	InteractionType campaign.InteractionType `json:"interaction_type,omitempty" example:"voice" enum:"text,emoji,voice,audio,image,video,document" doc:"replied: with what."`
	Within24h       *bool                    `json:"within_24h,omitempty" example:"true" doc:"replied: whether the reply window was open."`
	State           campaign.RecipientState  `json:"state,omitempty" example:"message_2_sent" enum:"message_2_sent,no_interaction,late_interaction,failed,not_sent,stopped" doc:"finished: how the campaign ended for the contact."`
	Reason          campaign.Reason          `json:"reason,omitempty" example:"deadline" doc:"finished: why, where the state alone does not say it."`
}

type campaignName struct {
	ID   uuid.UUID `json:"id" example:"0197d2c6-3c5d-7a91-b2f7-91d3e5a7c024" format:"uuid"`
	Name string    `json:"name" example:"Offre de printemps"`
}

func viewTimelineEntry(e store.TimelineEntry) timelineView {
	view := timelineView{
		At: e.At.UTC(), Event: e.Event, MessageType: e.MessageType, Error: e.Error,
		InteractionType: e.InteractionType, Within24h: e.Within24h, State: e.State, Reason: e.StateReason,
	}
	if e.CampaignID != nil {
		view.Campaign = &campaignName{ID: *e.CampaignID, Name: e.CampaignName}
	}
	return view
}

type contactTimelineInput struct {
	ByID
	Paging
}

func (a *API) contactTimeline(ctx context.Context, in *contactTimelineInput) (*listOutput[timelineView], error) {
	after, err := place[store.TimelinePosition](in.Cursor)
	if err != nil {
		return nil, err
	}
	entries, more, err := a.store.Timeline(ctx, in.ID, after, in.Limit)
	if err != nil {
		return nil, err
	}
	body := list[timelineView]{Items: viewAll(entries, viewTimelineEntry)}
	if more {
		if body.NextCursor, err = cursorTo(entries[len(entries)-1].TimelinePosition); err != nil {
			return nil, err
		}
	}
	return &listOutput[timelineView]{Body: body}, nil
}
