package bench

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"go.temporal.io/sdk/workflow"
)

const (
	floorWave   = 100 // as workflows.Campaign does
	floorWindow = 24 * time.Hour
)

// noOpCampaign is Relance's three workflows without Relance: a campaign, its
// waves, and for each contact a first activity, one signal or the end of a
// window, and a second activity. No activity does anything.
type noOpCampaign struct {
	noOps
	name  string
	local bool // the contacts' activities run within the workflow task
	sent  atomic.Int64
}

func (n *noOpCampaign) contactID(number int) string {
	return fmt.Sprintf("%s/contact/%d", n.name, number)
}

// Campaign starts a wave whenever fewer than two waves' contacts are unsent.
func (n *noOpCampaign) Campaign(ctx workflow.Context, contacts int) error {
	var waves []workflow.ChildWorkflowFuture
	for from := 0; from < contacts; from += floorWave {
		to := min(from+floorWave, contacts)
		admit := workflow.WithActivityOptions(ctx, workflow.ActivityOptions{StartToCloseTimeout: time.Hour})
		if err := workflow.ExecuteActivity(admit, n.Admit, to).Get(ctx, nil); err != nil {
			return err
		}
		child := workflow.WithChildOptions(ctx, workflow.ChildWorkflowOptions{WorkflowID: fmt.Sprintf("%s/wave/%d", n.name, len(waves))})
		wave := workflow.ExecuteChildWorkflow(child, n.Wave, from, to)
		if err := wave.GetChildWorkflowExecution().Get(ctx, nil); err != nil {
			return err
		}
		waves = append(waves, wave)
	}
	return allEnded(ctx, waves)
}

// Wave starts its contacts and waits for them.
func (n *noOpCampaign) Wave(ctx workflow.Context, from, to int) error {
	var contacts []workflow.ChildWorkflowFuture
	for number := from; number < to; number++ {
		child := workflow.WithChildOptions(ctx, workflow.ChildWorkflowOptions{WorkflowID: n.contactID(number)})
		contacts = append(contacts, workflow.ExecuteChildWorkflow(child, n.Contact, number))
	}
	return allEnded(ctx, contacts)
}

func allEnded(ctx workflow.Context, children []workflow.ChildWorkflowFuture) error {
	for _, child := range children {
		if err := child.Get(ctx, nil); err != nil {
			return err
		}
	}
	return nil
}

// Contact runs its activities, the second when it is signalled.
func (n *noOpCampaign) Contact(ctx workflow.Context, number int) error {
	if err := n.note(ctx, number, 0); err != nil {
		return err
	}
	timerCtx, stopTimer := workflow.WithCancel(ctx)
	signalled := false
	workflow.NewSelector(ctx).
		AddReceive(workflow.GetSignalChannel(ctx, floorSignal), func(signals workflow.ReceiveChannel, _ bool) {
			signalled = signals.ReceiveAsync(nil)
		}).
		AddFuture(workflow.NewTimer(timerCtx, floorWindow), func(workflow.Future) {}).
		Select(ctx)
	stopTimer()
	if !signalled {
		return fmt.Errorf("contact %d was not signalled", number)
	}
	return n.note(ctx, number, 1)
}

func (n *noOpCampaign) note(ctx workflow.Context, number, activity int) error {
	if n.local {
		ctx = workflow.WithLocalActivityOptions(ctx, workflow.LocalActivityOptions{ScheduleToCloseTimeout: 4 * time.Second})
		return workflow.ExecuteLocalActivity(ctx, n.Note, number, activity).Get(ctx, nil)
	}
	return workflow.ExecuteActivity(remotely(ctx), n.Note, number, activity).Get(ctx, nil)
}

// Note notes that an activity was run.
func (n *noOpCampaign) Note(ctx context.Context, number, activity int) error {
	if activity == 0 {
		defer n.sent.Add(1)
	}
	return n.noOps.Note(ctx, number, activity)
}

// Admit waits until no more than two waves would be unsent among so many contacts.
func (n *noOpCampaign) Admit(ctx context.Context, contacts int) error {
	for contacts-int(n.sent.Load()) > 2*floorWave {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(20 * time.Millisecond): // as activities.AdmitRecipients looks
		}
	}
	return nil
}

func (n *noOpCampaign) allSent() error {
	if sent := int(n.sent.Load()); sent < len(n.ran) {
		return fmt.Errorf("%d of %d have", sent, len(n.ran))
	}
	return nil
}
