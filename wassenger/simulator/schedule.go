package simulator

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// newRecord adds to a message what becomes of it.
func (s *Simulator) newRecord(m Message) *record {
	r := &record{Message: m, plan: s.cfg.Contacts.plan(s.cfg.Seed, m.Phone, m.Before)}
	d := throw(s.cfg.Seed, "early", m.Phone, strconv.Itoa(m.Before))
	if d.chance(s.cfg.Delivery.AckBeforeResponse) {
		r.early, r.plan.delivered = true, 0
	}
	return r
}

// schedule puts everything that becomes of a message on the agenda. Callers
// hold s.mu.
func (s *Simulator) schedule(r *record) {
	acks := r.acks()
	end := acks[len(acks)-1].at
	for _, n := range acks {
		lot := fmt.Sprint(r.Phone, "/", r.Before, "/", n.event, "/", n.ack)
		s.scheduleNotice(n, lot, end, !r.early)
	}
	for k, p := range r.plan.replies {
		s.agenda.add(task{at: r.At.Add(p.after), reply: &dueReply{p, fmt.Sprint(r.ID, "/reply/", k), r}})
	}
	s.rouse()
}

// acks are the acknowledgements of a message in the order of what they tell.
func (r *record) acks() []*notice {
	at := func(after time.Duration) time.Time { return r.At.Add(after) }
	sent := &notice{key: r.ID + "/sent", event: eventSent, at: r.At, message: r, inArray: r.plan.sentArray}
	if r.plan.failed {
		return []*notice{sent, {key: r.ID + "/failed", event: eventFailed, at: at(r.plan.delivered), message: r}}
	}
	acks := []*notice{sent, {key: r.ID + "/delivered", event: eventAck, ack: "delivered", at: at(r.plan.delivered), message: r}}
	if r.plan.reads {
		acks = append(acks, &notice{key: r.ID + "/read", event: eventAck, ack: "read", at: at(r.plan.read), message: r})
	}
	return acks
}

// scheduleReply puts the webhook of a reply that has happened on the agenda.
// Callers hold s.mu.
func (s *Simulator) scheduleReply(r *Reply) {
	n := &notice{key: r.ID, event: eventIn, at: r.At, reply: r}
	if r.Type == ReplyReaction {
		n.event = eventReaction
	}
	lot := r.ID
	// Ids of messages are random; a contact's history is the same in every run.
	part, planned := strings.CutPrefix(r.ID, r.MessageID+"/")
	if m := s.book.byID[r.MessageID]; m != nil && planned {
		lot = fmt.Sprint(r.Phone, "/", m.Before, "/", part)
	}
	s.scheduleNotice(n, lot, n.at, true)
	s.rouse()
}

// scheduleNotice decides whether an event is held back or told twice. Held
// back, it leaves after the moment end.
func (s *Simulator) scheduleNotice(n *notice, lot string, end time.Time, mayBeHeld bool) {
	d := throw(s.cfg.Seed, "webhook", lot)
	held, by := d.chance(s.cfg.Delivery.Reorder), d.delay(s.cfg.Delivery.ReorderDelay)
	doubled, gap := d.chance(s.cfg.Delivery.Duplicate), d.delay(s.cfg.Delivery.ReorderDelay)
	at := n.at
	if held && mayBeHeld {
		at = end.Add(by)
	}
	s.agenda.add(task{at: at, tell: n})
	if doubled {
		again := *n
		again.key, again.duplicate = n.key+"/again", true
		s.agenda.add(task{at: at.Add(gap), tell: &again})
	}
}

// dropHappened takes from the agenda what an earlier life has finished.
func (s *Simulator) dropHappened() {
	left := s.agenda.tasks
	s.agenda = agenda{}
	for _, t := range left {
		switch {
		case t.reply != nil && s.book.replyByID[t.reply.id] != nil:
		case t.tell != nil && s.told(t.tell):
		default:
			s.agenda.add(t)
		}
	}
}

// told reports whether every receiver of an event has acknowledged it.
func (s *Simulator) told(n *notice) bool {
	told := false
	for _, h := range s.hooks {
		if !h.wants(n) {
			continue
		}
		if d := s.deliveries[h.key(n)]; d == nil || !d.settled() {
			return false
		}
		told = true
		if n.message != nil {
			n.message.told = true
		}
	}
	return told
}
