package workflows

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/client"

	"github.com/relance/relance/campaign"
)

func startAs(id string) client.StartWorkflowOptions {
	return client.StartWorkflowOptions{ID: id, TaskQueue: TaskQueue}
}

func (w *world) states() map[campaign.RecipientState]int {
	n := map[campaign.RecipientState]int{}
	for _, p := range w.recipients {
		n[p.state]++
	}
	return n
}

func TestProperty11_CampaignCompletesWhenEveryoneIsFinal(t *testing.T) {
	w := newWorld(t, 250)
	start := w.env.Now()
	for _, who := range w.order[:50] {
		w.replies(who, 5*time.Hour, true)
	}

	w.runCampaign(t)

	require.Equal(t, campaign.Completed, w.status)
	require.Equal(t, map[campaign.RecipientState]int{campaign.Message2Sent: 50, campaign.NoInteraction: 200}, w.states())
	require.Len(t, w.ledger, 300)
	require.Less(t, w.completedAt.Sub(start), 25*time.Hour, "the deadline was not waited for")
}

func TestContactWhoIsOwedAMessageAndHasNoWorkflowIsGivenOne(t *testing.T) {
	w := newWorld(t, 2)
	start := w.env.Now()
	lost := w.recipients[w.order[1]]
	lost.state = campaign.Replied
	var revivedAt time.Time
	w.revive = func() {
		if lost.state == campaign.Replied {
			lost.state, revivedAt = campaign.Message2Sent, w.env.Now()
		}
	}

	w.runCampaign(t)

	require.WithinDuration(t, start, revivedAt, 61*time.Minute)
	require.Equal(t, campaign.Completed, w.status)
	require.Zero(t, w.unfinishedAtClose)
	require.WithinDuration(t, start.Add(24*time.Hour), w.completedAt, 10*time.Second)
}

func TestThousandContactsTakeTwoRoundsADayApart(t *testing.T) {
	w := newWorld(t, 1000)
	start := w.env.Now()

	w.runCampaign(t)

	require.Equal(t, campaign.Completed, w.status)
	require.EqualValues(t, 500, w.unfinishedAtClose, "the second round's windows are still open at the deadline")
	require.Equal(t, map[campaign.RecipientState]int{campaign.NoInteraction: 1000}, w.states(), "and live on to their own end")
	require.Len(t, w.ledger, 1000)
	for i, d := range w.ledger {
		if i < 500 {
			require.Less(t, d.at.Sub(start), time.Hour)
		} else {
			require.GreaterOrEqual(t, d.at.Sub(start), 24*time.Hour)
			require.Less(t, d.at.Sub(start), 25*time.Hour)
		}
	}
	require.WithinDuration(t, start.Add(48*time.Hour), w.completedAt, time.Minute)
}

func TestReplyAfterTheCampaignsDeadlineButInsideItsOwnWindowEarnsMessage2(t *testing.T) {
	w := newWorld(t, 4)
	w.rules.Quota.Limit = 4 // two contacts a day
	last := w.order[3]
	w.replies(last, 48*time.Hour+5*time.Minute, true)

	w.runCampaign(t)

	answers := w.sent(last, campaign.Message2)
	require.Len(t, answers, 1)
	require.True(t, answers[0].After(w.completedAt))
	require.Equal(t, campaign.Message2Sent, w.recipients[last].state)
}

func TestProperty13_CampaignCompletesAtItsDeadlineWhateverTheStates(t *testing.T) {
	w := newWorld(t, 30)
	w.rules.Quota.Limit = 10 // five in flight a day: most are never reached
	start := w.env.Now()

	w.runCampaign(t)

	require.Equal(t, campaign.Completed, w.status)
	require.WithinDuration(t, start.Add(48*time.Hour), w.completedAt, time.Minute)
	require.Equal(t, 20, w.states()[campaign.NotSent])
	require.Len(t, w.ledger, 10)
}

func TestNoWindowOfTheQuotaEverHoldsMoreThanTheLimit(t *testing.T) {
	w := newWorld(t, 120)
	w.rules.Quota.Limit = 50
	for i, who := range w.order {
		w.replies(who, time.Duration(i%40+1)*time.Hour, true)
	}

	w.runCampaign(t)

	for i, d := range w.ledger {
		if i >= 50 {
			require.GreaterOrEqual(t, d.at.Sub(w.ledger[i-50].at), 24*time.Hour)
		}
	}
	require.Greater(t, len(w.ledger), 50)
}

func TestEmptyCampaignCompletesAtOnce(t *testing.T) {
	w := newWorld(t, 0)
	start := w.env.Now()

	w.runCampaign(t)

	require.Equal(t, campaign.Completed, w.status)
	require.Less(t, w.env.Now().Sub(start), time.Minute)
}

func TestWavesGrowOnlyInLargeCampaignsAndNeverBeyondAThousand(t *testing.T) {
	require.Equal(t, 250, waveSize(1))
	require.Equal(t, 250, waveSize(75_000))
	require.Equal(t, 334, waveSize(100_000))
	require.Equal(t, 1000, waveSize(1_000_000))
}
