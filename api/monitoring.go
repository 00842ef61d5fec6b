package api

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/relance/relance/campaign"
	"github.com/relance/relance/store"
)

type monitoringView struct {
	Quota  quotaView  `json:"quota"`
	Device deviceView `json:"device"`
	// ReplyRate is nil until somebody was messaged.
	ReplyRate         *float64      `json:"reply_rate" example:"0.31" nullable:"true" doc:"The share of contacts messaged on the last seven days who replied in time."`
	RemainingCapacity int           `json:"remaining_capacity" example:"212" doc:"How many contacts could be sent Message 1 now, with room kept for their answers."`
	Backlog           backlogView   `json:"backlog"`
	Temporal          string        `json:"temporal" example:"ok" enum:"ok,unreachable,unknown" doc:"While it is unreachable, campaigns wait; unknown until a first look has ended. This, redis and workers may be seconds old."`
	Redis             string        `json:"redis" example:"ok" enum:"ok,unreachable,off,unknown" doc:"Without it every answer comes from the database."`
	Workers           workersView   `json:"workers"`
	Days              []dayView     `json:"days" nullable:"false" doc:"The last seven days, today last."`
	Errors            []failureView `json:"errors" nullable:"false" doc:"The newest failures, at most 50. What has been put right since is not among them."`
	At                time.Time     `json:"at"`
}

type failureView struct {
	Kind   store.FailureKind `json:"kind" example:"message_failed" enum:"message_failed,message_unknown,webhook_failed,import_failed"`
	At     time.Time         `json:"at"`
	ID     uuid.UUID         `json:"id" example:"0197d2c6-41f0-7e55-9b3c-6d7e8f901a2b" doc:"The message's, the webhook's or the import's."`
	Reason string            `json:"reason" example:"the number is not on WhatsApp"`

	CampaignID  *uuid.UUID            `json:"campaign_id" example:"0197d2c6-3c5d-7a91-b2f7-91d3e5a7c024" nullable:"true" doc:"Of a message."`
	ContactID   *uuid.UUID            `json:"contact_id" example:"0197d2c5-1b22-7f04-8d9e-2a4c6e8f0b13" nullable:"true" doc:"Of a message."`
	MessageType *campaign.MessageType `json:"message_type" example:"message_1" nullable:"true" enum:"message_1,message_2" doc:"Of a message."`
}

// dayView is one day in UTC.
type dayView struct {
	Day          string `json:"day" format:"date" example:"2026-06-01"`
	Message1     int64  `json:"message_1" doc:"Message 1s that left on this day."`
	Message2     int64  `json:"message_2"`
	Delivered    int64  `json:"delivered" doc:"Of those, how many were delivered since."`
	Read         int64  `json:"read"`
	Failed       int64  `json:"failed" doc:"Messages that failed on this day."`
	Interactions int64  `json:"interactions" doc:"Replies that came on this day."`
	Replied      int64  `json:"replied" doc:"Contacts messaged on this day who replied in time."`
}

func viewDay(d store.Day) dayView {
	return dayView{
		Day: d.Day.Format(time.DateOnly), Message1: d.Message1, Message2: d.Message2, Delivered: d.Delivered, Read: d.Read,
		Failed: d.Failed, Interactions: d.Interactions, Replied: d.Replied,
	}
}

type backlogView struct {
	Webhooks        int64      `json:"webhooks" example:"0" doc:"Webhooks that are stored and not applied. An acknowledgement of a message that is not known is among them for ten minutes."`
	OldestWebhookAt *time.Time `json:"oldest_webhook_at" doc:"Since when the oldest of them waits."`
	Answers         int64      `json:"answers" example:"2" doc:"Message 2s that are owed and have not left."`
	OldestAnswerAt  *time.Time `json:"oldest_answer_at" doc:"Since when the oldest of them is owed."`
}

type quotaView struct {
	Limit         int                 `json:"limit" example:"1000" doc:"How many messages may leave in any window."`
	WindowSeconds float64             `json:"window_seconds" example:"86400"`
	Used          int                 `json:"used" example:"480" doc:"Messages that left in the window that ends now, or may have."`
	Left          int                 `json:"left" example:"520"`
	Reserved      int                 `json:"reserved" example:"308" doc:"Of what is left, what is held for admitted contacts and for answers."`
	NextSlotAt    time.Time           `json:"next_slot_at" example:"2026-06-01T09:00:00Z" doc:"When the next message may leave; now while there is room."`
	Level         campaign.QuotaLevel `json:"level" example:"ok" enum:"ok,attention,danger,blocked"`
}

type deviceView struct {
	ID         string     `json:"id" example:"64a1b2c3d4e5f60718293a4b"`
	Halted     bool       `json:"halted" example:"false" doc:"The provider says that the device cannot send; resuming a campaign tries again."`
	HaltedAt   *time.Time `json:"halted_at"`
	HaltReason string     `json:"halt_reason"`
}

type monitoringOutput struct{ Body monitoringView }

// failuresShown bounds the list of failures.
const failuresShown = 50

func (a *API) monitoring(ctx context.Context, _ *struct{}) (*monitoringOutput, error) {
	device, err := a.store.Monitor(ctx)
	if err != nil {
		return nil, err
	}
	failures, err := a.store.Failures(ctx, failuresShown)
	if err != nil {
		return nil, err
	}
	quota := a.store.Rules().Quota
	standing := quota.Standing(device.Usage)
	temporal := a.temporal.look(ctx)
	view := monitoringView{
		Quota: quotaView{
			Limit: quota.Limit, WindowSeconds: quota.Window.Seconds(), Used: standing.Used, Left: standing.Left,
			Reserved: standing.Reserved, NextSlotAt: device.NextSlotAt.UTC(), Level: standing.Level,
		},
		Device:            deviceView{ID: device.DeviceID, Halted: device.HaltedAt != nil, HaltedAt: utc(device.HaltedAt), HaltReason: device.HaltReason},
		RemainingCapacity: quota.Admittable(device.Usage), At: device.At.UTC(),
		Backlog: backlogView{
			Webhooks: device.Backlog.Webhooks, OldestWebhookAt: utc(device.Backlog.OldestWebhookAt),
			Answers: device.Backlog.Answers, OldestAnswerAt: utc(device.Backlog.OldestAnswerAt),
		},
		Temporal: temporal.health, Redis: a.redis.look(ctx), Workers: temporal.workers,
		Days: viewAll(device.Days, viewDay), Errors: viewAll(failures, viewFailure),
	}
	if rate, known := device.ReplyRate(); known {
		view.ReplyRate = &rate
	}
	return &monitoringOutput{Body: view}, nil
}

func viewFailure(f store.Failure) failureView {
	view := failureView{Kind: f.Kind, At: f.At.UTC(), ID: f.ID, Reason: f.Reason, CampaignID: f.CampaignID, ContactID: f.ContactID}
	if f.MessageType != "" {
		view.MessageType = &f.MessageType
	}
	return view
}
