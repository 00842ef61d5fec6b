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
	// minWave is the number of contacts in a wave: of 10,000 contacts 111 a second are
	// sent Message 1, and 99 in waves of 100 (bench/).
	minWave = 250
	// Beyond manyWaves × minWave contacts waves grow, because each adds a dozen
	// events to the campaign's history and each contact half a dozen to its wave's;
	// beyond manyWaves × maxWave there are more waves instead, because a wave may not
	// have more children at once.
	manyWaves = 300
	maxWave   = 1000
	// wavesAtOnce bounds the waves that are starting their contacts, of which a worker
	// keeps 8 kB each meanwhile: Message 1s leave faster than workflows start.
	wavesAtOnce = 40

	// crowdedRest is the longest pause between questions while nothing leaves.
	crowdedRest = 2 * time.Minute
	// revivedLook is the first pause before looking whether contacts without a wave
	// are final, which most are at once; each further one is twice as long.
	revivedLook = time.Second
	// orphansLook is how often contacts are looked for that are owed a message and have
	// no workflow.
	orphansLook = time.Hour
)

// Campaign freezes the audience, admits contacts as the quota allows and starts
// a wave for them, until everyone is final or the deadline has come (Properties
// 11 and 13), or an admin cancels. That everyone is final, a worker's dispatcher
// tells it as it tells an admin's decision.
//
// Its history stays bounded: at most 288 questions for room under the quota in
// two windows, and some hundred waves.
func Campaign(ctx workflow.Context, in CampaignInput) error {
	c := &campaignRun{CampaignInput: in}
	ctx, err := c.setUp(ctx)
	if err != nil {
		return err
	}
	if err := c.run(ctx); err != nil {
		return err
	}
	if err := workflow.Await(ctx, func() bool { return workflow.AllHandlersFinished(ctx) }); err != nil {
		return fmt.Errorf("finishing updates: %w", err)
	}
	return nil
}

type campaignRun struct {
	CampaignInput
	a        *activities.Activities
	progress Progress
	deadline workflow.Future
	// decisions counts what it was told: what admins have decided, and that everyone is
	// final. A wait ends when it grows.
	decisions   int
	acted       int  // decisions after which those held up have been woken
	crowded     int  // answers in a row that what is admitted has not left
	revived     int  // looks in a row that found contacts whom no wave runs
	orphans     bool // some contacts may have no workflow
	waves       workflow.Context
	cancelWaves workflow.CancelFunc
}

func (c *campaignRun) run(ctx workflow.Context) error {
	frozen, err := c.freeze(ctx)
	if err != nil || !frozen.Status.Launched() || frozen.Status.Final() {
		return err
	}
	c.deadline = workflow.NewTimerWithOptions(ctx, max(frozen.DeadlineLeft, time.Millisecond),
		workflow.TimerOptions{Summary: "Campaign deadline"})
	for {
		seen := c.decisions
		if err := c.awaitWaves(ctx, seen); err != nil {
			return err
		}
		admitted, err := c.admit(ctx, waveSize(frozen.Recipients))
		switch {
		case err != nil:
			return err
		case admitted.Status == campaign.Cancelled:
			return c.stopContacts(ctx)
		case len(admitted.Contacts) > 0:
			c.crowded = 0
			if err := c.startWave(ctx, admitted.Contacts); err != nil {
				return err
			}
		case admitted.Left > 0 && admitted.DeadlineLeft > 0:
			if err := c.awaitRoom(ctx, admitted, seen); err != nil {
				return err
			}
		default:
			if over, err := c.close(ctx, seen); over || err != nil {
				return err
			}
		}
	}
}

// awaitWaves waits while many contacts are being started. Their Message 1s have left
// ahead of them, and further ones would leave many minutes before there is a workflow
// to wait for the reply.
func (c *campaignRun) awaitWaves(ctx workflow.Context, seen int) error {
	if !c.letsGo(ctx) {
		return nil
	}
	if err := workflow.Await(ctx, func() bool {
		return c.progress.WavesRunning < wavesAtOnce || c.deadline.IsReady() || c.decisions > seen
	}); err != nil {
		return fmt.Errorf("waiting for waves to start: %w", err)
	}
	return nil
}

// letsGo reports whether the campaign is told that everyone is final, and does not
// learn it from its waves.
func (c *campaignRun) letsGo(ctx workflow.Context) bool {
	return workflow.GetVersion(ctx, letGo, workflow.DefaultVersion, 1) >= 1
}

