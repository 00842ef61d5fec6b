package workflows

import (
	"fmt"
	"time"

	"github.com/google/uuid"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/relance/relance/activities"
	"github.com/relance/relance/campaign"
)

// CampaignInput names the campaign to run.
type CampaignInput struct {
	CampaignID uuid.UUID `json:"campaign_id"`
}

// Progress is what a campaign's workflow knows of itself; the numbers are in the database.
type Progress struct {
	Status       campaign.Status `json:"status"`
	Recipients   int64           `json:"recipients"`
	Admitted     int64           `json:"admitted"`
	WavesRunning int             `json:"waves_running"`
	WavesStarted int             `json:"waves_started"`
	AskingAgain  *time.Time      `json:"asking_again,omitempty"`
}

const (
	// minWave is the number of contacts in a wave, as measured to start fastest;
	// it grows in campaigns beyond maxWaves × minWave contacts.
	minWave  = 100
	maxWaves = 1000

	// closeLook is how often a campaign whose waves have all ended, but not all
	// its contacts, looks again.
	closeLook = 10 * time.Minute
)

// Campaign freezes the audience, admits contacts as the quota allows and starts
// a wave for them, until everyone is final or the deadline has come (Properties
// 11 and 13).
//
// Its history stays bounded: at most 288 questions for room under the quota in
// two windows, and a thousand waves.
func Campaign(ctx workflow.Context, in CampaignInput) error {
	c := &campaignRun{CampaignInput: in}
	if err := c.setUp(ctx); err != nil {
		return err
	}
	return c.run(ctx)
}

type campaignRun struct {
	CampaignInput
	a        *activities.Activities
	progress Progress
	deadline workflow.Future
}

func (c *campaignRun) setUp(ctx workflow.Context) error {
	return workflow.SetQueryHandlerWithOptions(ctx, ProgressQuery, func() (Progress, error) { return c.progress, nil },
		workflow.QueryHandlerOptions{Description: "How far the campaign's workflow is."})
}

func (c *campaignRun) run(ctx workflow.Context) error {
	frozen, err := c.freeze(ctx)
	if err != nil || frozen.Status.Final() {
		return err
	}
	c.deadline = workflow.NewTimerWithOptions(ctx, max(frozen.DeadlineLeft, time.Millisecond),
		workflow.TimerOptions{Summary: "Campaign deadline"})
	if err := c.admitEveryone(ctx, waveSize(frozen.Recipients)); err != nil {
		return err
	}
	return c.close(ctx)
}

func waveSize(recipients int64) int {
	return int(max(minWave, (recipients+maxWaves-1)/maxWaves))
}

func (c *campaignRun) freeze(ctx workflow.Context) (frozen activities.FreezeAudienceResult, err error) {
	c.describe(ctx, "Freezing the audience.")
	actCtx := deciding(ctx, "Freeze the audience")
	if err = workflow.ExecuteActivity(actCtx, c.a.FreezeAudience, c.CampaignID).Get(actCtx, &frozen); err != nil {
		return frozen, fmt.Errorf("freezing the audience: %w", err)
	}
	c.progress.Status, c.progress.Recipients = frozen.Status, frozen.Recipients
	return frozen, nil
}

// admitEveryone starts wave after wave until nobody waits for admission or the
// deadline has come.
func (c *campaignRun) admitEveryone(ctx workflow.Context, size int) error {
	actCtx := deciding(ctx, "Admit contacts under the quota")
	for {
		var admitted activities.AdmitRecipientsResult
		if err := workflow.ExecuteActivity(actCtx, c.a.AdmitRecipients, activities.AdmitRecipientsInput{
			CampaignID: c.CampaignID, Wave: c.progress.WavesStarted + 1, Size: size,
		}).Get(actCtx, &admitted); err != nil {
			return fmt.Errorf("admitting contacts: %w", err)
		}
		c.progress.Status, c.progress.AskingAgain = admitted.Status, nil
		if len(admitted.Contacts) > 0 {
			if err := c.startWave(ctx, admitted.Contacts); err != nil {
				return err
			}
		}
		if admitted.Left == 0 || admitted.DeadlineLeft == 0 || admitted.Status.Final() {
			return nil
		}
		if len(admitted.Contacts) == 0 {
			c.awaitRoom(ctx, admitted)
		}
	}
}

