package proof

import (
	"math"
	"slices"
	"time"
)

// This file is the model: what a campaign has to do, told from what can be seen
// from outside. It knows nothing of how Relance does it. Every moment is the
// time since the launch, on one clock on which no two moments are equal.

// past is what happened: what the provider was asked, what contacts and admins did.
type past struct {
	rules
	contacts  []contact
	pauses    []span
	outages   []span        // the provider answered nobody
	cancelled time.Duration // never, if nobody did
}

type rules struct {
	limit                 int           // at most so many messages
	quotaWindow           time.Duration // in any interval as long as this
	reserve               float64       // the share of possible answers that Message 1s leave room for
	replyWindow, deadline time.Duration
	gap                   time.Duration            // least time between two Message 1s
	closed                func(time.Duration) bool // outside sending hours
}

const never = time.Duration(math.MaxInt64)

type span struct{ from, to time.Duration }

func (s span) holds(at time.Duration) bool { return s.from < at && at < s.to }

type contact struct {
	requests [2][]request // for Message 1 and Message 2
	replies  []reply      // in the order in which they were taken in
	optedOut time.Duration
	byHand   bool // an admin noted the opt-out
	acks     [2]struct{ delivered, read bool }
	// bounced is when WhatsApp was reported not to have delivered a message after all.
	bounced [2]time.Duration
}

// request is one that reached the provider.
type request struct {
	at    time.Duration
	did   deed
	plain bool // it was answered truthfully at once
}

type deed string

const (
	accepted  deed = "accepted"
	refused   deed = "refused"
	badNumber deed = "refused: no such number"
	nothing   deed = "done nothing with"
)

type reply struct {
	key      string
	kind     string
	at       time.Duration
	stop     bool // it says STOP
	wakeLost bool // no workflow heard of it
}

// books are what Relance has recorded in the end.
type books struct {
	status                              string
	completed                           time.Duration
	sent, delivered, read, failed, said int // the stored totals
	entries                             []entry
	activities                          int    // how many it took
	stale                               string // totals that lagged behind after the end
}

type entry struct {
	state, reason string
	finished      time.Duration
	sent          [2]time.Duration // never, if it did not leave
	rows          [2]int           // how often the message exists
	interactions  []interaction
}

type interaction struct {
	key, kind string
	at        time.Duration
	inTime    bool
}

const (
	message1 = iota
	message2
)

var nameOf = [2]string{"Message 1", "Message 2"}

// left is when the message left for the contact; never if it did not.
func (c contact) left(message int) time.Duration {
	for _, r := range c.requests[message] {
		if r.did == accepted {
			return r.at
		}
	}
	return never
}

// undone is why a message has failed: it was refused, or four requests came to nothing.
func (c contact) undone(message int) (state, reason string) {
	for _, r := range c.requests[message] {
		switch {
		case r.did == refused:
			return "failed", "refused"
		case r.did == badNumber && message == message1:
			return "not_sent", "invalid_number"
		case r.did == badNumber:
			return "failed", "invalid_number"
		}
	}
	if len(c.requests[message]) == 4 {
		return "failed", "attempts_spent"
	}
	return "", ""
}

// stopped is when the contact was last to be written to, and why.
func (p past) stopped(c contact) (time.Duration, string) {
	if c.optedOut < p.cancelled {
		return c.optedOut, "opted_out"
	}
	return p.cancelled, "cancelled"
}

// windowEnds is when a reply begins to be late: exactly 24 hours after Message 1
// left. When that was is known to the microsecond from the books, which have to
// agree with the provider (see judgeBooks).
func (p past) windowEnds(e entry) time.Duration {
	if e.sent[message1] == never {
		return never
	}
	return e.sent[message1] + p.replyWindow
}

// earned is the reply that Message 2 is owed for, if there is one: the first
// inside the window, unless the contact or an admin has stopped it before.
func (p past) earned(c contact, e entry) (reply, bool) {
	stop, _ := p.stopped(c)
	for _, r := range c.replies {
		if r.at > c.left(message1) {
			return r, r.at < p.windowEnds(e) && r.at < stop
		}
	}
	return reply{}, false
}

// final is how a contact has to end.
func (p past) final(c contact, e entry) (state, reason string) {
	stop, why := p.stopped(c)
	if c.left(message1) == never {
		if state, reason = c.undone(message1); state != "" {
			return state, reason
		}
		if stop < p.deadline {
			return "not_sent", why
		}
		return "not_sent", "deadline"
	}
	if _, earned := p.earned(c, e); earned {
		if c.left(message2) < never {
			return "message_2_sent", ""
		}
		if state, reason = c.undone(message2); state != "" {
			return state, reason
		}
		return "stopped", why // if it was not stopped it is owed, see judgeMessage2
	}
	ends, bounced := p.windowEnds(e), c.bounced[message1]
	if bounced < min(stop, ends) {
		// A reply shows that it was delivered; only then is there something to stop.
		if slices.ContainsFunc(c.replies, func(r reply) bool { return bounced < r.at && r.at < ends }) {
			return "stopped", why
		}
		return "failed", "undelivered"
	}
	switch {
	case stop < ends:
		return "stopped", why
	case slices.ContainsFunc(c.replies, func(r reply) bool { return r.at >= ends }):
		return "late_interaction", ""
	}
	return "no_interaction", ""
}

// usedQuota is how many messages left in the interval of the quota that ends at a moment.
func (p past) usedQuota(at time.Duration) (n int) {
	for _, c := range p.contacts {
		for message := range nameOf {
			if left := c.left(message); left <= at && left > at-p.quotaWindow {
				n++
			}
		}
	}
	return n
}

// room reports whether one more Message 1 might have left at a moment: the
// quota holds it and the answers that it and the open windows may still provoke.
func (p past) room(b books, at time.Duration) bool {
	if p.closed(at) || slices.ContainsFunc(p.pauses, func(s span) bool { return s.holds(at) }) {
		return false
	}
	open, owed := 0, 0
	for i, c := range p.contacts {
		stop, _ := p.stopped(c)
		r, earned := p.earned(c, b.entries[i])
		switch requests := c.requests[message1]; {
		case len(requests) == 0 || requests[0].at > at || stop < at: // holds nothing
		case c.left(message1) > at:
			if at < requests[len(requests)-1].at { // on its way
				owed, open = owed+1, open+1
			}
		case earned && r.at <= at:
			if last := c.requests[message2]; len(last) == 0 || last[len(last)-1].at > at {
				owed++
			}
		case p.windowEnds(b.entries[i]) > at:
			open++
		}
	}
	return p.usedQuota(at)+owed+1+int(math.Ceil(p.reserve*float64(open+1)-1e-9)) <= p.limit
}

// launchRoom is how many Message 1s have room at the launch.
func (r rules) launchRoom() (n int) {
	for n+1+int(math.Ceil(r.reserve*float64(n+1)-1e-9)) <= r.limit {
		n++
	}
	return n
}

// well reports whether the provider stood in the way of nothing that concerns
// the contact in a span of time.
func (p past) well(c contact, s span) bool {
	for _, o := range p.outages {
		if o.from < s.to && s.from < o.to+troubled {
			return false
		}
	}
	for message := range nameOf {
		for _, r := range c.requests[message] {
			if !r.plain && s.from-troubled < r.at && r.at < s.to {
				return false
			}
		}
	}
	return true
}

// troubled is how long an outage or a fault of the provider's may hold something up.
const troubled = 3 * time.Minute
