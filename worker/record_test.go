package worker_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	enumspb "go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/api/workflowservice/v1"
	"google.golang.org/protobuf/encoding/protojson"

	"github.com/relance/relance/campaign"
	"github.com/relance/relance/wassenger/simulator"
	"github.com/relance/relance/workflows"
)

// recordEnv names the folder that `make histories` has this build's histories
// recorded into. They are what later builds are replayed against, so they come
// from a version that was released, never from the one under test.
const recordEnv = "RELANCE_RECORD"

// recorder stores histories.
type recorder struct {
	*relance
	folder string
}

func recording(t *testing.T, rules campaign.Rules, configure func(*simulator.Config)) recorder {
	t.Helper()
	folder := os.Getenv(recordEnv)
	if folder == "" {
		t.Skip("make histories")
	}
	require.NoError(t, os.MkdirAll(folder, 0o755))
	return recorder{relance: start(t, rules, configure), folder: folder}
}

// record stores the history of a workflow as it stands.
func (r recorder) record(name, workflowID string) {
	r.t.Helper()
	// A contact whose message left ahead may not have been started yet.
	require.Eventually(r.t, func() bool { return len(r.eventTypes(workflowID)) > 3 }, patience, 20*time.Millisecond)
	var history historypb.History
	events := r.engine.Client.GetWorkflowHistory(r.t.Context(), workflowID, "", false, enumspb.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
	for events.HasNext() {
		event, err := events.Next()
		require.NoError(r.t, err)
		history.Events = append(history.Events, event)
	}
	encoded, err := protojson.MarshalOptions{Indent: " "}.Marshal(&history)
	require.NoError(r.t, err)
	require.NoError(r.t, os.WriteFile(filepath.Join(r.folder, name+".json"), append(encoded, '\n'), 0o644))
}

// recordAll stores campaign, first wave and first contact.
func (r recorder) recordAll(state string, id uuid.UUID) {
	r.t.Helper()
	r.record("campaign-"+state, workflows.CampaignID(id))
	r.record("wave-"+state, workflows.WaveID(id, 1))
	r.record("contact-"+state, workflows.ContactID(id, r.first(id)))
}

func (r recorder) first(id uuid.UUID) uuid.UUID {
	r.t.Helper()
	recipients, err := r.store.Correspondences(r.t.Context(), id)
	require.NoError(r.t, err)
	return recipients[0].ContactID
}

// awaitIn waits until so many recipients are in a state.
func (r recorder) awaitIn(id uuid.UUID, state campaign.RecipientState, n int) {
	r.t.Helper()
	require.Eventually(r.t, func() bool {
		return r.count(`SELECT count(*) FROM recipients WHERE campaign_id = $1 AND state = '`+string(state)+`'`, id) == n
	}, patience, 10*time.Millisecond)
}

// awaitTimer waits until a workflow has started a timer with this summary.
func (r recorder) awaitTimer(workflowID, summary string) {
	r.t.Helper()
	require.Eventually(r.t, func() bool {
		events := r.engine.Client.GetWorkflowHistory(r.t.Context(), workflowID, "", false, enumspb.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
		for events.HasNext() {
			event, err := events.Next()
			if err != nil {
				return false
			}
			if event.GetTimerStartedEventAttributes() != nil && string(event.GetUserMetadata().GetSummary().GetData()) == `"`+summary+`"` {
				return true
			}
		}
		return false
	}, patience, 20*time.Millisecond)
}

// theParkedWebhook is the id of the one workflow that parks a webhook.
func (r recorder) theParkedWebhook() (id string) {
	r.t.Helper()
	require.Eventually(r.t, func() bool {
		found, err := r.engine.Client.ListWorkflow(r.t.Context(), &workflowservice.ListWorkflowExecutionsRequest{
			Namespace: r.namespace, Query: "WorkflowType = 'ParkedWebhook'",
		})
		if err != nil || len(found.GetExecutions()) != 1 {
			return false
		}
		id = found.GetExecutions()[0].GetExecution().GetWorkflowId()
		return true
	}, patience, 50*time.Millisecond)
	return id
}

func quiet(*simulator.Config) {}

// long are rules in which nothing ends by itself.
func long() campaign.Rules {
	rules := shrunk()
	rules.ReplyWindow, rules.Deadline, rules.Quota.Window = time.Hour, 2*time.Hour, 24*time.Hour
	return rules
}

func TestRecordWaitingAndAnswered(t *testing.T) {
	r := recording(t, long(), quiet)
	r.startWorker()
	id := r.launch(1)
	r.awaitIn(id, campaign.Message1Sent, 1)
	r.awaitTimer(workflows.ContactID(id, r.first(id)), "Reply window")
	r.recordAll("waiting", id)
	r.says(id, 0)
	r.awaitIn(id, campaign.Message2Sent, 1)
	r.requireWorkflowsEnd(id)
	r.recordAll("answered", id)
}

// says makes the i-th recipient reply.
func (r recorder) says(id uuid.UUID, i int) {
	r.t.Helper()
	recipients, err := r.store.Correspondences(r.t.Context(), id)
	require.NoError(r.t, err)
	code, _, err := r.post(replyWebhook(uuid.NewString(), recipients[i].Phone))
	require.NoError(r.t, err)
	require.Equal(r.t, 200, code)
}

func TestRecordReplyWhileSending(t *testing.T) {
	r := recording(t, long(), func(c *simulator.Config) {
		c.Faults.Latency = simulator.Delay{Min: 700 * time.Millisecond, Max: 700 * time.Millisecond}
	})
	r.startWorker()
	id := r.launch(1)
	require.Eventually(t, func() bool {
		return r.count(`SELECT count(*) FROM messages WHERE campaign_id = $1 AND status = 'sending'`, id) == 1
	}, patience, time.Millisecond)
	r.says(id, 0)
	r.awaitIn(id, campaign.Message2Sent, 1)
	r.requireWorkflowsEnd(id)
	r.record("contact-replied-while-sending", workflows.ContactID(id, r.first(id)))
}

func TestRecordPausedAndResumed(t *testing.T) {
	r := recording(t, long(), quiet)
	require.NoError(t, r.simulator.Refuse(true))
	r.startWorker()
	id := r.launch(1)
	r.awaitIn(id, campaign.Admitted, 1)
	require.NoError(t, r.store.Pause(t.Context(), id, "a recording"))
	require.NoError(t, r.engine.TellDecided(t.Context(), id))
	require.NoError(t, r.simulator.Refuse(false))
	r.awaitTimer(workflows.ContactID(id, r.first(id)), "Message 1 held up: paused")
	r.recordAll("paused", id)
	require.NoError(t, r.store.Resume(t.Context(), id))
	require.NoError(t, r.engine.TellDecided(t.Context(), id))
	r.awaitIn(id, campaign.Message1Sent, 1)
	r.says(id, 0)
	r.requireWorkflowsEnd(id)
	r.recordAll("resumed", id)
}

func TestRecordOverQuota(t *testing.T) {
	rules := long()
	rules.Quota.Limit = 2 // one Message 1 and the answer that it may provoke
	r := recording(t, rules, quiet)
	r.startWorker()
	id := r.launch(3)
	r.awaitIn(id, campaign.Message1Sent, 1)
	r.awaitTimer(workflows.CampaignID(id), "Waiting for quota")
	r.recordAll("over-quota", id)

}

func TestRecordAnswerOverQuota(t *testing.T) {
	rules := long()
	rules.Quota.Limit, rules.Quota.Reserve = 1, 0 // nothing is kept for answers
	r := recording(t, rules, quiet)
	r.startWorker()
	id := r.launch(1)
	r.awaitIn(id, campaign.Message1Sent, 1)
	r.says(id, 0)
	contact := workflows.ContactID(id, r.first(id))
	r.awaitTimer(contact, "Message 2 held up: quota")
	r.record("contact-answer-over-quota", contact)
}

func TestRecordCancelled(t *testing.T) {
	r := recording(t, long(), quiet)
	r.startWorker()
	id := r.launch(1)
	r.awaitIn(id, campaign.Message1Sent, 1)
	require.NoError(t, r.store.Cancel(t.Context(), id))
	require.NoError(t, r.engine.TellDecided(t.Context(), id))
	r.requireWorkflowsEnd(id)
	r.recordAll("cancelled", id)
}

func TestRecordNobodyAnswers(t *testing.T) {
	rules := shrunk()
	rules.ReplyWindow, rules.Deadline = time.Second, time.Minute
	r := recording(t, rules, quiet)
	r.startWorker()
	id := r.launch(1)
	r.awaitIn(id, campaign.NoInteraction, 1)
	r.requireWorkflowsEnd(id)
	r.recordAll("no-interaction", id)
}

func TestRecordPastTheDeadline(t *testing.T) {
	rules := shrunk()
	rules.ReplyWindow, rules.Deadline = 8*time.Second, 3*time.Second
	r := recording(t, rules, quiet)
	r.startWorker()
	id := r.launch(1)
	require.Eventually(t, func() bool {
		c, err := r.store.Campaign(t.Context(), id)
		return err == nil && c.Status == campaign.Completed
	}, patience, 10*time.Millisecond)
	r.recordAll("past-the-deadline", id)
	r.says(id, 0)
	r.requireWorkflowsEnd(id)
	r.record("contact-answered-past-the-deadline", workflows.ContactID(id, r.first(id)))
}

func TestRecordUnknownOutcome(t *testing.T) {
	r := recording(t, long(), func(c *simulator.Config) { c.Faults.TimeoutAfterAccept = 1 })
	r.startWorker()
	id := r.launch(1)
	r.awaitIn(id, campaign.Message1Sent, 1)
	r.awaitTimer(workflows.ContactID(id, r.first(id)), "Reply window")
	r.record("contact-outcome-looked-up", workflows.ContactID(id, r.first(id)))
}

func TestRecordParked(t *testing.T) {
	if os.Getenv(recordEnv) == "" {
		t.Skip("make histories")
	}
	s := ownServers(t)
	r := recorder{relance: startOn(t, s.temporal, s.url, long(), quiet), folder: os.Getenv(recordEnv)}
	r.startWorker()
	s.stopDatabase()
	code, said, err := r.post(replyWebhook("A", "+33639980000"))
	require.NoError(t, err)
	require.Equal(t, []any{200, "parked"}, []any{code, said})
	id := r.theParkedWebhook()
	r.record("parked-webhook-waiting", id)
	s.startDatabase()
	require.NoError(t, r.engine.Client.GetWorkflow(t.Context(), id, "").Get(t.Context(), nil))
	r.record("parked-webhook-stored", id)
}