func waveSize(recipients int64) int {
	return int(min(max(minWave, (recipients+manyWaves-1)/manyWaves), maxWave))
}

func (c *campaignRun) freeze(ctx workflow.Context) (frozen activities.FreezeAudienceResult, err error) {
	c.describe(ctx, "Freezing the audience.")
	ctx = decidingInBulk(ctx, "Freeze the audience")
	if err = workflow.ExecuteActivity(ctx, c.a.FreezeAudience, c.CampaignID).Get(ctx, &frozen); err != nil {
		return frozen, fmt.Errorf("freezing the audience: %w", err)
	}
	c.progress.Status, c.progress.Recipients = frozen.Status, frozen.Recipients
	// An earlier run's waves are not admitted again: their contacts have workflows,
	// or are revived below.
	c.progress.WavesStarted, c.orphans = frozen.Waves, frozen.Waves > 0
	return frozen, nil
}

// admit asks for the next wave. When admins have decided something since, it
// first wakes whom a pause or a halted device held up, if the campaign runs.
func (c *campaignRun) admit(ctx workflow.Context, size int) (admitted activities.AdmitRecipientsResult, err error) {
	if c.decisions > c.acted {
		c.acted = c.decisions
		wakeCtx := deciding(ctx, "Wake contacts that were held up")
		if err = workflow.ExecuteActivity(wakeCtx, c.a.WakeHeldUp, c.CampaignID).Get(wakeCtx, nil); err != nil {
			return admitted, fmt.Errorf("waking contacts: %w", err)
		}
	}
	ctx = deciding(ctx, "Admit contacts under the quota")
	if err = workflow.ExecuteActivity(ctx, c.a.AdmitRecipients, activities.AdmitRecipientsInput{
		CampaignID: c.CampaignID, Wave: c.progress.WavesStarted + 1, Size: size,
	}).Get(ctx, &admitted); err != nil {
		return admitted, fmt.Errorf("admitting contacts: %w", err)
	}
	c.progress.Status, c.progress.AskingAgain = admitted.Status, nil
	return admitted, nil
}

// awaitRoom waits until asking for admission is worth while.
func (c *campaignRun) awaitRoom(ctx workflow.Context, admitted activities.AdmitRecipientsResult, seen int) error {
	wait, why := admitted.AskAgain, string(admitted.Obstacle)
	if admitted.Obstacle == activities.ObstacleCrowded {
		// What is admitted does not leave: the provider is away, perhaps for hours.
		wait = min(wait<<c.crowded, crowdedRest)
		c.crowded = min(c.crowded+1, 16)
	}
	if admitted.Status == campaign.Paused {
		wait, why = adminLook, "an admin to resume"
	}
	again := workflow.Now(ctx).Add(wait)
	c.progress.AskingAgain = &again
	c.describe(ctx, fmt.Sprintf("%d contacts wait for %s. Asking again %s.", admitted.Left, why, again.UTC().Format(time.RFC3339)))
	return c.wait(ctx, wait, "Waiting for "+why, func() bool { return c.decisions > seen || c.deadline.IsReady() })
}

func (c *campaignRun) startWave(ctx workflow.Context, contacts []uuid.UUID) error {
	c.progress.WavesStarted++
	n := c.progress.WavesStarted
	childCtx := child(c.waves, WaveID(c.CampaignID, n), fmt.Sprintf("Wave %d: %d contacts", n, len(contacts)), contactAttributes(c.CampaignID))
	wave := workflow.ExecuteChildWorkflow(childCtx, Wave, WaveInput{CampaignID: c.CampaignID, Number: n, Contacts: contacts})
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
			c.orphans = true
		}
		c.progress.WavesRunning--
	})
	return nil
}

