package bench

import (
	"fmt"
	"iter"
	"maps"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
)

// connections deliver replies at full speed.
const connections = 50

// course is how campaigns went from their start until everybody who replied was
// answered and their workflows had ended.
type course struct {
	contacts, replied int

	message1 time.Duration // from the start until the provider had accepted every Message 1
	message2 time.Duration // from the first webhook until it had accepted every Message 2
	finished time.Duration // from the first webhook until all workflows of those who replied had ended
	answers  latencies     // Message 2, each from its webhook

	cpu                           cpuUse // of both phases, with Temporal's coming to rest
	memoryRelance, memoryTemporal int64  // peaks
	history                       history
}

func (c course) message1PerSecond() float64 { return float64(c.contacts) / c.message1.Seconds() }
func (c course) message2PerSecond() float64 { return float64(c.replied) / c.message2.Seconds() }
func (c course) finishedPerSecond() float64 { return float64(c.replied) / c.finished.Seconds() }

// runCourse plays so many campaigns at once, each to so many contacts of its
// own, a share of whom reply when everything has come to rest. The provider's
// acknowledgements are left out, as they are of the floor.
func runCourse(r *relance, provider *provider, campaigns, contacts int, share float64) course {
	r.b.Helper()
	mailbox := openMailbox(r.b)
	provider.tell(mailbox.url, inboundEvents)
	categories := make([]uuid.UUID, campaigns)
	for i := range categories {
		categories[i] = r.category(fmt.Sprint("Benchmark ", i), i*contacts, (i+1)*contacts)
	}
	c := course{contacts: campaigns * contacts}
	temporal := r.dial()
	settle()

	used, begun := cpuUsed(), time.Now()
	started := make([]uuid.UUID, campaigns)
	for i, category := range categories {
		started[i] = r.startCampaign(category)
	}
	provider.awaitMessages(c.contacts)
	r.awaitWindows(c.contacts)
	r.awaitRest()
	c.cpu = cpuUsed().since(used)
	c.message1 = latest(maps.Values(provider.accepted(message1Begins))).Sub(begun)

	replying := repliers(c.contacts, share)
	replies := provider.replies(replying, mailbox)
	c.replied = len(replies)
	settle()
	used = cpuUsed()
	webhooks := atFullSpeed(len(replies), connections, func(i int) error { return post(r.http, r.webhookURL(), replies[i].raw) })
	require.NoError(r.b, webhooks.failure(), "webhooks were refused")
	provider.awaitMessages(c.contacts + len(replies))
	c.finished = r.awaitContactsEnded(temporal, started, len(replies)).Sub(webhooks.begun)
	c.cpu = c.cpu.and(cpuUsed().since(used))
	c.memoryRelance, c.memoryTemporal = peakMemory("relance"), peakMemory("temporal")

	provider.requireOnceEach(c.contacts, replying)
	accepted := provider.accepted(message2Begins)
	c.message2 = latest(maps.Values(accepted)).Sub(webhooks.begun)
	c.answers = answered(webhooks, replies, accepted)
	c.history = r.readHistory(temporal, started, replying, c.contacts)
	return c
}

// repliers picks a share of the contacts, evenly, and in no order.
func repliers(contacts int, share float64) []int {
	var picked []int
	for i := range contacts {
		if int(float64(i+1)*share) > int(float64(i)*share) {
			picked = append(picked, i)
		}
	}
	random := rand.New(rand.NewPCG(5, 6))
	random.Shuffle(len(picked), func(i, j int) { picked[i], picked[j] = picked[j], picked[i] })
	return picked
}

func latest(moments iter.Seq[time.Time]) time.Time {
	return slices.MaxFunc(slices.Collect(moments), time.Time.Compare)
}

// awaitContactsEnded waits until so many contacts' workflows have ended, and
// returns when the last did. It seldom asks, so as not to be in the way.
func (r *relance) awaitContactsEnded(temporal client.Client, campaigns []uuid.UUID, wanted int) (last time.Time) {
	r.b.Helper()
	ended := func(id uuid.UUID) string {
		return fmt.Sprintf(`WorkflowId STARTS_WITH 'campaign/%s/contact/' AND ExecutionStatus = 'Completed'`, id)
	}
	awaitEvery(r.b, time.Second, "the contacts' workflows to end", func() error {
		n := 0
		for _, id := range campaigns {
			counted, err := temporal.CountWorkflow(r.b.Context(), &workflowservice.CountWorkflowExecutionsRequest{Query: ended(id)})
			if err != nil {
				return err
			}
			n += int(counted.GetCount())
		}
		if n < wanted {
			return fmt.Errorf("%d of %d have", n, wanted)
		}
		return nil
	})
	for _, id := range campaigns {
		listed, err := temporal.ListWorkflow(r.b.Context(), &workflowservice.ListWorkflowExecutionsRequest{Query: ended(id), PageSize: 1})
		require.NoError(r.b, err)
		for _, newest := range listed.GetExecutions() { // they come in the order of their ends, the last first
			if at := newest.GetCloseTime().AsTime(); at.After(last) {
				last = at
			}
		}
	}
	return last
}
