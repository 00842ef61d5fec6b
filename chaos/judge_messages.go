package main

import (
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/relance/relance/campaign"
)

// judgeLedger: each message that left is one of Relance's, for that contact, and left
// once.
func (j *judgement) judgeLedger() {
	for _, w := range j.ledger.Webhooks {
		if w.First2xxAt == nil || w.ReplyID != "" {
			continue
		}
		a := j.acks[w.MessageID]
		a.delivered = a.delivered || strings.Contains(w.Key, "/delivered") || strings.Contains(w.Key, "/read")
		a.read = a.read || strings.Contains(w.Key, "/read")
		a.failed = a.failed || strings.Contains(w.Key, "/failed")
		j.acks[w.MessageID] = a
	}
	type letter struct{ phone, text string }
	times := map[letter]int{}
	for _, m := range j.ledger.Messages {
		// By the text too, whatever reference it had.
		said := letter{m.Phone, m.Text}
		if times[said]++; times[said] > 1 {
			j.require(false, doubled, "message %s left %d times", m.Reference, times[said])
		}
		id, err := uuid.Parse(m.Reference)
		row, known := j.messages[id]
		if err != nil || !known {
			j.require(false, inconsistent, "a message left with the reference %q, which is none", m.Reference)
			continue
		}
		text := j.places[row.campaign].texts[0]
		if row.kind == campaign.Message2 {
			text = j.places[row.campaign].texts[1]
		}
		before, _, _ := strings.Cut(text, "{{")
		j.require(row.phone == m.Phone && strings.HasPrefix(m.Text, before), unearned, "message %s left to somebody else or with another text", id)
		if j.left[id] = append(j.left[id], m); j.acks[m.ID].failed && row.kind == campaign.Message1 {
			j.bounced[row.key] = true
		}
	}
}

// judgeMessages: what is recorded as sent has left, and the other way round.
func (j *judgement) judgeMessages() {
	for id, m := range j.messages {
		state := j.recipients[m.key].state
		j.require(m.attempts <= campaign.MaxAttempts, inconsistent, "message %s has %d attempts", id, m.attempts)
		j.require(m.status != campaign.MessageSending, inconsistent, "message %s is still being sent", id)
		j.require(m.status != campaign.MessagePending || state == campaign.NotSent || state == campaign.Stopped, inconsistent,
			"message %s is still to be sent, and its contact is %s", id, state)
		left := j.left[id]
		switch {
		case len(left) > 0 && m.sentAt.Valid:
			j.judgeSent(m)
		case len(left) > 0 && m.status == campaign.MessageUnknown && j.tooOldToLookUp(m):
			j.honest["unknown, and it had left"]++
		default:
			j.require(len(left) == 0, inconsistent, "message %s left and is %s (%s)", id, m.status, m.errorSaid)
			j.require(!m.sentAt.Valid, lost, "message %s is recorded as sent and never left", id)
		}
	}
}

// tooOldToLookUp: an unknown message is looked up again and again until it is seven
// windows old. What is found after that nobody promises to record.
func (j *judgement) tooOldToLookUp(m messageRow) bool {
	last := j.ledger.Messages[len(j.ledger.Messages)-1].At
	return m.claimedAt.Time.Before(last.Add(-7 * j.plan.replyWindow))
}

// answerPatience is how long after a message left Relance may take to know it from
// the provider's answer: that may take as long as a request may, settling it too, and
// the process may be frozen meanwhile.
const answerPatience = 2*providerTimeout + longestFreeze

func (j *judgement) judgeSent(m messageRow) {
	left := j.left[m.id][0]
	early, late := left.At.Sub(m.sentAt.Time), m.sentAt.Time.Sub(left.At)
	j.require(early <= onItsWay || j.froze(servers, m.sentAt.Time, left.At), inconsistent, "message %s is said to have left %s before it did", m.id, early)
	j.require(late <= answerPatience, inconsistent, "message %s is said to have left %s after it did", m.id, late)
	uncounted := left.At.Sub(m.countedAt.Time)
	j.require(m.countedAt.Valid && uncounted <= clocks, inconsistent, "message %s counts against the quota %s before it left", m.id, uncounted)
	j.require(m.providerID == left.ID && m.waID == left.WaID, inconsistent, "message %s is not known by the provider's ids", m.id)
	told := j.acks[left.ID]
	j.require(m.deliveredAt.Valid == told.delivered, inconsistent, "message %s: delivered is recorded as %t, and was told as %t", m.id, m.deliveredAt.Valid, told.delivered)
	j.require(m.readAt.Valid == told.read, inconsistent, "message %s: read is recorded as %t, and was told as %t", m.id, m.readAt.Valid, told.read)
	if m.status == campaign.MessageFailed {
		j.require(told.failed, inconsistent, "message %s failed after it left, and nobody told so", m.id)
	}
	if m.deliveredAt.Valid {
		j.require(!m.deliveredAt.Time.Before(m.claimedAt.Time.Add(-time.Microsecond)), inconsistent, "message %s was delivered before it was claimed", m.id)
	}
}
