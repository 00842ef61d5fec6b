package workflows

import (
	"fmt"
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/relance/relance/activities"
)

// adminLook is how often somebody who waits for an admin asks again without
// having been woken; a wake-up comes within seconds, also a repeated one.
const adminLook = 10 * time.Minute

// setUp registers how a campaign is watched and controlled, and gives the
// context to run in: a cancellation of the workflow is an admin's wish to cancel
// the campaign, which has to be carried out, not a reason to drop everything.
func (c *campaignRun) setUp(ctx workflow.Context) (workflow.Context, error) {
	cancelled := ctx.Done()
	ctx, _ = workflow.NewDisconnectedContext(ctx)
	c.waves, c.cancelWaves = workflow.WithCancel(ctx)

	err := workflow.SetQueryHandlerWithOptions(ctx, ProgressQuery, func() (Progress, error) { return c.progress, nil },
		workflow.QueryHandlerOptions{Description: "How far the campaign's workflow is."})
	if err != nil {
		return ctx, fmt.Errorf("registering the progress query: %w", err)
	}
	for _, action := range []activities.Action{activities.Pause, activities.Resume, activities.Cancel} {
		err := workflow.SetUpdateHandlerWithOptions(ctx, string(action), func(ctx workflow.Context) error { return c.decide(ctx, action) },
			workflow.UpdateHandlerOptions{Description: "An operator's decision; the database keeps it.", Validator: c.open})
		if err != nil {
			return ctx, fmt.Errorf("registering the %s update: %w", action, err)
		}
	}
	workflow.Go(ctx, func(ctx workflow.Context) {
		decided := workflow.GetSignalChannel(ctx, DecidedSignal)
		for {
			decided.Receive(ctx, nil)
			c.decisions++
		}
	})
	workflow.Go(ctx, func(ctx workflow.Context) {
		cancelled.Receive(ctx, nil)
		if err := c.decide(ctx, activities.Cancel); err != nil {
			workflow.GetLogger(ctx).Error("The campaign could not be cancelled.", "Error", err)
		}
	})
	return ctx, nil
}

// open refuses decisions about a campaign that is over.
func (c *campaignRun) open(workflow.Context) error {
	if c.progress.Status.Final() {
		return temporal.NewNonRetryableApplicationError(fmt.Sprintf("the campaign is %s", c.progress.Status), "conflict", nil)
	}
	return nil
}

// decide has the database keep a decision and makes the campaign act on it.
func (c *campaignRun) decide(ctx workflow.Context, action activities.Action) error {
	ctx = decidingInBulk(ctx, "Operator: "+string(action))
	err := workflow.ExecuteActivity(ctx, c.a.ControlCampaign, activities.ControlCampaignInput{CampaignID: c.CampaignID, Action: action}).Get(ctx, nil)
	if err != nil {
		return err
	}
	c.decisions++
	return nil
}
