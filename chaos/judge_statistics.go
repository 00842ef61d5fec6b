package main

import (
	"reflect"

	"github.com/google/uuid"

	"github.com/relance/relance/campaign"
)

// judgeStatistics: every API tells of every campaign what the ledger tells, and so do
// the totals that were stored.
func (j *judgement) judgeStatistics() {
	for _, c := range j.campaigns {
		want := j.statistics(c.id)
		for _, api := range apis {
			got := j.told[api][c.id]
			states := map[campaign.RecipientState]int{}
			for state, n := range got.States {
				if n != 0 {
					states[state] = n
				}
			}
			got.States = states
			j.require(reflect.DeepEqual(got, want), statistics, "campaign %s: %s says %+v, it should be %+v", c.id, api, got, want)
		}
		stored := [6]int{c.contacts, c.sent, c.delivered, c.read, c.failed, c.interaction}
		totals := [6]int{want.TotalContacts, want.MessagesSent, want.MessagesDelivered, want.MessagesRead, want.Failures, want.Interactions}
		j.require(stored == totals, statistics, "campaign %s: contacts, sent, delivered, read, failed and replies are stored as %v, they should be %v", c.id, stored, totals)
	}
}

// statistics are counted anew: what left, was delivered and read by the ledger, the
// rest by the rows, which have been held against it one by one.
func (j *judgement) statistics(id uuid.UUID) stats {
	s := stats{States: map[campaign.RecipientState]int{}}
	for k, r := range j.recipients {
		if k.campaign != id {
			continue
		}
		s.TotalContacts++
		s.States[r.state]++
		s.Interactions += len(r.interaction)
		if r.repliedAt.Valid {
			s.Replied++
		}
	}
	for _, m := range j.messages {
		if m.campaign != id {
			continue
		}
		of := &s.ByType.Message1
		if m.kind == campaign.Message2 {
			of = &s.ByType.Message2
		}
		if left := j.left[m.id]; len(left) > 0 {
			of.Sent++
			add(&of.Delivered, j.acks[left[0].ID].delivered)
			add(&of.Read, j.acks[left[0].ID].read)
		}
		add(&of.Failed, m.status == campaign.MessageFailed)
		add(&of.Unknown, m.status == campaign.MessageUnknown)
	}
	one, two := s.ByType.Message1, s.ByType.Message2
	s.MessagesSent, s.MessagesDelivered, s.MessagesRead = one.Sent+two.Sent, one.Delivered+two.Delivered, one.Read+two.Read
	s.Failures, s.Unknown = one.Failed+two.Failed, one.Unknown+two.Unknown
	return s
}

func add(to *int, holds bool) {
	if holds {
		*to++
	}
}
