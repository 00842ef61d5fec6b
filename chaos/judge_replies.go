package main

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/relance/relance/campaign"
	"github.com/relance/relance/wassenger"
	"github.com/relance/relance/wassenger/simulator"
)

// said is one thing that a contact said, as its sender and the provider know it.
// Twice the same reaction to the same message is one.
type said struct {
	simulator.Reply
	takenIn time.Time // by then Relance had it
}

// judgeReplies: each reply that was taken in is recorded once, dated between when it
// was said and when it was taken in, and counted as in time by that moment.
func (j *judgement) judgeReplies() {
	all := j.said()
	for event, s := range all {
		i, recorded := j.interactions[event]
		if !recorded {
			j.require(false, lost, "reply %s of %s was taken in and is not recorded", s.ID, s.Type)
			continue
		}
		r := j.recipients[i.key]
		j.require(r.phone == s.Phone, inconsistent, "reply %s is recorded for somebody else", s.ID)
		early, late := s.At.Sub(i.receivedAt), i.receivedAt.Sub(s.takenIn)
		j.require(early <= clocks, inconsistent, "reply %s is dated %s before it was said", s.ID, early)
		dated := s.takenIn
		if late > clocks {
			j.dated = append(j.dated, late)
			dated = j.parked[parkedID(event)]
			j.require(!i.receivedAt.After(dated.Add(clocks)), inconsistent, "reply %s is dated %s after it was taken in", s.ID, late)
		}
		j.require(i.inTime == (r.windowEnds.Valid && i.receivedAt.Before(r.windowEnds.Time)), inconsistent,
			"reply %s came %s before the window's end, and is in time: %t", s.ID, r.windowEnds.Time.Sub(i.receivedAt), i.inTime)
		surely, possibly := dated.Before(r.windowEnds.Time), s.At.Before(r.windowEnds.Time.Add(clocks))
		switch {
		case surely != possibly:
			j.edges++
		case surely:
			j.require(i.inTime, lost, "reply %s was taken in %s before the window's end, and counts as late", s.ID, r.windowEnds.Time.Sub(s.takenIn))
		default:
			j.require(!i.inTime, unearned, "reply %s was said %s after the window's end, and counts as in time", s.ID, s.At.Sub(r.windowEnds.Time))
		}
		j.judgeWhose(s, i)
	}
	for event, i := range j.interactions {
		_, known := all[event]
		j.require(known, inconsistent, "%s: a reply is recorded that nobody sent", i.key)
	}
}

// froze tells whether one of some processes was frozen at any time in between.
func (j *judgement) froze(who []string, from, to time.Time) bool {
	return slices.ContainsFunc(j.frozen, func(f frost) bool {
		return slices.Contains(who, f.who) && f.from.Before(to) && from.Before(f.to)
	})
}

// said brings together what the ledger has of each reply, by the key of its event.
func (j *judgement) said() map[string]said {
	takenIn := map[string]time.Time{}
	for _, w := range j.ledger.Webhooks {
		if first, known := takenIn[w.ReplyID]; w.First2xxAt != nil && (!known || w.First2xxAt.Before(first)) {
			takenIn[w.ReplyID] = *w.First2xxAt
		}
	}
	all := map[string]said{}
	for _, reply := range j.ledger.Replies {
		at, known := takenIn[reply.ID]
		if !known {
			j.require(false, restless, "reply %s was never taken in", reply.ID)
			continue
		}
		event := eventOf(reply)
		one, again := all[event]
		if !again {
			one = said{reply, at}
		}
		if at.Before(one.takenIn) {
			one.takenIn = at
		}
		all[event] = one
	}
	return all
}

// eventOf is what Relance recognises a reply by.
func eventOf(r simulator.Reply) string {
	name, data := "message:in:new", map[string]any{"id": r.WaID, "type": "text", "flow": "inbound", "fromNumber": r.Phone, "body": "x"}
	if r.Type == simulator.ReplyReaction {
		name, data = "message:reaction", map[string]any{"id": r.QuotedWaID, "type": "reaction", "flow": "inbound", "fromNumber": r.Phone, "reaction": r.Text}
	}
	raw, err := json.Marshal(map[string]any{"event": name, "device": map[string]string{"id": device}, "data": data})
	if err != nil {
		panic("chaos: an event can be written: " + err.Error())
	}
	events, err := wassenger.ParseWebhook(raw)
	if err != nil {
		panic(fmt.Sprintf("chaos: an event of the kind %s can be read: %v", name, err))
	}
	return events[0].Key
}

// whoseMargin is how long what has happened may take to be known to whoever decides
// which campaign a reply belongs to.
const whoseMargin = time.Second

// judgeWhose: a reply of a contact in several campaigns belongs to the one whose
// message it quotes; else to the newest with an open window that nobody has
// answered. Where both were on their way at once, either is right.
func (j *judgement) judgeWhose(s said, i interactionRow) {
	mine := j.recipients[i.key]
	for _, k := range j.contacts[s.Phone] {
		other := j.recipients[k]
		first, known := j.message1(k)
		if k == i.key || !known || first.countedAt.Time.After(i.receivedAt.Add(-whoseMargin)) {
			continue // only just sent, or not at all
		}
		if s.QuotedWaID != "" {
			j.require(!j.sentTo(k, s.QuotedWaID) || first.countedAt.Time.After(i.receivedAt.Add(-providerTimeout)), inconsistent,
				"reply %s quotes campaign %s, and is recorded for %s", s.ID, k.campaign, i.campaign)
			continue
		}
		open := i.receivedAt.Before(other.windowEnds.Time.Add(-whoseMargin)) && len(other.interaction) == 0 && other.reason != campaign.ReasonUndelivered
		_, optedOut := j.optOuts[s.Phone]
		_, over := j.ended[k.campaign]
		newer := other.message1At.Time.After(mine.message1At.Time.Add(whoseMargin))
		j.require(!open || optedOut || over || i.inTime && !newer, inconsistent, "reply %s is recorded for campaign %s, and campaign %s waits for one", s.ID, i.campaign, k.campaign)
	}
}

// message1 is the row of a contact's Message 1, if it is known to have left.
func (j *judgement) message1(k key) (messageRow, bool) {
	for _, m := range j.messages {
		if m.key == k && m.kind == campaign.Message1 {
			return m, m.sentAt.Valid
		}
	}
	return messageRow{}, false
}

func (j *judgement) sentTo(k key, waID string) bool {
	for _, m := range j.messages {
		if m.key == k && m.waID == waID {
			return true
		}
	}
	return false
}
