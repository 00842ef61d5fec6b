package proof

import (
	"fmt"
	"slices"
	"time"

	"pgregory.net/rapid"

	"github.com/relance/relance/activities"
	"github.com/relance/relance/campaign"
)

// plan is what is drawn before a campaign begins.
type plan struct {
	rules    campaign.Rules
	ahead    bool // Message 1s leave before their contacts' workflows ask
	hours    hours
	contacts []person
	orders   []order
	outages  []span
}

// hours are whole ones, on the wall clock in Paris. The zero value is always open.
type hours struct{ from, to int }

// person is what a contact will do, and what will become of their messages.
type person struct {
	replies  []plannedReply
	early    *plannedReply // after the launch, whether or not Message 1 has left by then
	optOutAt time.Duration // an admin notes it; never
	faults   [2][]fault    // of the requests for each message, in their order
	lag      [2]time.Duration
	acks     [2][]plannedAck
	deaths   map[string]bool // the kinds of activity whose first result is lost
}

type plannedReply struct {
	after    time.Duration // Message 1 left
	edge     bool          // after is measured from the very end of the window
	kind     int
	copies   int
	wakeLost bool
}

type plannedAck struct {
	after time.Duration // the message left
	said  string
}

// order is an admin's, given to the workflow or by way of the database.
type order struct {
	at       time.Duration
	action   activities.Action
	toldByDB bool
	long     bool // a pause that nobody ends for a day or two
}

// plans draws them as a whole: single draws would bury the story.
var plans = rapid.Custom(drawPlan)

// GoString keeps a plan from being printed: the story tells what came of it.
func (p plan) GoString() string { return fmt.Sprintf("a campaign of %d contacts", len(p.contacts)) }

func drawPlan(t *rapid.T) plan {
	n := rapid.SampledFrom([]int{1, 3, 8, 12, 20, 30, 40, 50}).Draw(t, "contacts")
	p := plan{rules: campaign.DefaultRules()}
	p.rules.Quota = campaign.Quota{
		Limit:   rapid.IntRange(2, 2*n+2).Draw(t, "limit"),
		Window:  rapid.SampledFrom([]time.Duration{24 * time.Hour, 24 * time.Hour, 12 * time.Hour}).Draw(t, "window"),
		Reserve: rapid.SampledFrom([]float64{1, 1, 1, 0.5, 0.2, 0}).Draw(t, "reserve"),
	}
	if oneIn(t, 4, "sending hours") {
		p.hours = rapid.SampledFrom([]hours{{8, 20}, {10, 12}, {6, 11}, {20, 6}}).Draw(t, "hours")
		parsed, err := campaign.ParseHours(fmt.Sprintf("%02d:00-%02d:00 Europe/Paris", p.hours.from, p.hours.to))
		if err != nil {
			t.Fatal(err)
		}
		p.rules.Hours = parsed
	}
	if oneIn(t, 5, "pacing") {
		least := time.Duration(rapid.IntRange(5, 40).Draw(t, "gap")) * time.Second
		p.rules.Pace = campaign.Pace{Min: least, Max: 2 * least}
	}
	p.ahead = rapid.Bool().Draw(t, "ahead")
	// A stormy one has half of its messages in doubt when an admin steps in.
	faultsOneIn, stormy := 6, oneIn(t, 5, "stormy")
	p.orders = drawOrders(t)
	if stormy {
		faultsOneIn = 2
		at := time.Duration(rapid.IntRange(0, 100).Draw(t, "storm")) * time.Second
		if rapid.Bool().Draw(t, "cancel") {
			p.orders = append(p.orders, order{at: at, action: activities.Cancel, toldByDB: true})
		} else {
			p.orders = append(p.orders, order{at: at, action: activities.Pause, toldByDB: true},
				order{at: at + 2*time.Hour, action: activities.Resume, toldByDB: true})
		}
	}
	if slices.ContainsFunc(p.orders, func(o order) bool { return o.long }) {
		p.rules.Pace = campaign.Pace{} // the many who are admitted and unsent would ask for days, and the test run for minutes
	}
	for range rapid.SampledFrom([]int{0, 0, 0, 1, 2}).Draw(t, "outages") {
		from := drawMoment(t, 50, "outage")
		p.outages = append(p.outages, span{from, from + time.Duration(rapid.IntRange(1, 150).Draw(t, "seconds"))*time.Second})
	}
	for range n {
		p.contacts = append(p.contacts, drawPerson(t, faultsOneIn))
	}
	return p
}

func oneIn(t *rapid.T, n int, label string) bool {
	return rapid.IntRange(0, n-1).Draw(t, label) == n-1
}

// drawMoment is evenly spread, unlike what rapid makes of one large number, but
// for one in four close to the beginning.
func drawMoment(t *rapid.T, hours int, label string) time.Duration {
	moment := time.Duration(rapid.IntRange(1, 999).Draw(t, "ms"))*time.Millisecond + time.Duration(rapid.IntRange(0, 59).Draw(t, "s"))*time.Second
	if oneIn(t, 4, "soon") {
		return moment
	}
	return moment + time.Duration(rapid.IntRange(0, 59).Draw(t, "min"))*time.Minute + time.Duration(rapid.IntRange(0, hours-1).Draw(t, label))*time.Hour
}

