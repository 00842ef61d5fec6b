package worker_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/relance/relance/campaign"
	"github.com/relance/relance/rehearsal"
	"github.com/relance/relance/store"
	"github.com/relance/relance/wassenger"
	"github.com/relance/relance/wassenger/simulator"
)

// A rehearsal and the run of the same campaign, on real servers with the
// simulated provider: the same rules, and contacts who behave alike. Everyone
// answers, or nobody does, so that counts must be equal. Moments may differ by
// 15 % of the campaign's length; and since sending takes no time in a rehearsal
// but much on a busy machine, the run may be later by what its sending took.
func TestRehearsalAgreesWithHowTheCampaignThenRuns(t *testing.T) {
	t.Run("everyone answers", func(t *testing.T) {
		t.Parallel()
		// Forty contacts now, twenty when the first messages have stopped counting.
		played, run := rehearsedAndRun(t, 60, 1, 50*time.Second, 5*time.Minute)

		require.Equal(t, rehearsal.States{campaign.Message2Sent: 60}, played.FinalStates)
		require.Greater(t, played.LastMessage1At.Sub(played.Start), 50*time.Second)
		run.requireClose(t, "last Message 1", played.LastMessage1At.Sub(played.Start), run.lastMessage1)
		run.requireClose(t, "completion", played.CompletesAt.Sub(played.Start), run.length)
	})
	t.Run("nobody answers", func(t *testing.T) {
		t.Parallel()
		// Forty contacts now; the deadline comes before their windows end. It leaves a
		// busy Temporal the 45 seconds after which a send that it has lost is repeated.
		played, run := rehearsedAndRun(t, 60, 0, time.Minute, 55*time.Second)

		require.Equal(t, rehearsal.States{campaign.NoInteraction: firstRound, campaign.NotSent: 20}, played.FinalStates)
		run.requireClose(t, "completion", played.CompletesAt.Sub(played.Start), run.length)
	})
}

// firstRound is how many Message 1s the quota lets leave at once.
const firstRound = 40

// ran is when things happened in the run, counted from its start; sending is what
// the Message 1s of both rounds took to leave.
type ran struct{ sending, lastMessage1, length time.Duration }

func (r ran) requireClose(t *testing.T, what string, rehearsed, run time.Duration) {
	t.Helper()
	t.Logf("%s: rehearsed %s, run %s; its sending took %s", what, rehearsed, run, r.sending)
	tolerance := r.length * 15 / 100
	assert.GreaterOrEqual(t, run, rehearsed-tolerance, what)
	assert.LessOrEqual(t, run, rehearsed+tolerance+r.sending, what)
}

// rehearsedAndRun rehearses a campaign, runs it, and holds their counts against
// each other.
func rehearsedAndRun(t *testing.T, contacts int, replyRate float64, window, deadline time.Duration) (rehearsal.Result, ran) {
	t.Helper()
	rules := shrunk()
	rules.Quota = campaign.Quota{Limit: 2 * firstRound, Window: window, Reserve: 1}
	rules.ReplyWindow, rules.Deadline = window, deadline
	var behaviour simulator.Behaviour
	r := start(t, rules, func(c *simulator.Config) {
		lively(c)
		c.Contacts.Reply = replyRate
		behaviour = c.Contacts
	})
	r.patientWithTheProvider()
	r.startWorker()
	played, err := rehearsal.Run(t.Context(), rehearsal.Settings{
		Rules: rules, Start: time.Now(), Contacts: contacts, ReplyRate: replyRate, Seed: 1,
		ReplyAfter: rehearsal.Evenly(behaviour.DeliveryDelay.Min+behaviour.ReplyDelay.Min, behaviour.DeliveryDelay.Max+behaviour.ReplyDelay.Max),
	})
	require.NoError(t, err)

	id := r.launch(contacts)
	stats := r.awaitEnd(id)

	require.EqualValues(t, played.Message1, stats.ByType[campaign.Message1].Sent)
	require.EqualValues(t, played.Message2, stats.ByType[campaign.Message2].Sent)
	for _, state := range campaign.RecipientStates {
		require.EqualValues(t, played.FinalStates[state], stats.States[state], state)
	}
	c, err := r.store.Campaign(t.Context(), id)
	require.NoError(t, err)
	return played, r.whenItRan(c, firstRound)
}

func (r *relance) whenItRan(c store.Campaign, firstRound int) ran {
	r.t.Helper()
	var sent []time.Time
	rows, err := r.store.Pool().Query(`SELECT sent_at FROM messages WHERE campaign_id = $1 AND message_type = 'message_1' AND sent_at IS NOT NULL ORDER BY 1`, c.ID)
	require.NoError(r.t, err)
	defer func() { require.NoError(r.t, rows.Close()) }()
	for rows.Next() {
		var at time.Time
		require.NoError(r.t, rows.Scan(&at))
		sent = append(sent, at)
	}
	require.NoError(r.t, rows.Err())
	last := sent[len(sent)-1]
	run := ran{lastMessage1: last.Sub(*c.StartedAt), length: c.CompletedAt.Sub(*c.StartedAt)}
	run.sending = sent[firstRound-1].Sub(*c.StartedAt)
	if len(sent) > firstRound {
		run.sending += last.Sub(sent[firstRound])
	}
	return run
}

// patientWithTheProvider keeps a busy machine from making an outcome unknown,
// which no rehearsal has.
func (r *relance) patientWithTheProvider() {
	r.t.Helper()
	r.timeout = 20 * time.Second
	var err error
	r.provider, err = wassenger.New(wassenger.Options{BaseURL: "http://" + r.simulator.Addr() + "/v1", Token: token, DeviceID: device, Timeout: r.timeout})
	require.NoError(r.t, err)
}
