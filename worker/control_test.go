package worker_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.temporal.io/api/workflowservice/v1"

	"github.com/relance/relance/campaign"
	"github.com/relance/relance/wassenger/simulator"
	"github.com/relance/relance/workflows"
)

// requireWorkflowsEnd waits until nothing of a campaign runs in Temporal.
func (r *relance) requireWorkflowsEnd(id uuid.UUID) {
	r.t.Helper()
	require.EventuallyWithT(r.t, func(t *assert.CollectT) {
		running, err := r.engine.Client.CountWorkflow(r.t.Context(), &workflowservice.CountWorkflowExecutionsRequest{
			Namespace: r.namespace, Query: "CampaignId = '" + id.String() + "' AND ExecutionStatus = 'Running'",
		})
		require.NoError(t, err)
		require.Zero(t, running.GetCount())
	}, patience, 200*time.Millisecond)
}

func (r *relance) sentMessage1s(id uuid.UUID) int {
	return r.count(`SELECT count(sent_at) FROM messages WHERE campaign_id = $1 AND message_type = 'message_1'`, id)
}

func TestPausedCampaignSendsNoMessage1AndStillAnswers(t *testing.T) {
	t.Parallel()
	rules := tight()
	rules.Quota.Limit = 100 // 50 at once; the others wait for quota
	r := start(t, rules, everyoneReplies)
	r.startWorker()
	id := r.launch(80)
	require.Eventually(t, func() bool { return r.sentMessage1s(id) >= 5 }, patience, 5*time.Millisecond)

	require.NoError(t, r.store.Pause(t.Context(), id, "a test"))
	paused := r.now()
	require.NoError(t, r.engine.TellDecided(t.Context(), id))
	require.Eventually(t, func() bool {
		used, err := r.store.Usage(t.Context())
		return err == nil && used == campaign.Usage{Admitted: used.Admitted}
	}, patience, 20*time.Millisecond, "who was sent Message 1 is answered, and all of it has left the quota's window")
	before := r.sentMessage1s(id)
	require.Less(t, before, 80)

	resumed := r.now()
	require.NoError(t, r.store.Resume(t.Context(), id))
	require.NoError(t, r.engine.TellDecided(t.Context(), id))
	stats := r.awaitEnd(id)

	r.requireLedger(id)
	require.EqualValues(t, 80, stats.States[campaign.Message2Sent])
	for _, message := range r.simulator.Ledger().Messages {
		if message.Before == 0 && message.At.Before(resumed) {
			require.False(t, r.claimedAt(message).After(paused), "a Message 1 was claimed while the campaign was paused")
		}
	}
}

// now is the moment on the database's clock.
func (r *relance) now() (at time.Time) {
	r.t.Helper()
	require.NoError(r.t, r.store.Pool().QueryRow(`SELECT relance_now()`).Scan(&at))
	return at
}

// claimedAt is when it was decided, under the lock that a pause takes too, that a
// message may leave. On its way to the provider it may be for longer.
func (r *relance) claimedAt(message simulator.Message) (at time.Time) {
	r.t.Helper()
	require.NoError(r.t, r.store.Pool().QueryRow(`SELECT claimed_at FROM messages WHERE id = $1`, message.Reference).Scan(&at))
	return at
}

func TestCancelledCampaignSendsNothingMoreAndItsWorkflowsEnd(t *testing.T) {
	t.Parallel()
	r := start(t, tight(), everyoneReplies) // most wait for quota when it is cancelled
	r.startWorker()
	id := r.launch(80)
	require.Eventually(t, func() bool { return r.sentMessage1s(id) >= 10 }, patience, 5*time.Millisecond)

	require.NoError(t, r.store.Cancel(t.Context(), id))
	cancelled := r.now()
	require.NoError(t, r.engine.TellDecided(t.Context(), id))

	stats := r.awaitEnd(id)
	r.requireLedger(id)
	r.requireWorkflowsEnd(id)
	require.Positive(t, stats.States[campaign.NotSent])
	require.Zero(t, stats.States[campaign.NoInteraction])
	for _, message := range r.simulator.Ledger().Messages {
		require.False(t, r.claimedAt(message).After(cancelled))
	}
}

func TestOperatorCanCancelAtTheWorkflowItself(t *testing.T) {
	t.Parallel()
	r := start(t, tight(), everyoneReplies)
	r.startWorker()
	id := r.launch(60)
	require.Eventually(t, func() bool { return r.sentMessage1s(id) >= 5 }, patience, 5*time.Millisecond)

	require.NoError(t, r.engine.Client.CancelWorkflow(t.Context(), workflows.CampaignID(id), ""))

	r.awaitEnd(id)
	r.requireLedger(id)
	r.requireWorkflowsEnd(id)
	require.Equal(t, 1, r.count(`SELECT count(*) FROM campaigns WHERE id = $1 AND status = 'cancelled'`, id))
}

func TestDecisionsAtRandomMomentsKeepTheLedgerExact(t *testing.T) {
	t.Parallel()
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	rules := shrunk()
	rules.Deadline = time.Minute
	r := start(t, rules, lively)
	r.startWorker()
	id := r.launch(60)
	require.Eventually(t, func() bool { return r.sentMessage1s(id) > 0 }, patience, 5*time.Millisecond)
	moment := time.NewTimer(0)
	defer moment.Stop()
	for range 8 {
		<-moment.C
		moment.Reset(time.Duration(random.Int64N(int64(600 * time.Millisecond))))
		if random.IntN(2) == 0 {
			_ = r.store.Pause(t.Context(), id, "a test") // refused once the campaign is over
		} else {
			_ = r.store.Resume(t.Context(), id)
		}
		if random.IntN(3) > 0 { // otherwise the dispatcher tells
			require.NoError(t, r.engine.TellDecided(t.Context(), id))
		}
	}
	if random.IntN(3) == 0 {
		_ = r.store.Cancel(t.Context(), id)
	} else {
		_ = r.store.Resume(t.Context(), id)
	}

	r.awaitEnd(id)
	r.requireLedger(id)
	r.requireWorkflowsEnd(id)
}

func TestScheduledCampaignIsStartedWhenItIsDue(t *testing.T) {
	t.Parallel()
	r := start(t, shrunk(), lively)
	r.startWorker()
	id := r.stored(3, time.Now().Add(1500*time.Millisecond))

	r.awaitEnd(id)

	r.requireLedger(id)
	c, err := r.store.Campaign(t.Context(), id)
	require.NoError(t, err)
	require.False(t, c.StartedAt.Before(*c.ScheduledAt))
}
