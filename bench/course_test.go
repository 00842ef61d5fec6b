package bench

import (
	"fmt"
	"iter"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/client"
	"golang.org/x/sync/errgroup"
)

const (
	connections = 50 // deliver replies at full speed
	askedAtOnce = 16 // workflows, whether they have ended
)

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
	r.awaitRest()
	c.cpu = c.cpu.and(cpuUsed().since(used))
	c.memoryRelance, c.memoryTemporal = peakMemory("relance"), peakMemory("temporal")
	c.finished = r.lastEnded(temporal, replying).Sub(webhooks.begun)

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

// lastEnded waits until the workflows of all these contacts have ended, and returns
// when the last did. Each is asked for by itself: the list of workflows lags behind by
// tens of thousands.
func (r *relance) lastEnded(temporal client.Client, contacts []int) (last time.Time) {
	r.b.Helper()
	var mu sync.Mutex
	var asking errgroup.Group
	asking.SetLimit(askedAtOnce)
	for _, contact := range contacts {
		workflow := r.workflowOf(contact)
		asking.Go(func() error {
			// Of one that has not ended yet this waits for the end.
			if err := temporal.GetWorkflow(r.b.Context(), workflow, "").Get(r.b.Context(), nil); err != nil {
				return err
			}
			described, err := temporal.DescribeWorkflowExecution(r.b.Context(), workflow, "")
			if err != nil {
				return err
			}
			mu.Lock()
			defer mu.Unlock()
			if at := described.GetWorkflowExecutionInfo().GetCloseTime().AsTime(); at.After(last) {
				last = at
			}
			return nil
		})
	}
	require.NoError(r.b, asking.Wait())
	return last
}