func drawOrders(t *rapid.T) (orders []order) {
	give := func(at time.Duration, action activities.Action) {
		orders = append(orders, order{at: at, action: action, toldByDB: rapid.Bool().Draw(t, "told by the database")})
	}
	for range rapid.SampledFrom([]int{0, 0, 1, 2}).Draw(t, "pauses") {
		at := drawMoment(t, 50, "pause")
		give(at, activities.Pause)
		if oneIn(t, 5, "for good") {
			orders[len(orders)-1].long = true
		} else {
			give(at+drawMoment(t, 10, "resume"), activities.Resume)
		}
	}
	if oneIn(t, 8, "resumed just before the deadline") {
		give(drawMoment(t, 1, "pause"), activities.Pause)
		orders[len(orders)-1].long = true
		give(48*time.Hour-time.Duration(rapid.IntRange(1, 90).Draw(t, "seconds"))*time.Second, activities.Resume)
	}
	if oneIn(t, 6, "cancel") {
		give(drawMoment(t, 50, "at"), activities.Cancel)
	}
	return orders
}

func drawPerson(t *rapid.T, faultsOneIn int) person {
	p := person{optOutAt: never, deaths: map[string]bool{}}
	for range rapid.SampledFrom([]int{0, 0, 1, 1, 1, 2, 4}).Draw(t, "replies") {
		p.replies = append(p.replies, drawReply(t))
	}
	if oneIn(t, 15, "writes early") {
		early := drawReply(t)
		p.early = &early
	}
	if oneIn(t, 10, "opts out by hand") {
		p.optOutAt = drawMoment(t, 60, "at")
	}
	for message := range nameOf {
		if oneIn(t, faultsOneIn, "faults") {
			p.faults[message] = drawFaults(t)
			p.lag[message] = time.Duration(rapid.IntRange(0, 45).Draw(t, "lag")) * time.Second
		}
		if oneIn(t, 10, "bounces") {
			p.acks[message] = []plannedAck{{drawMoment(t, 2, "after"), "failed"}}
			continue
		}
		for _, said := range []string{"delivered", "read"} {
			if rapid.Bool().Draw(t, said) {
				p.acks[message] = append(p.acks[message], plannedAck{drawMoment(t, 5, "after"), said})
			}
		}
	}
	for _, of := range []string{"Message 1", "Message 2", "the window"} {
		p.deaths[of] = oneIn(t, 12, "worker dies after "+of)
	}
	return p
}

func drawReply(t *rapid.T) plannedReply {
	reply := plannedReply{
		kind: rapid.IntRange(0, len(replyKinds)-1).Draw(t, "kind"), copies: rapid.SampledFrom([]int{1, 1, 2, 3}).Draw(t, "copies"),
		wakeLost: oneIn(t, 8, "wake-up lost"),
	}
	switch rapid.SampledFrom([]string{"inside", "inside", "late", "edge"}).Draw(t, "when") {
	case "inside":
		reply.after = drawMoment(t, 24, "after")
	case "late":
		reply.after = 24*time.Hour + drawMoment(t, 20, "after")
	case "edge":
		reply.edge, reply.after = true, time.Duration(rapid.IntRange(-1, 1).Draw(t, "microseconds"))*time.Microsecond
	}
	return reply
}

func drawFaults(t *rapid.T) (faults []fault) {
	if oneIn(t, 3, "refused") {
		return []fault{rapid.SampledFrom([]fault{refuses, knowsNoNumber}).Draw(t, "fault")}
	}
	for range rapid.IntRange(1, 4).Draw(t, "failures") {
		faults = append(faults, rapid.SampledFrom(failures).Draw(t, "fault"))
	}
	return faults
}

// past is the beginning of what the model is told.
func (p plan) past() past {
	begun := past{
		rules: rules{
			limit: p.rules.Quota.Limit, quotaWindow: p.rules.Quota.Window, reserve: p.rules.Quota.Reserve,
			replyWindow: 24 * time.Hour, deadline: 48 * time.Hour, gap: p.rules.Pace.Min, closed: p.hours.closed,
		},
		contacts: make([]contact, len(p.contacts)), outages: p.outages, cancelled: never,
	}
	for i := range begun.contacts {
		begun.contacts[i].optedOut, begun.contacts[i].bounced = never, [2]time.Duration{never, never}
	}
	return begun
}

var paris = func() *time.Location {
	place, err := time.LoadLocation("Europe/Paris")
	if err != nil {
		panic(err)
	}
	return place
}()

func (h hours) closed(at time.Duration) bool {
	hour := launch.Add(at).In(paris).Hour()
	switch {
	case h == hours{}:
		return false
	case h.from < h.to:
		return hour < h.from || hour >= h.to
	}
	return hour < h.from && hour >= h.to
}

// replyKinds are what contacts write.
var replyKinds = []struct{ kind, event, data string }{
	{"text", "message:in:new", `"type":"text","body":"Oui"`},
	{"emoji", "message:in:new", `"type":"text","body":"👍"`},
	{"voice", "message:in:new", `"type":"audio","media":{"type":"ptt"}`},
	{"audio", "message:in:new", `"type":"audio","media":{"type":"audio","mime":"audio/mpeg"}`},
	{"image", "message:in:new", `"type":"image"`},
	{"video", "message:in:new", `"type":"video"`},
	{"document", "message:in:new", `"type":"document"`},
	{"text", "message:in:new", `"type":"text","body":"STOP"`},
}

func (r plannedReply) stop() bool { return r.kind == len(replyKinds)-1 }
