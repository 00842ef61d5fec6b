package proof

import (
	"flag"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/testsuite"
	"pgregory.net/rapid"

	"github.com/relance/relance/activities"
	"github.com/relance/relance/workflows"
)

// A failing case prints its seed. The same campaign is lived through again by
//
//	go test ./proof -count=1 -run TestRandomCampaignsObeyTheModel -rapid.seed=<seed>
//
// What a seed does not fix is the order in which the contacts of one wave are
// served, and the jitter of retries and pacing.
func TestRandomCampaignsObeyTheModel(t *testing.T) {
	setUnlessGiven(t, "rapid.checks", map[bool]string{false: "10", true: "300"}[os.Getenv("RELANCE_SOAK") != ""])
	setUnlessGiven(t, "rapid.shrinktime", "20s")
	setUnlessGiven(t, "rapid.nofailfile", "true")
	url := database(t)
	ended, story := map[string]int{}, ""
	defer func() {
		t.Logf("how contacts ended: %v", ended)
		if t.Failed() && story != "" {
			t.Log("the shortest story found, in hours since the launch:\n" + story)
		}
	}()
	rapid.Check(t, func(rt *rapid.T) {
		r := newRun(rt, url, plans.Draw(rt, "plan"))
		defer r.store.Close()
		r.live()
		b := r.books()
		for _, e := range b.entries {
			ended[e.state]++
		}
		if broken := judge(r.past, b); len(broken) > 0 {
			story = r.tellStory(b, broken)
			// The same words for the same fault, by which rapid knows it again.
			rt.Fatal(broken[0].rule)
		}
	})
}

func setUnlessGiven(t *testing.T, name, value string) {
	t.Helper()
	given := false
	flag.Visit(func(f *flag.Flag) { given = given || f.Name == name })
	if !given {
		require.NoError(t, flag.Set(name, value))
	}
}

// live lets everything happen: 72 hours, and more where nothing keeps room for
// all answers.
func (r *run) live() {
	lifetime := 72*time.Hour + 10*time.Minute
	if r.past.reserve < 1 {
		lifetime += r.past.quotaWindow
	}
	r.env.ExecuteWorkflow(server, r.campaign, lifetime)
	require.NoError(r, r.env.GetWorkflowError())
	require.NoError(r, r.broken)
}

// begin sets in motion what does not wait for a message, once the audience is frozen.
func (r *run) begin() {
	for i, person := range r.plan.contacts {
		if person.early != nil {
			r.at(person.early.after, func(at time.Duration) { r.reply(i, "early", *person.early, at) })
		}
		if person.optOutAt < never {
			r.at(person.optOutAt, func(at time.Duration) { r.optOut(i, at) })
		}
	}
	for n, order := range r.plan.orders {
		r.at(order.at, func(time.Duration) { r.order(n, order) })
	}
}

// messageArrives has the contact do what was planned for when a message has left.
func (r *run) messageArrives(who, message int, at time.Duration, as record) {
	person := r.plan.contacts[who]
	if n := len(r.past.contacts[who].requests[message]); n > 1 && r.past.contacts[who].left(message) < at {
		return // it had left before, which is for the model to see
	}
	for _, ack := range person.acks[message] {
		r.at(at+ack.after, func(at time.Duration) { r.ack(who, message, ack.said, as, at) })
	}
	if message != message1 {
		return
	}
	for n, planned := range person.replies {
		name := fmt.Sprint(n + 1)
		if !planned.edge {
			r.at(at+planned.after, func(at time.Duration) { r.reply(who, name, planned, at) })
			continue
		}
		// A moment before the window's own timer can fire.
		r.at(at+r.past.replyWindow-2*time.Millisecond, func(at time.Duration) {
			if ends := r.windowEnds(who); ends < never {
				at = r.setClock(ends + planned.after)
			}
			r.reply(who, name, planned, at)
		})
	}
}

