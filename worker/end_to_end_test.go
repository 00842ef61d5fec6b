package worker_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.temporal.io/api/enums/v1"
	"go.temporal.io/api/workflowservice/v1"

	"github.com/relance/relance/activities"
	"github.com/relance/relance/campaign"
	"github.com/relance/relance/store"
	"github.com/relance/relance/wassenger/simulator"
	"github.com/relance/relance/workflows"
)

func lively(c *simulator.Config) {
	c.Seed = 1
	c.Contacts = simulator.Behaviour{
		DeliveryDelay: simulator.Delay{Max: 100 * time.Millisecond},
		Read:          0.8, ReadDelay: simulator.Delay{Max: 200 * time.Millisecond},
		Reply: 0.5, ReplyDelay: simulator.Delay{Max: 5 * time.Second}, ReplyAgain: 0.2, ExtraReplies: 0.4,
	}
	c.Delivery = simulator.Delivery{Duplicate: 0.2, Reorder: 0.2, AckBeforeResponse: 0.1, RetryBase: 50 * time.Millisecond}
}

func TestCampaignRunsFromLaunchToItsTotalsWithAnExactLedger(t *testing.T) {
	t.Parallel()
	r := start(t, shrunk(), lively)
	r.patientWithTheProvider()
	r.startWorker()

	id := r.launch(60)
	stats := r.awaitEnd(id)

	r.requireLedger(id)
	require.EqualValues(t, 60, stats.ByType[campaign.Message1].Sent)
	require.Positive(t, stats.States[campaign.Message2Sent])
	require.Positive(t, stats.Messages.Read)
	require.EventuallyWithT(t, func(t *assert.CollectT) { // late replies may still come, and the totals follow
		stats, err := r.store.CampaignStats(r.t.Context(), id)
		require.NoError(t, err)
		c, err := r.store.Campaign(r.t.Context(), id)
		require.NoError(t, err)
		require.Equal(t, stats.Messages.Sent, c.SentCount)
		require.Equal(t, stats.Interactions, c.InteractionCount)
	}, patience, 100*time.Millisecond)
}

func TestCampaignRunsTheSameWhenNothingIsSentAhead(t *testing.T) {
	t.Parallel()
	r := start(t, shrunk(), lively)
	r.leaveAllToWorkflows()
	r.patientWithTheProvider()
	r.startWorker()

	id := r.launch(60)
	stats := r.awaitEnd(id)

	r.requireLedger(id)
	require.EqualValues(t, 60, stats.ByType[campaign.Message1].Sent)
	require.Positive(t, stats.States[campaign.Message2Sent])
}

// What is sent ahead needs no workflow, and its contact's workflow needs nothing
// but to be told: it asks the database, sends nothing and ends.
func TestReplyIsAnsweredAheadOfItsWorkflowAndTheWorkflowFindsThat(t *testing.T) {
	t.Parallel()
	r, id, who := waitingWithoutWorker(t)
	if !r.ahead {
		t.Skip("nothing is sent ahead (RELANCE_SEND_AHEAD)")
	}

	_, err := r.simulator.Reply(simulator.ReplyRequest{Phone: who.Phone, Type: "text", Text: "Oui"})
	require.NoError(t, err)
	require.Eventually(t, func() bool { return len(r.simulator.Ledger().Messages) == 2 }, patience, 20*time.Millisecond)

	r.startWorker()
	contact := workflows.ContactID(id, who.ContactID)
	var state campaign.RecipientState
	require.NoError(t, r.engine.Client.GetWorkflow(t.Context(), contact, "").Get(t.Context(), &state))
	require.Equal(t, campaign.Message2Sent, state)
	r.awaitEnd(id)
	r.requireLedger(id)
	require.NotContains(t, r.eventTypes(contact), enums.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED, "neither message was its workflow's to send")
}

// A process may die after it has answered and before it has said so.
func TestCampaignEndsAlthoughNobodyToldAWorkflowThatItsContactIsFinal(t *testing.T) {
	t.Parallel()
	r, id, who := waitingWithoutWorker(t)
	r.answersTellNobody()

	_, err := r.simulator.Reply(simulator.ReplyRequest{Phone: who.Phone, Type: "text", Text: "Oui"})
	require.NoError(t, err)
	require.Eventually(t, func() bool {
		return r.count(`SELECT count(*) FROM recipients WHERE campaign_id = $1 AND state = 'message_2_sent'`, id) == 1
	}, patience, 20*time.Millisecond)
	r.startWorker()

	r.awaitEnd(id)
	r.requireLedger(id)
}

// waitingWithoutWorker gives a contact whose workflow waits for a reply, and can do
// nothing until a worker is started.
func waitingWithoutWorker(t *testing.T) (*relance, uuid.UUID, store.Correspondence) {
	t.Helper()
	rules := shrunk()
	rules.ReplyWindow, rules.Deadline = time.Hour, 2*time.Hour // nothing but a wake-up ends the wait
	r := start(t, rules, func(*simulator.Config) {})
	stopWorker := r.startWorker()
	id := r.launch(1)
	require.Eventually(t, func() bool { return len(r.simulator.Ledger().Messages) == 1 }, patience, 20*time.Millisecond)
	recipients, err := r.store.Correspondences(t.Context(), id)
	require.NoError(t, err)
	require.Eventually(t, func() bool {
		return slices.Contains(r.eventTypes(workflows.ContactID(id, recipients[0].ContactID)), enums.EVENT_TYPE_TIMER_STARTED)
	}, patience, 50*time.Millisecond)
	stopWorker()
	return r, id, recipients[0]
}

