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

// ContactInput names one contact of one campaign.
type ContactInput struct {
	CampaignID uuid.UUID `json:"campaign_id"`
	ContactID  uuid.UUID `json:"contact_id"`
	// Rest is how long to wait after an attempt at Message 1 that failed ahead.
	Rest time.Duration `json:"rest,omitempty"`
}

// ContactV2 sees to it that Message 1 leaves, waits for a reply until the window
// closes, and sees to it that Message 2 leaves or settles the final state, which
// it returns. What has been sent ahead of it, it finds in the database.
//
// It may be started again at any time, for instance after Temporal's data were
// lost: the database tells it what has been done already.
func ContactV2(ctx workflow.Context, in ContactInput) (campaign.RecipientState, error) {
	c := newContact(ctx, in)
	return c.run()
}

type contact struct {
	ContactInput
	a *activities.Activities
	// ctx is not cancelled with the workflow: only the database ends a contact's
	// story. A cancellation is one more reason to ask it.
	ctx       workflow.Context
	wakeUps   workflow.ReceiveChannel
	cancelled workflow.ReceiveChannel
}

func newContact(ctx workflow.Context, in ContactInput) *contact {
	cancelled := ctx.Done()
	ctx, _ = workflow.NewDisconnectedContext(ctx)
	return &contact{
		ContactInput: in, ctx: ctx, cancelled: cancelled,
		wakeUps: workflow.GetSignalChannel(ctx, InteractionSignal),
	}
}

func (c *contact) run() (campaign.RecipientState, error) {
	if c.Rest > 0 {
		c.sleep(c.Rest, "Rest after an attempt ahead")
	}
	state, windowLeft, err := c.ask("Ask whether Message 1 has left")
	if err == nil && state == campaign.Admitted {
		state, windowLeft, err = c.send(campaign.Message1)
	}
	for err == nil && state == campaign.Message1Sent {
		state, windowLeft, err = c.awaitReply(windowLeft)
	}
	if err == nil && state == campaign.Replied {
		state, _, err = c.send(campaign.Message2)
	}
	if err != nil {
		return state, err
	}
	return state, c.finish(state)
}

// send brings one message to its end, waiting out whatever holds it up.
func (c *contact) send(message campaign.MessageType) (campaign.RecipientState, time.Duration, error) {
	ctx := sending(c.ctx, message)
	in := activities.SendMessageInput{CampaignID: c.CampaignID, ContactID: c.ContactID, Type: message}
	for {
		c.describe("Sending %s.", spoken(message))
		var result activities.SendMessageResult
		if err := workflow.ExecuteActivity(ctx, c.a.SendMessage, in).Get(ctx, &result); err != nil {
			return "", 0, fmt.Errorf("sending %s: %w", message, err)
		}
		if result.Obstacle == "" {
			return result.State, result.WindowLeft, nil
		}
		wait := result.Wait
		if wait <= 0 {
			wait = adminLook
		}
		c.describe("%s waits: %s. Asking again %s, or when woken.", spoken(message), result.Obstacle, c.at(wait))
		c.sleep(wait, fmt.Sprintf("%s held up: %s", spoken(message), result.Obstacle))
	}
}

// awaitReply waits for a wake-up or the end of the window, then asks the
// database, which finds the reply or closes the window.
func (c *contact) awaitReply(windowLeft time.Duration) (campaign.RecipientState, time.Duration, error) {
	c.describe("Message 1 left. Waiting for a reply until %s.", c.at(windowLeft))
	c.sleep(windowLeft, "Reply window")
	return c.ask("Find the reply or close the window")
}

// ask asks the database how far the contact is, which closes a window whose time
// has come. Most often that is answered within the workflow task; a database that
// is slow or away is asked as patiently as need be.
func (c *contact) ask(summary string) (campaign.RecipientState, time.Duration, error) {
	in := activities.CloseWindowInput{CampaignID: c.CampaignID, ContactID: c.ContactID}
	var result activities.CloseWindowResult
	if err := workflow.ExecuteLocalActivity(asking(c.ctx, summary), c.a.CloseWindow, in).Get(c.ctx, &result); err == nil {
		return result.State, result.WindowLeft, nil
	}
	if err := workflow.ExecuteActivity(deciding(c.ctx, summary), c.a.CloseWindow, in).Get(c.ctx, &result); err != nil {
		return "", 0, fmt.Errorf("asking the database: %w", err)
	}
	return result.State, result.WindowLeft, nil
}

// sleep waits and reports whether it was woken before the time was up.
func (c *contact) sleep(d time.Duration, summary string) (woken bool) {
	timerCtx, stopTimer := workflow.WithCancel(c.ctx)
	defer stopTimer()
	selector := workflow.NewSelector(c.ctx)
	selector.AddReceive(c.wakeUps, func(wakeUps workflow.ReceiveChannel, _ bool) {
		for wakeUps.ReceiveAsync(nil) { // one look at the database answers them all
		}
		woken = true
	})
	// A zero duration would start no timer at all.
	timer := workflow.NewTimerWithOptions(timerCtx, max(d, time.Millisecond), workflow.TimerOptions{Summary: summary})
	selector.AddFuture(timer, func(workflow.Future) {})
	if c.cancelled != nil {
		selector.AddReceive(c.cancelled, func(workflow.ReceiveChannel, bool) {
			c.cancelled = nil // it stays closed and would wake for ever
			woken = true
		})
	}
	selector.Select(c.ctx)
	return woken
}

func (c *contact) finish(state campaign.RecipientState) error {
	c.describe("Finished: %s.", state)
	if err := workflow.UpsertTypedSearchAttributes(c.ctx, ContactStateKey.ValueSet(string(state))); err != nil {
		return fmt.Errorf("publishing the final state: %w", err)
	}
	for c.wakeUps.ReceiveAsync(nil) { // a late reply is in the database already
	}
	return nil
}

// describe tells whoever opens the run in the Temporal Web UI how it stands.
func (c *contact) describe(format string, args ...any) {
	workflow.SetCurrentDetails(c.ctx, fmt.Sprintf(format, args...))
}

func (c *contact) at(wait time.Duration) string {
	return workflow.Now(c.ctx).Add(wait).UTC().Format(time.RFC3339)
}

func spoken(message campaign.MessageType) string {
	if message == campaign.Message2 {
		return "Message 2"
	}
	return "Message 1"
}

func contactAttributes(campaignID uuid.UUID) temporal.SearchAttributeUpdate {
	return CampaignIDKey.ValueSet(campaignID.String())
}