func (r *run) reply(who int, name string, planned plannedReply, at time.Duration) {
	c := &r.past.contacts[who]
	// Whoever answers was sent something. That is how Relance learns of a message
	// whose fate is unknown, so nobody here writes by chance while one's is.
	if tries := c.requests[message1]; c.left(message1) == never && len(tries) > 0 && tries[len(tries)-1].did == nothing {
		return
	}
	kind := replyKinds[planned.kind]
	id := fmt.Sprintf("R%d-%s", who, name)
	raw := fmt.Appendf(nil, `{"id":%[1]q,"event":%[2]q,"created":%[3]d,"device":{"id":%[4]q},"data":{"id":%[1]q,"flow":"inbound","fromNumber":%[5]q,%[6]s}}`,
		id, kind.event, launch.Add(at).Unix(), device, phoneOf(who), kind.data)
	lost := planned.wakeLost && !planned.stop()
	c.replies = append(c.replies, reply{key: id, kind: kind.kind, at: at, stop: planned.stop(), wakeLost: lost})
	if planned.stop() {
		c.optedOut = min(c.optedOut, at)
	}
	r.losing = lost
	r.deliver(raw)
	r.losing = false
	r.tell(who, at, "writes %s (%s%s), delivered %d times%s", id, kind.kind, map[bool]string{true: ", STOP"}[planned.stop()], planned.copies,
		map[bool]string{true: ", the wake-up is lost"}[lost])
	for n := range planned.copies - 1 {
		r.at(at+time.Duration(n+1)*time.Second, func(time.Duration) { r.deliver(raw) })
	}
}

func (r *run) ack(who, message int, said string, of record, at time.Duration) {
	r.deliver(fmt.Appendf(nil, `{"id":%[1]q,"event":"message:out:ack","created":%[2]d,"device":{"id":%[3]q},
		"data":{"id":%[1]q,"flow":"outbound","ack":%[4]q,"to":%[5]q,"reference":%[6]q}}`,
		of.WAID, launch.Add(r.since()).Unix(), device, said, phoneOf(who), of.Reference))
	if said == "failed" {
		r.past.contacts[who].bounced[message] = at
		r.tell(who, at, "%s is reported as not delivered", nameOf[message])
	}
	acks := &r.past.contacts[who].acks[message]
	acks.delivered, acks.read = acks.delivered || said == "delivered", acks.read || said == "read"
}

func (r *run) deliver(raw []byte) {
	status, err := r.intake.Receive(r.Context(), raw)
	require.NoError(r, err)
	require.Contains(r, []string{"ok", "duplicate"}, status)
	r.tellFinal()
}

func (r *run) optOut(who int, at time.Duration) {
	c := &r.past.contacts[who]
	c.optedOut, c.byHand = min(c.optedOut, at), true
	r.tell(who, at, "an admin notes the opt-out")
	_, stopped, err := r.store.SetOptedOut(r.Context(), r.ids[who], true)
	require.NoError(r, err)
	for _, recipient := range stopped {
		require.NoError(r, r.Wake(r.Context(), recipient.CampaignID, recipient.ContactID))
	}
	r.tellFinal()
}

func (r *run) order(n int, o order) {
	if !o.toldByDB {
		// One that comes too late is refused.
		_ = r.env.UpdateWorkflowByID(workflows.CampaignID(r.campaign), string(o.action), fmt.Sprint("order ", n),
			&testsuite.TestUpdateCallback{OnAccept: func() {}, OnReject: func(error) {}, OnComplete: func(any, error) {}})
		return
	}
	var err error
	switch o.action {
	case activities.Pause:
		err = r.store.Pause(r.Context(), r.campaign, "paused")
	case activities.Resume:
		err = r.store.Resume(r.Context(), r.campaign)
	case activities.Cancel:
		err = r.store.Cancel(r.Context(), r.campaign)
	}
	if err == nil {
		r.decided(o.action, r.now())
		_ = r.env.SignalWorkflowByID(workflows.CampaignID(r.campaign), workflows.DecidedSignal, nil)
	}
}

// decided notes an order that has been obeyed.
func (r *run) decided(action activities.Action, at time.Duration) {
	r.tell(-1, at, "an admin decides: %s", action)
	last := len(r.past.pauses) - 1
	paused := last >= 0 && r.past.pauses[last].to == never
	switch {
	case action == activities.Cancel:
		r.past.cancelled = min(r.past.cancelled, at)
	case action == activities.Pause && !paused:
		r.past.pauses = append(r.past.pauses, span{at, never})
	case action == activities.Resume && paused:
		r.past.pauses[last].to = at
	}
}

// losesResult reports whether the worker dies between an activity's last deed
// and its answer.
func (r *run) losesResult(activity string, args []any) bool {
	id, of := workflows.ContactInput{}, ""
	switch in := args[0].(type) {
	case activities.SendMessageInput:
		id.ContactID, of = in.ContactID, map[bool]string{true: "Message 1", false: "Message 2"}[in.Type == "message_1"]
	case activities.CloseWindowInput:
		id.ContactID, of = in.ContactID, "the window"
	default:
		return false
	}
	who := contactNumber(id.ContactID)
	if !r.plan.contacts[who].deaths[of] || r.died[key{who, of}] {
		return false
	}
	r.died[key{who, of}] = true
	r.tell(who, r.since(), "the worker dies after %s (%s)", activity, of)
	return true
}
