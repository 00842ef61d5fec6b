package worker_test

import (
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/client"
	sdkworker "go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"github.com/relance/relance/campaign"
	"github.com/relance/relance/wassenger/simulator"
	"github.com/relance/relance/worker"
	"github.com/relance/relance/workflows"
)

// startBuild starts a worker of one build of a deployment.
func (r *relance) startBuild(deployment worker.Deployment) (stop func()) {
	w := r.worker()
	w.Deployment = deployment
	return r.background("the worker of build "+deployment.BuildID, w.Run)
}

// builds are those whose workers a contact's workflow of the campaign has run on.
func (r *relance) buildOf(id uuid.UUID) string {
	r.t.Helper()
	recipients, err := r.store.Correspondences(r.t.Context(), id)
	require.NoError(r.t, err)
	described, err := r.engine.Client.DescribeWorkflowExecution(r.t.Context(), workflows.ContactID(id, recipients[0].ContactID), "")
	require.NoError(r.t, err)
	return described.GetWorkflowExecutionInfo().GetVersioningInfo().GetDeploymentVersion().GetBuildId()
}

func TestOldAndNewBuildSideBySideFinishTheirOwnCampaigns(t *testing.T) {
	t.Parallel()
	rules := shrunk()
	rules.ReplyWindow, rules.Deadline = time.Hour, 2*time.Hour // nothing but a reply ends the wait
	r := start(t, rules, func(*simulator.Config) {})
	name := "relance"
	older, newer := worker.Deployment{Name: name, BuildID: "old"}, worker.Deployment{Name: name, BuildID: "new"}
	waiting := func(id uuid.UUID) {
		t.Helper()
		require.Eventually(t, func() bool {
			return r.count(`SELECT count(*) FROM recipients WHERE campaign_id = $1 AND state = 'message_1_sent'`, id) == 2
		}, patience, 20*time.Millisecond)
	}

	r.startBuild(older) // the first promotes itself
	first := r.launch(2)
	waiting(first)
	r.startBuild(newer)
	require.Eventually(t, func() bool { return newer.Promote(t.Context(), r.engine.Client) == nil }, patience, 200*time.Millisecond, "it polls")
	second := r.launch(2)
	waiting(second)

	for _, id := range []uuid.UUID{first, second} {
		recipients, err := r.store.Correspondences(t.Context(), id)
		require.NoError(t, err)
		for _, recipient := range recipients {
			code, _, err := r.post(replyWebhook(uuid.NewString(), recipient.Phone))
			require.NoError(t, err)
			require.Equal(t, 200, code)
		}
		stats := r.awaitEnd(id)
		require.EqualValues(t, 2, stats.States[campaign.Message2Sent])
		r.requireLedger(id)
	}
	require.Equal(t, "old", r.buildOf(first), "it stays with the build that it began with")
	require.Equal(t, "new", r.buildOf(second))
}

func TestReplayTellsWhetherThisBuildCanGoOnWithWhatRuns(t *testing.T) {
	t.Parallel()
	rules := shrunk()
	rules.ReplyWindow, rules.Deadline = time.Hour, 2*time.Hour
	s := ownServers(t) // nothing else runs on it
	r := startOn(t, s.temporal, s.url, rules, func(*simulator.Config) {})
	stopWorker := r.startWorker()
	id := r.launch(3)
	require.Eventually(t, func() bool {
		return r.count(`SELECT count(*) FROM recipients WHERE campaign_id = $1 AND state = 'message_1_sent'`, id) == 3
	}, patience, 20*time.Millisecond)
	look := func() (types map[string]int, failed []string) {
		types = map[string]int{}
		require.NoError(t, worker.Replay(t.Context(), r.engine.Client, r.namespace, nil, func(replayed worker.Replayed) {
			types[replayed.Type]++
			if replayed.Err != nil {
				failed = append(failed, replayed.Type)
			}
		}))
		return types, failed
	}
	require.Eventually(t, func() bool { // what is listed lags behind what runs
		types, failed := look()
		require.Empty(t, failed)
		return types["Campaign"] == 1 && types["Wave"] == 0 && types["ContactV2"] == 3
	}, patience, 200*time.Millisecond)

	stopWorker()
	r.runForeignContact()
	require.Eventually(t, func() bool {
		_, failed := look()
		return slices.Equal(failed, []string{"Contact"})
	}, patience, 200*time.Millisecond, "it names what this build cannot go on with")
}

// runForeignContact leaves a running contact behind whose history no build of
// ours would have made.
func (r *relance) runForeignContact() {
	r.t.Helper()
	foreign := sdkworker.New(r.engine.Client, workflows.TaskQueue, sdkworker.Options{})
	foreign.RegisterWorkflowWithOptions(func(ctx workflow.Context, _ workflows.ContactInput) error {
		return workflow.Sleep(ctx, time.Hour)
	}, workflow.RegisterOptions{Name: "Contact"})
	require.NoError(r.t, foreign.Start())
	defer foreign.Stop()
	run, err := r.engine.Client.ExecuteWorkflow(r.t.Context(), client.StartWorkflowOptions{TaskQueue: workflows.TaskQueue}, "Contact", workflows.ContactInput{})
	require.NoError(r.t, err)
	require.Eventually(r.t, func() bool {
		described, err := r.engine.Client.DescribeWorkflowExecution(r.t.Context(), run.GetID(), run.GetRunID())
		return err == nil && described.GetWorkflowExecutionInfo().GetHistoryLength() >= 5 // its timer has been started
	}, patience, 20*time.Millisecond)
}