// awaitRoom waits until asking for admission is worth while.
func (c *campaignRun) awaitRoom(ctx workflow.Context, admitted activities.AdmitRecipientsResult) {
	wait, why := admitted.AskAgain, "room under the quota"
	if wait <= 0 {
		wait, why = adminLook, "an admin to resume"
	}
	again := workflow.Now(ctx).Add(wait)
	c.progress.AskingAgain = &again
	c.describe(ctx, fmt.Sprintf("%d contacts wait for %s. Asking again %s.", admitted.Left, why, again.UTC().Format(time.RFC3339)))
	c.sleep(ctx, wait, "Waiting for "+why)
}

func (c *campaignRun) startWave(ctx workflow.Context, contacts []uuid.UUID) error {
	c.progress.WavesStarted++
	n := c.progress.WavesStarted
	ctx = child(ctx, WaveID(c.CampaignID, n), fmt.Sprintf("Wave %d: %d contacts", n, len(contacts)), contactAttributes(c.CampaignID))
	wave := workflow.ExecuteChildWorkflow(ctx, Wave, WaveInput{CampaignID: c.CampaignID, Number: n, Contacts: contacts})
	// Awaited, because a child that has not started when its parent closes is dropped.
	if err := wave.GetChildWorkflowExecution().Get(ctx, nil); err != nil && !temporal.IsWorkflowExecutionAlreadyStartedError(err) {
		return fmt.Errorf("starting wave %d: %w", n, err)
	}
	c.progress.Admitted += int64(len(contacts))
	c.progress.WavesRunning++
	c.describe(ctx, fmt.Sprintf("%d of %d contacts admitted.", c.progress.Admitted, c.progress.Recipients))
	workflow.Go(ctx, func(ctx workflow.Context) {
		if err := wave.Get(ctx, nil); err != nil {
			workflow.GetLogger(ctx).Error("A wave failed.", "Wave", n, "Error", err)
		}
		c.progress.WavesRunning--
	})
	return nil
}

// close waits for the waves or the deadline and completes the campaign.
func (c *campaignRun) close(ctx workflow.Context) error {
	actCtx := deciding(ctx, "Close the campaign if everyone is final")
	for {
		if !c.deadline.IsReady() && c.progress.WavesRunning > 0 {
			c.describe(ctx, "Everyone is admitted. Waiting for replies.")
			if err := workflow.Await(ctx, func() bool { return c.progress.WavesRunning == 0 || c.deadline.IsReady() }); err != nil {
				return fmt.Errorf("waiting for replies: %w", err)
			}
		}
		var closing activities.CloseCampaignResult
		if err := workflow.ExecuteActivity(actCtx, c.a.CloseCampaign, c.CampaignID).Get(actCtx, &closing); err != nil {
			return fmt.Errorf("closing the campaign: %w", err)
		}
		if closing.Closed {
			c.progress.Status = campaign.Completed
			c.describe(ctx, fmt.Sprintf("Completed. %d contacts still live through their own window.", closing.Unfinished))
			return nil
		}
		// Temporal's clock was ahead of the database's, or a contact's workflow was
		// ended by hand and revived, so that it is no child of a wave any more.
		c.describe(ctx, fmt.Sprintf("%d contacts are not final and no wave runs them. Looking again.", closing.Unfinished))
		look := workflow.NewTimerWithOptions(ctx, min(max(closing.DeadlineLeft, time.Millisecond), closeLook),
			workflow.TimerOptions{Summary: "Contacts without a wave"})
		if err := look.Get(ctx, nil); err != nil {
			return fmt.Errorf("waiting for the last contacts: %w", err)
		}
	}
}

// sleep waits, but not past the deadline.
func (c *campaignRun) sleep(ctx workflow.Context, d time.Duration, summary string) {
	timerCtx, stop := workflow.WithCancel(ctx)
	defer stop()
	timer := workflow.NewTimerWithOptions(timerCtx, max(d, time.Millisecond), workflow.TimerOptions{Summary: summary})
	workflow.NewSelector(ctx).
		AddFuture(timer, func(workflow.Future) {}).
		AddFuture(c.deadline, func(workflow.Future) {}).
		Select(ctx)
}

func (c *campaignRun) describe(ctx workflow.Context, details string) {
	workflow.SetCurrentDetails(ctx, details)
}
