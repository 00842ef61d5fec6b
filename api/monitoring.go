package api

import (
	"context"
	"time"

	"github.com/relance/relance/campaign"
)

type monitoringView struct {
	Quota  quotaView  `json:"quota"`
	Device deviceView `json:"device"`
	// ReplyRate is nil until somebody was messaged.
	ReplyRate         *float64    `json:"reply_rate" nullable:"true" doc:"The share of contacts messaged within seven days who replied in time."`
	RemainingCapacity int         `json:"remaining_capacity" doc:"How many contacts could be sent Message 1 now, with room kept for their answers."`
	Backlog           backlogView `json:"backlog"`
	At                time.Time   `json:"at"`
}

type backlogView struct {
	Webhooks        int64      `json:"webhooks" doc:"Webhooks that are stored and not applied. An acknowledgement of a message that is not known is among them for ten minutes."`
	OldestWebhookAt *time.Time `json:"oldest_webhook_at" doc:"Since when the oldest of them waits."`
	Answers         int64      `json:"answers" doc:"Message 2s that are owed and have not left."`
	OldestAnswerAt  *time.Time `json:"oldest_answer_at" doc:"Since when the oldest of them is owed."`
}

type quotaView struct {
	Limit         int                 `json:"limit" doc:"How many messages may leave in any window."`
	WindowSeconds float64             `json:"window_seconds"`
	Used          int                 `json:"used" doc:"Messages that left in the window that ends now, or may have."`
	Left          int                 `json:"left"`
	Reserved      int                 `json:"reserved" doc:"Of what is left, what is held for admitted contacts and for answers."`
	NextSlotAt    time.Time           `json:"next_slot_at" doc:"When the next message may leave; now while there is room."`
	Level         campaign.QuotaLevel `json:"level" enum:"ok,attention,danger,blocked"`
}

type deviceView struct {
	ID         string     `json:"id"`
	Halted     bool       `json:"halted" doc:"The provider says that the device cannot send; resuming a campaign tries again."`
	HaltedAt   *time.Time `json:"halted_at"`
	HaltReason string     `json:"halt_reason"`
}

type monitoringOutput struct{ Body monitoringView }

func (a *API) monitoring(ctx context.Context, _ *struct{}) (*monitoringOutput, error) {
	device, err := a.store.Monitor(ctx)
	if err != nil {
		return nil, err
	}
	quota := a.store.Rules().Quota
	used := device.Usage.Sent + device.Usage.InFlight
	left := max(quota.Limit-used, 0)
	capacity := quota.Admittable(device.Usage)
	view := monitoringView{
		Quota: quotaView{
			Limit: quota.Limit, WindowSeconds: quota.Window.Seconds(), Used: used, Left: left,
			Reserved:   min(quota.Reserved(device.Usage), left),
			NextSlotAt: device.NextSlotAt.UTC(), Level: quota.Level(used),
		},
		Device:            deviceView{ID: device.DeviceID, Halted: device.HaltedAt != nil, HaltedAt: utc(device.HaltedAt), HaltReason: device.HaltReason},
		RemainingCapacity: capacity, At: device.At.UTC(),
		Backlog: backlogView{
			Webhooks: device.Backlog.Webhooks, OldestWebhookAt: utc(device.Backlog.OldestWebhookAt),
			Answers: device.Backlog.Answers, OldestAnswerAt: utc(device.Backlog.OldestAnswerAt),
		},
	}
	if rate, known := device.ReplyRate(); known {
		view.ReplyRate = &rate
	}
	return &monitoringOutput{Body: view}, nil
}