// answersTellNobody loses every wake-up after an answer.
func (r *relance) answersTellNobody() {
	acts := r.activities()
	acts.Workflows = deaf{}
	answers := activities.NewAnswers(acts, r.logger)
	r.intake.Answers = answers
	r.background("answers that tell nobody", func(ctx context.Context) error {
		answers.Run(ctx)
		return nil
	})
}

type deaf struct{}

func (deaf) Wake(context.Context, uuid.UUID, uuid.UUID) error   { return nil }
func (deaf) Revive(context.Context, uuid.UUID, uuid.UUID) error { return nil }

// eventTypes are none for a workflow that has not been started.
func (r *relance) eventTypes(workflowID string) (types []enums.EventType) {
	r.t.Helper()
	events := r.engine.Client.GetWorkflowHistory(r.t.Context(), workflowID, "", false, enums.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
	for events.HasNext() {
		event, err := events.Next()
		if err != nil {
			return nil
		}
		types = append(types, event.GetEventType())
	}
	return types
}

func TestCampaignGoesOnWhereItWasWhenItsWorkerStops(t *testing.T) {
	t.Parallel()
	r := start(t, shrunk(), lively)
	stop := r.startWorker()
	id := r.launch(60)
	require.Eventually(t, func() bool {
		stats, err := r.store.CampaignStats(t.Context(), id)
		return err == nil && stats.ByType[campaign.Message1].Sent >= 20
	}, patience, 20*time.Millisecond)

	stop()
	r.startWorker()

	r.awaitEnd(id)
	r.requireLedger(id)
}

func TestHistoriesHoldNeitherNumbersNorTexts(t *testing.T) {
	t.Parallel()
	r := start(t, shrunk(), lively)
	r.startWorker()
	id := r.launch(3)
	r.awaitEnd(id)

	recipients, err := r.store.Correspondences(t.Context(), id)
	require.NoError(t, err)
	ids := []string{workflows.CampaignID(id), workflows.WaveID(id, 1)}
	for _, c := range recipients {
		ids = append(ids, workflows.ContactID(id, c.ContactID))
	}
	for _, workflowID := range ids {
		history := ""
		events := r.engine.Client.GetWorkflowHistory(t.Context(), workflowID, "", false, enums.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
		for events.HasNext() {
			event, err := events.Next()
			require.NoError(t, err)
			history += event.String()
		}
		require.NotEmpty(t, history)
		// Enough of the numbers, in any notation, that no random id holds it by chance.
		for _, secret := range []string{"6399800", "Hello", "Thank you", "Contact 0"} {
			require.NotContains(t, history, secret, workflowID)
		}
	}
}

func TestContactsCanBeFoundByCampaignAndFinalState(t *testing.T) {
	t.Parallel()
	r := start(t, shrunk(), func(c *simulator.Config) {
		lively(c)
		// A reply after the window changes a state whose workflow has ended, and what
		// an ended workflow can be found by stays as it was.
		c.Contacts.ReplyDelay = simulator.Delay{Max: 500 * time.Millisecond}
		c.Contacts.ReplyAgain, c.Contacts.ExtraReplies = 0, 0
	})
	r.startWorker()
	id := r.launch(4)
	stats := r.awaitEnd(id)

	for state, n := range stats.States {
		require.EventuallyWithT(t, func(c *assert.CollectT) {
			found, err := r.engine.Client.CountWorkflow(t.Context(), &workflowservice.CountWorkflowExecutionsRequest{
				Namespace: r.namespace, Query: "CampaignId = '" + id.String() + "' AND ContactState = '" + string(state) + "'",
			})
			require.NoError(c, err)
			require.Equal(c, n, found.GetCount())
		}, 30*time.Second, 200*time.Millisecond)
	}
	r.requireWorkflowsEnd(id)
	described, err := r.engine.Client.DescribeWorkflow(t.Context(), workflows.CampaignID(id), "")
	require.NoError(t, err)
	require.Equal(t, enums.WORKFLOW_EXECUTION_STATUS_COMPLETED, described.Status)
}

func TestLostWakeUpIsRepeatedAndARemovedWorkflowIsRevived(t *testing.T) {
	t.Parallel()
	rules := shrunk()
	rules.ReplyWindow, rules.Deadline = time.Hour, 2*time.Hour // nothing but a wake-up ends the wait
	r := start(t, rules, func(c *simulator.Config) {})
	r.leaveAllToWorkflows()
	r.startWorker()
	id := r.launch(1)
	require.Eventually(t, func() bool { return len(r.simulator.Ledger().Messages) == 1 }, patience, 20*time.Millisecond)
	recipients, err := r.store.Correspondences(t.Context(), id)
	require.NoError(t, err)
	require.NoError(t, r.engine.Client.TerminateWorkflow(t.Context(), workflows.ContactID(id, recipients[0].ContactID), "", "a test"))

	_, err = r.simulator.Reply(simulator.ReplyRequest{Phone: recipients[0].Phone, Type: "text", Text: "Oui"})
	require.NoError(t, err)

	require.EventuallyWithT(t, func(c *assert.CollectT) {
		stats, err := r.store.CampaignStats(t.Context(), id)
		require.NoError(c, err)
		require.EqualValues(c, 1, stats.States[campaign.Message2Sent])
	}, patience, 50*time.Millisecond)
	r.requireLedger(id)
	require.Len(t, r.simulator.Ledger().Messages, 2)
}
