// Package rehearsal plays a campaign before it happens: the real workflows run
// in Temporal's test environment, which skips the time in which nothing
// happens, against simulated contacts and a stand-in for database and provider
// that keeps the rules of package store in memory.
//
// [campaign.Forecast] answers the same question by arithmetic alone, at once and
// for any audience. A rehearsal plays every contact, with chance in the replies,
// so it also shows late replies, who waits for the quota, and that the workflows
// do what the arithmetic says.
package rehearsal

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/client"
	tlog "go.temporal.io/sdk/log"
	"go.temporal.io/sdk/testsuite"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"github.com/relance/relance/campaign"
	"github.com/relance/relance/workflows"
)

// Settings are the campaign to rehearse and how its contacts are taken to behave.
type Settings struct {
	// Rules the campaign runs under; Rules.Validate must accept them.
	Rules campaign.Rules
	// Start is when the campaign is launched. It decides what sending hours mean.
	Start time.Time
	// Contacts is the size of the audience.
	Contacts int
	// ReplyRate is the probability (0 to 1) with which each contact replies.
	ReplyRate float64
	// ReplyAfter is how long after Message 1 a reply comes.
	ReplyAfter Delay
	// Seed decides all chance: the same settings give the same result again.
	Seed uint64
	// Load is what counts against the device's quota when the campaign starts.
	// Windows that are open then are taken to end unanswered; other campaigns
	// that still wait for admission are not played.
	Load campaign.Load
}

// Validate says what is wrong with settings. Rules are checked as everywhere.
func (s Settings) Validate() error {
	switch {
	case s.Contacts < 0:
		return fmt.Errorf("the number of contacts must not be negative, not %d", s.Contacts)
	case !(s.ReplyRate >= 0 && s.ReplyRate <= 1): // written so that NaN fails too
		return fmt.Errorf("the reply rate must be between 0 and 1, not %g", s.ReplyRate)
	}
	return s.Rules.Validate()
}

// stuckAfter is the real time without any progress after which a rehearsal is
// given up: workflow code then waits for something that this package does not do.
const stuckAfter = time.Minute

// Run plays the campaign to the end of its last contact, in skipped time. When
// ctx ends first it stops and returns the context's error. It shares nothing
// with other rehearsals that run at the same time.
func Run(ctx context.Context, settings Settings) (Result, error) {
	if err := settings.Validate(); err != nil {
		return Result{}, err
	}
	if err := ctx.Err(); err != nil {
		return Result{}, fmt.Errorf("rehearsing: %w", err)
	}
	w := newWorld(settings)
	stopped := context.AfterFunc(ctx, func() { w.stop(ctx.Err()) })
	defer stopped()
	if err := w.play(); err != nil {
		return Result{}, fmt.Errorf("rehearsing: %w", cmp.Or(ctx.Err(), err))
	}
	w.hearLateReplies()
	return w.result(), nil
}

// play runs the campaign's workflow and everything it starts. The test
// environment panics where a worker would only fail a workflow task.
func (w *world) play() (err error) {
	defer func() {
		if failure := recover(); failure != nil {
			err = fmt.Errorf("the workflows do not run: %v", failure)
		}
		w.refuseAll(errOver) // lets go of an activity that still waits
	}()
	w.env.ExecuteWorkflow(w.watch)
	return w.env.GetWorkflowError()
}

var errOver = errors.New("the rehearsal is over")

// watch is the workflow around the campaign's. It looks on until everyone is
// final, also who outlives the campaign, and then once more.
//
// Its timer is the next one at any time, never cancelled and the last to fire.
// While an activity runs, the environment has the next timer fire in real time
// too, and forgets to stop that when the timer is cancelled or left over: without
// this watch, the campaign's timers would keep each rehearsal's memory for days.
func (w *world) watch(ctx workflow.Context) error {
	launched := workflow.ExecuteChildWorkflow(
		workflow.WithChildOptions(ctx, workflow.ChildWorkflowOptions{WorkflowID: workflows.CampaignID(w.campaign)}),
		workflows.Campaign, workflows.CampaignInput{CampaignID: w.campaign})
	rules := w.Rules
	look := max((rules.Deadline+rules.ReplyWindow)/3000, time.Second)
	// Even the answers of a quota that Message 1s have used up have left by then.
	latest := w.Start.Add(3 * (rules.Deadline + rules.ReplyWindow + rules.Quota.Window))
	for {
		if err := workflow.Sleep(ctx, look); err != nil {
			return fmt.Errorf("watching: %w", err)
		}
		unfinished, err := w.unfinished()
		switch {
		case err != nil:
			return err
		case launched.IsReady() && unfinished == 0:
			return cmp.Or(launched.Get(ctx, nil), workflow.Sleep(ctx, look))
		case workflow.Now(ctx).After(latest):
			return fmt.Errorf("%d contacts never come to an end", unfinished)
		}
	}
}

func newEnvironment(start time.Time) *testsuite.TestWorkflowEnvironment {
	var suite testsuite.WorkflowTestSuite
	suite.SetLogger(tlog.NewStructuredLogger(slog.New(slog.DiscardHandler)))
	env := suite.NewTestWorkflowEnvironment()
	env.SetTestTimeout(stuckAfter)
	// On a busy machine a workflow may get no processor for longer than the second
	// after which it would be taken for hanging.
	env.SetWorkerOptions(worker.Options{DeadlockDetectionTimeout: stuckAfter})
	env.SetWorkflowRunTimeout(0) // none: its timer would be kept for years, see watch
	env.SetStartTime(start)
	env.SetStartWorkflowOptions(client.StartWorkflowOptions{TaskQueue: workflows.TaskQueue})
	workflows.Register(env)
	return env
}

// register puts the world under the activities' production names.
func (w *world) register() {
	for name, fn := range map[string]any{
		"FreezeAudience": w.freezeAudience, "AdmitRecipients": w.admitRecipients, "SendMessage": w.sendMessage, "SendWave": sendWave,
		"CloseWindow": w.closeWindow, "CloseCampaign": w.closeCampaign,
		"WakeHeldUp": w.wakeHeldUp,
	} {
		w.env.RegisterActivityWithOptions(fn, activity.RegisterOptions{Name: name})
	}
}
