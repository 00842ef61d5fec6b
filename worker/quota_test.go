package worker_test

import (
	"context"
	"encoding/json"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
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
	r.Quota = campaign.Quota{Limit: 50, Window: 10 * time.Second, Reserve: 1}
	r.ReplyWindow, r.Deadline = 10*time.Second, 3*time.Minute
	return r
}

func TestProperty5_TwoCampaignsInATightQuotaNeverExceedItAndNoAnswerWaits(t *testing.T) {
	t.Parallel()
	r := start(t, tight(), everyoneReplies)
	r.startWorker()
	r.requireTightQuotaKept(r.launch(60), r.launch(60))
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
	r.requireTightQuotaKept(r.launch(60), r.launch(60))
}

func (r *relance) requireTightQuotaKept(ids ...uuid.UUID) {
	r.t.Helper()
	for _, id := range ids {
		stats := r.awaitEnd(id)
		r.requireLedger(id)
		require.EqualValues(r.t, 60, stats.States[campaign.Message2Sent])
		require.False(r.t, r.everHeldUpBy(id, "quota"), "a message waited for the quota")
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

// The forecast and the run of the same campaign: counts exactly, times within 10 %
// of the campaign's length.
func TestForecastAgreesWithHowTheCampaignThenRuns(t *testing.T) {
	rules := shrunk()
	rules.Quota = campaign.Quota{Limit: 10, Window: 30 * time.Second, Reserve: 1}
	rules.ReplyWindow, rules.Deadline = 30*time.Second, 50*time.Second
	r := start(t, rules, everyoneReplies)
	r.startWorker()
	plan, err := r.store.ForecastPlan(t.Context(), uuid.Nil)
	require.NoError(t, err)
	plan.Contacts, plan.ReplyRate = 12, 1 // five now, five a window later, two not at all
	forecast := campaign.Forecast(plan)

	id := r.launch(12)
	stats := r.awaitEnd(id)

	c, err := r.store.Campaign(t.Context(), id)
	require.NoError(t, err)
	assert.EqualValues(t, forecast.Message1, stats.ByType[campaign.Message1].Sent)
	assert.EqualValues(t, forecast.Message2, stats.ByType[campaign.Message2].Sent)
	assert.EqualValues(t, forecast.NotReached, stats.States[campaign.NotSent])
	begun, length := *c.StartedAt, c.CompletedAt.Sub(*c.StartedAt)
	shift := begun.Sub(plan.Start) // the launch itself
	var last time.Time
	require.NoError(t, r.store.Pool().QueryRow(`SELECT max(sent_at) FROM messages WHERE campaign_id = $1 AND message_type = 'message_1'`, id).Scan(&last))
	assert.WithinDuration(t, forecast.LastMessage1At.Add(shift), last, length/10)
	assert.WithinDuration(t, forecast.CompletesAt.Add(shift), *c.CompletedAt, length/10)
}
