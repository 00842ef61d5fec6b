package worker_test

import (
	"context"
	"encoding/json"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"go.temporal.io/api/enums/v1"

	"github.com/relance/relance/campaign"
	"github.com/relance/relance/wassenger/simulator"
	"github.com/relance/relance/workflows"
)

// everyoneReplies at once, to their first message.
func everyoneReplies(c *simulator.Config) {
	c.Contacts = simulator.Behaviour{
		DeliveryDelay: simulator.Delay{Max: 20 * time.Millisecond}, Reply: 1, ReplyDelay: simulator.Delay{Max: 50 * time.Millisecond},
	}
}

func tight() campaign.Rules {
	r := shrunk()
	// An odd limit: the last place is no room for a Message 1 and the answer to it.
	r.Quota = campaign.Quota{Limit: 51, Window: 10 * time.Second, Reserve: 1}
	r.ReplyWindow = 10 * time.Second
	return r
}

func TestProperty5_TwoCampaignsInATightQuotaNeverExceedItAndNoAnswerWaits(t *testing.T) {
	t.Parallel()
	r := start(t, tight(), everyoneReplies)
	r.startWorker()
	r.requireTightQuotaKept(r.launch(40), r.launch(40))
}

func TestProperty5_TheSameWithAWorkerThatRestartsEveryFewSeconds(t *testing.T) {
	t.Parallel()
	r := start(t, tight(), everyoneReplies)
	r.background("the restarts", func(ctx context.Context) error {
		tick := time.NewTicker(5 * time.Second)
		defer tick.Stop()
		for ctx.Err() == nil {
			running, stop := context.WithCancel(ctx)
			ended := make(chan error, 1)
			go func() { ended <- r.worker().Run(running) }()
			select {
			case <-ctx.Done():
			case <-tick.C:
			}
			stop()
			if err := <-ended; err != nil {
				return err
			}
		}
		return nil
	})
	r.requireTightQuotaKept(r.launch(40), r.launch(40))
}

// Nothing but the claim of each message keeps the limit where no room is left for answers.
func TestProperty5_WithoutAReserveAnswersWaitAndTheQuotaIsNeverExceeded(t *testing.T) {
	t.Parallel()
	rules := tight()
	rules.Quota.Limit, rules.Quota.Reserve = 20, 0
	r := start(t, rules, everyoneReplies)
	r.startWorker()
	id := r.launch(30)
	r.requireQuotaKept(30, id)
	require.True(t, r.everHeldUpBy(id, "quota"), "an answer waited")
}

func (r *relance) requireTightQuotaKept(ids ...uuid.UUID) {
	r.t.Helper()
	r.requireQuotaKept(40, ids...)
	for _, id := range ids {
		require.False(r.t, r.everHeldUpBy(id, "quota"), "a message waited for the quota")
	}
}

// requireQuotaKept waits for campaigns to so many contacts, who are all answered,
// and holds the provider's own clock against the limit.
func (r *relance) requireQuotaKept(contacts int, ids ...uuid.UUID) {
	r.t.Helper()
	for _, id := range ids {
		stats := r.awaitEnd(id)
		r.requireLedger(id)
		require.EqualValues(r.t, contacts, stats.States[campaign.Message2Sent])
	}
	quota := r.store.Rules().Quota
	sent := r.simulator.Ledger().Messages
	for i := quota.Limit; i < len(sent); i++ {
		require.Greater(r.t, sent[i].At.Sub(sent[i-quota.Limit].At), quota.Window,
			"messages %d to %d left within one window", i-quota.Limit, i)
	}
}

// everHeldUpBy tells whether any contact's workflow was answered that a message
// has to wait for the given reason.
func (r *relance) everHeldUpBy(id uuid.UUID, obstacle string) bool {
	r.t.Helper()
	recipients, err := r.store.Correspondences(r.t.Context(), id)
	require.NoError(r.t, err)
	for _, recipient := range recipients {
		events := r.engine.Client.GetWorkflowHistory(r.t.Context(), workflows.ContactID(id, recipient.ContactID), "", false,
			enums.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
		for events.HasNext() {
			event, err := events.Next()
			require.NoError(r.t, err)
			for _, payload := range event.GetActivityTaskCompletedEventAttributes().GetResult().GetPayloads() {
				var result struct{ Obstacle string }
				if json.Unmarshal(payload.GetData(), &result) == nil && result.Obstacle == obstacle {
					return true
				}
			}
		}
	}
	return false
}

// The forecast and the run of the same campaign: counts exactly, moments as close
// as a rehearsal's. A send that Temporal loses may come 45 seconds late.
func TestForecastAgreesWithHowTheCampaignThenRuns(t *testing.T) {
	t.Parallel()
	rules := shrunk()
	rules.Quota = campaign.Quota{Limit: 10, Window: time.Minute, Reserve: 1}
	rules.ReplyWindow, rules.Deadline = time.Minute, 115*time.Second
	r := start(t, rules, everyoneReplies)
	r.patientWithTheProvider()
	r.startWorker()
	plan, err := r.store.ForecastPlan(t.Context(), uuid.Nil)
	require.NoError(t, err)
	plan.Contacts, plan.ReplyRate = 12, 1 // five now, five a window later, two not at all
	forecast := campaign.Forecast(plan)

	id := r.launch(12)
	stats := r.awaitEnd(id)

	c, err := r.store.Campaign(t.Context(), id)
	require.NoError(t, err)
	require.EqualValues(t, forecast.Message1, stats.ByType[campaign.Message1].Sent)
	require.EqualValues(t, forecast.Message2, stats.ByType[campaign.Message2].Sent)
	require.EqualValues(t, forecast.NotReached, stats.States[campaign.NotSent])
	run := r.whenItRan(c, 5)
	run.requireClose(t, "last Message 1", forecast.LastMessage1At.Sub(plan.Start), run.lastMessage1)
	run.requireClose(t, "completion", forecast.CompletesAt.Sub(plan.Start), run.length)
}
