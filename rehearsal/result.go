package rehearsal

import "time"

// Result is how a rehearsed campaign went.
type Result struct {
	Start      time.Time `json:"start"`
	Contacts   int       `json:"contacts"`
	ReplyRate  float64   `json:"reply_rate" doc:"The probability with which each contact replies."`
	ReplyAfter string    `json:"reply_after" doc:"How long after Message 1 replies come."`
	Seed       uint64    `json:"seed" doc:"Given again with the same settings, it gives the same result again."`

	Message1    int `json:"message_1" doc:"Message 1s sent before the deadline."`
	Message2    int `json:"message_2" doc:"Message 2s sent: who replied in time."`
	Replies     int `json:"replies"`
	LateReplies int `json:"late_replies" doc:"Of the replies, those that came after the contact's window."`
	NotReached  int `json:"not_reached" doc:"Contacts who could not be sent Message 1 before the deadline."`

	RefusedForQuota int     `json:"refused_for_quota" doc:"How often a contact or a message was refused because the quota was used or reserved."`
	SendLimit       int     `json:"send_limit"`
	WindowSeconds   float64 `json:"send_limit_window_seconds"`
	PeakQuotaUse    int     `json:"peak_quota_use" doc:"The most messages that left within one window of the quota."`

	FirstMessage1At    *time.Time `json:"first_message_1_at"`
	LastMessage1At     *time.Time `json:"last_message_1_at"`
	CompletesAt        time.Time  `json:"completes_at"`
	LastContactFinalAt time.Time  `json:"last_contact_final_at" doc:"After completes_at where contacts sent late live through their own window."`

	FinalStates States `json:"final_states"`

	HourSeconds float64 `json:"hour_seconds" doc:"The length of an hour below: 3600 unless the deadline is shorter than 48 hours."`
	Hours       []Hour  `json:"hours" nullable:"false" doc:"Every hour from the start to the last contact's end."`
}

// Hour is what happens in one hour of a rehearsal.
type Hour struct {
	Hour            int       `json:"hour" doc:"Counted from the start, from 0."`
	At              time.Time `json:"at" doc:"When it begins."`
	Message1        int       `json:"message_1"`
	Message2        int       `json:"message_2"`
	Replies         int       `json:"replies"`
	WaitingForQuota int       `json:"waiting_for_quota" doc:"The most contacts that waited for the quota at one moment of the hour."`
	RefusedForQuota int       `json:"refused_for_quota"`
	// FinalStates are those reached by the end of the hour.
	FinalStates States `json:"final_states" doc:"How many contacts are in each final state at the end of the hour."`
}

// result tells what happened, once everything is over.
func (w *world) result() Result {
	r := Result{
		Start: w.Start.UTC(), Contacts: w.Contacts, ReplyRate: w.ReplyRate, ReplyAfter: w.ReplyAfter.String(), Seed: w.Seed,
		SendLimit: w.Rules.Quota.Limit, WindowSeconds: w.Rules.Quota.Window.Seconds(), PeakQuotaUse: w.device.peak(), CompletesAt: w.journal.completed.UTC(),
		FinalStates: States{}, HourSeconds: w.Rules.Hour().Seconds(),
	}
	w.journal.read(&r, w.Rules.Hour())
	r.NotReached = w.Contacts - r.Message1
	return r
}