// close completes the campaign if it is over, and else waits until that may have
// changed.
func (c *campaignRun) close(ctx workflow.Context, seen int) (over bool, err error) {
	c.describe(ctx, "Everyone is admitted.")
	if err := workflow.Await(ctx, func() bool {
		return c.progress.WavesRunning == 0 || c.deadline.IsReady() || c.decisions > seen
	}); err != nil {
		return false, fmt.Errorf("waiting for the waves: %w", err)
	}
	// Whoever was told that everyone is final while it asked for something else asks
	// the database all the same.
	if c.decisions > seen && (c.progress.WavesRunning > 0 || !c.letsGo(ctx)) {
		return false, nil
	}
	actCtx := decidingInBulk(ctx, "Close the campaign if everyone is final")
	var closing activities.CloseCampaignResult
	if err := workflow.ExecuteActivity(actCtx, c.a.CloseCampaign, c.CampaignID).Get(actCtx, &closing); err != nil {
		return false, fmt.Errorf("closing the campaign: %w", err)
	}
	if closing.Status == campaign.Cancelled {
		return true, c.stopContacts(ctx)
	}
	if closing.Closed {
		c.progress.Status = campaign.Completed
		c.describe(ctx, fmt.Sprintf("Completed. %d contacts still live through their own window.", closing.Unfinished))
		return true, nil
	}
	if !c.letsGo(ctx) {
		return false, c.awaitContactsWithoutWave(ctx, closing, seen)
	}
	return false, c.awaitTheLast(ctx, closing, seen)
}

// awaitTheLast waits until the campaign is told that everyone is final, or the
// deadline. From time to time it sees to it that whoever is owed a message has a
// workflow, should one have been ended by hand.
func (c *campaignRun) awaitTheLast(ctx workflow.Context, closing activities.CloseCampaignResult, seen int) error {
	if c.orphans {
		actCtx := decidingInBulk(ctx, "Revive contacts that are owed a message")
		if err := workflow.ExecuteActivity(actCtx, c.a.WakeHeldUp, c.CampaignID).Get(actCtx, nil); err != nil {
			return fmt.Errorf("reviving contacts: %w", err)
		}
	}
	c.orphans = true
	c.describe(ctx, fmt.Sprintf("Everyone is admitted. %d contacts were not final when last counted.", closing.Unfinished))
	return c.wait(ctx, min(orphansLook, closing.DeadlineLeft), "Waiting for replies", func() bool { return c.decisions > seen })
}

// awaitContactsWithoutWave is what campaigns did before v0.3.0 when all waves had
// ended and not everyone was final.
func (c *campaignRun) awaitContactsWithoutWave(ctx workflow.Context, closing activities.CloseCampaignResult, seen int) error {
	c.describe(ctx, fmt.Sprintf("%d contacts are not final and no wave runs them. Looking again.", closing.Unfinished))
	if c.progress.WavesRunning == 0 {
		actCtx := decidingInBulk(ctx, "Revive contacts without a workflow")
		if err := workflow.ExecuteActivity(actCtx, c.a.ReviveUnfinished, c.CampaignID).Get(actCtx, nil); err != nil {
			return fmt.Errorf("reviving contacts: %w", err)
		}
	}
	again := min(revivedLook<<c.revived, adminLook, closing.DeadlineLeft)
	c.revived = min(c.revived+1, 16)
	return c.wait(ctx, again, "Contacts without a wave", func() bool { return c.decisions > seen })
}

// stopContacts ends the workflows of a cancelled campaign: each contact is woken
// and finds in the database that it is final, or settles what was just leaving.
func (c *campaignRun) stopContacts(ctx workflow.Context) error {
	c.describe(ctx, "Cancelled. Ending the contacts' workflows.")
	c.cancelWaves()
	if err := workflow.Await(ctx, func() bool { return c.progress.WavesRunning == 0 }); err != nil {
		return fmt.Errorf("waiting for the waves to end: %w", err)
	}
	if c.letsGo(ctx) {
		actCtx := decidingInBulk(ctx, "Wake contacts that were stopped")
		if err := workflow.ExecuteActivity(actCtx, c.a.WakeStopped, c.CampaignID).Get(actCtx, nil); err != nil {
			return fmt.Errorf("waking contacts: %w", err)
		}
	}
	c.describe(ctx, "Cancelled.")
	return nil
}

// wait waits for a time or a condition, whichever comes first.
func (c *campaignRun) wait(ctx workflow.Context, d time.Duration, summary string, until func() bool) error {
	_, err := workflow.AwaitWithOptions(ctx, workflow.AwaitOptions{
		Timeout: max(d, time.Millisecond), TimerOptions: workflow.TimerOptions{Summary: summary},
	}, until)
	if err != nil {
		return fmt.Errorf("waiting: %w", err)
	}
	return nil
}

func (c *campaignRun) describe(ctx workflow.Context, details string) {
	workflow.SetCurrentDetails(ctx, details)
}
