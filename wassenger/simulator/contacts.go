package simulator

import (
	"fmt"
	"slices"
	"strconv"
	"time"
)

// Behaviour is how contacts behave. What one contact does with a message is a
// pure function of (Seed, phone, how many messages that contact got before),
// so it is the same in every run and after every restart. Shares lie between 0
// and 1; delays count from the moment named with them.
type Behaviour struct {
	// Undelivered is the share of messages that WhatsApp accepts and then
	// reports as failed. Nobody reads or answers those.
	Undelivered float64
	// DeliveryDelay is the time from acceptance to delivery.
	DeliveryDelay Delay
	// Read is the share of delivered messages that are read, ReadDelay after
	// delivery, and never later than they are answered.
	Read      float64
	ReadDelay Delay

	// Reply is the share of contacts who answer the first message they get.
	Reply float64
	// ReplyAgain is the same for every later message.
	ReplyAgain float64
	// ReplyDelay is the time from delivery to the answer.
	ReplyDelay Delay
	// ReplyTypes weighs the kinds of reply; none means text only.
	ReplyTypes map[ReplyType]float64
	// Quote is the share of replies that quote the message they answer.
	// Reactions always point at it.
	Quote float64
	// ExtraReplies is the probability of one more reply after each, five in all at most.
	ExtraReplies float64
	// ExtraDelay is the time from one reply to the next.
	ExtraDelay Delay
	// OptOut is the share of contacts who answer their first message with STOP
	// and nothing else, whatever Reply says.
	OptOut float64
}

const maxReplies = 5

func (b Behaviour) validate() error {
	for _, s := range []namedShare{
		{"Undelivered", b.Undelivered}, {"Read", b.Read}, {"Reply", b.Reply}, {"ReplyAgain", b.ReplyAgain},
		{"Quote", b.Quote}, {"ExtraReplies", b.ExtraReplies}, {"OptOut", b.OptOut},
	} {
		if err := s.validate(); err != nil {
			return err
		}
	}
	for _, d := range []Delay{b.DeliveryDelay, b.ReadDelay, b.ReplyDelay, b.ExtraDelay} {
		if err := d.validate(); err != nil {
			return err
		}
	}
	for kind, weight := range b.ReplyTypes {
		if !slices.Contains(ReplyTypes, kind) {
			return fmt.Errorf("ReplyTypes knows no %q", kind)
		}
		if !(weight >= 0) {
			return fmt.Errorf("ReplyTypes must weigh %q at 0 or more, not %g", kind, weight)
		}
	}
	return nil
}

// plan is what becomes of one accepted message. Times count from acceptance.
type plan struct {
	failed    bool // instead of delivered
	delivered time.Duration
	reads     bool
	read      time.Duration
	replies   []plannedReply
	sentArray bool // the webhook message:out:sent comes as an array
}

type plannedReply struct {
	after time.Duration
	kind  ReplyType
	text  string
	quote bool
}

// sentArrayShare is how often message:out:sent is wrapped in an array. Wassenger
// does both, nobody knows when.
const sentArrayShare = 0.25

// plan decides everything that happens to a message, given how many messages
// the contact got before.
func (b Behaviour) plan(seed uint64, phone string, before int) plan {
	d := throw(seed, "contact", phone, strconv.Itoa(before))
	p := plan{failed: d.chance(b.Undelivered), delivered: d.delay(b.DeliveryDelay), sentArray: d.chance(sentArrayShare)}
	p.reads, p.read = d.chance(b.Read), p.delivered+d.delay(b.ReadDelay)
	replies := b.replies(d, p.delivered, before)
	if p.failed {
		p.reads = false
		return p
	}
	p.replies = replies
	if len(replies) > 0 {
		p.read = min(p.read, replies[0].after)
	}
	return p
}

func (b Behaviour) replies(d dice, delivered time.Duration, before int) []plannedReply {
	share := b.Reply
	if before > 0 {
		share = b.ReplyAgain
	}
	optsOut, answers, after := d.chance(b.OptOut), d.chance(share), delivered+d.delay(b.ReplyDelay)
	if optsOut && before == 0 {
		return []plannedReply{{after: after, kind: ReplyText, text: "STOP"}}
	}
	if !answers {
		return nil
	}
	replies := []plannedReply{b.reply(d, after)}
	for len(replies) < maxReplies && d.chance(b.ExtraReplies) {
		after += d.delay(b.ExtraDelay)
		replies = append(replies, b.reply(d, after))
	}
	return replies
}

func (b Behaviour) reply(d dice, after time.Duration) plannedReply {
	kind := b.replyType(d.Float64())
	return plannedReply{after: after, kind: kind, text: kind.text(d), quote: d.chance(b.Quote)}
}

func (b Behaviour) replyType(u float64) ReplyType {
	total := 0.0
	for _, kind := range ReplyTypes { // not over the map, whose order changes
		total += b.ReplyTypes[kind]
	}
	u *= total
	for _, kind := range ReplyTypes {
		if u < b.ReplyTypes[kind] {
			return kind
		}
		u -= b.ReplyTypes[kind]
	}
	return ReplyText
}

// status is what the provider would say of the message when it is age old.
func (p plan) status(age time.Duration) string {
	switch {
	case age < p.delivered:
		return "sent"
	case p.failed:
		return "failed"
	case p.reads && age >= p.read:
		return "read"
	}
	return "delivered"
}
