package reconcile_test

import (
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	sdk "go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"github.com/relance/relance/campaign"
	"github.com/relance/relance/workflows"
)

func TestWhatRunsOfACampaignThatTheDatabaseDoesNotHaveIsTerminatedAndNothingElse(t *testing.T) {
	t.Parallel()
	b := open(t)
	contacts := b.contacts(1)
	known, strange, stranger := b.launched(contacts), uuid.New(), uuid.New()
	for _, id := range []uuid.UUID{known, strange} {
		require.NoError(t, b.engine.StartCampaign(t.Context(), id))
	}
	require.NoError(t, b.engine.Revive(t.Context(), known, contacts[0]))
	require.NoError(t, b.engine.Revive(t.Context(), strange, stranger))
	theirs := []string{workflows.CampaignID(strange), workflows.ContactID(strange, stranger)}
	ours := []string{workflows.CampaignID(known), workflows.ContactID(known, contacts[0])}
	b.requireRunning(append(theirs, ours...)...)
	look := b.reconciler()
	look.Apply = false

	report, err := look.Run(t.Context())
	require.NoError(t, err)
	require.Equal(t, []uuid.UUID{strange}, report.Temporal.Strange)
	require.NotEmpty(t, report.Remains)
	b.requireRunning(append(theirs, ours...)...)

	report = b.run()
	require.Equal(t, []uuid.UUID{strange}, report.Temporal.Strange)
	require.Equal(t, 2, report.Temporal.Terminated)
	require.Zero(t, report.Temporal.Started)
	b.requireRunning(ours...)
}

// It may have been cancelled after the database's moment: nobody is written to
// until somebody has said so.
func TestACampaignThatHadEndedInTemporalIsPausedUntilSomebodyDecides(t *testing.T) {
	t.Parallel()
	b := open(t)
	contacts := b.contacts(1)
	id, lost := b.launched(contacts), b.launched(contacts)
	require.NoError(t, b.engine.StartCampaign(t.Context(), id))
	b.endCampaigns()

	report := b.run()

	require.Equal(t, 2, report.Temporal.Campaigns)
	require.Equal(t, []uuid.UUID{id}, report.Temporal.Ended)
	c, err := b.store.Campaign(t.Context(), id)
	require.NoError(t, err)
	require.Equal(t, campaign.Paused, c.Status)
	require.Contains(t, c.StatusReason, "had ended when an older database was restored")
	c, err = b.store.Campaign(t.Context(), lost)
	require.NoError(t, err)
	require.Equal(t, campaign.Running, c.Status)
	b.requireRunning(workflows.CampaignID(id), workflows.CampaignID(lost), workflows.ContactID(id, contacts[0]), workflows.ContactID(lost, contacts[0]))

	require.NoError(t, b.store.Resume(t.Context(), id))
	require.Empty(t, b.run().Temporal.Ended, "what was decided is not asked for again")
	c, err = b.store.Campaign(t.Context(), id)
	require.NoError(t, err)
	require.Equal(t, campaign.Running, c.Status)
}

// endCampaigns lets the workflows of campaigns that run come to their own end.
func (b *bench) endCampaigns() {
	b.t.Helper()
	w := sdk.New(b.engine.Client, workflows.TaskQueue, sdk.Options{})
	w.RegisterWorkflowWithOptions(func(workflow.Context, workflows.CampaignInput) error { return nil }, workflow.RegisterOptions{Name: "Campaign"})
	require.NoError(b.t, w.Start())
	defer w.Stop()
	require.EventuallyWithT(b.t, func(c *assert.CollectT) { require.Empty(c, b.running()) }, patience, tick)
}

// Rebuilding does not ask the provider, so it cannot make a restored database one
// that knows all.
func TestRebuildingLeavesARestoredDatabaseRefused(t *testing.T) {
	t.Parallel()
	b := open(t)
	contacts := b.contacts(1)
	id := b.launched(contacts)
	b.restored()
	report, err := b.reconciler().Rebuild(t.Context())
	require.NoError(t, err)
	require.Nil(t, report.Provider)
	require.Len(t, report.Remains, 1)
	require.True(t, b.isRestored())
	b.requireRunning(workflows.CampaignID(id), workflows.ContactID(id, contacts[0]))
}
