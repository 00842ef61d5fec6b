package workflows

import (
	"fmt"
	"time"

	"github.com/google/uuid"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/relance/relance/activities"
)

// WaveInput names the contacts that were admitted together.
type WaveInput struct {
	CampaignID uuid.UUID   `json:"campaign_id"`
	Number     int         `json:"number"`
	Contacts   []uuid.UUID `json:"contacts"`
}

// Wave sends its contacts Message 1 as far as that goes at once, starts their
// workflows and ends when all have started. It exists because one parent may hold
// 2,000 children and because small waves start faster.
//
// It does not wait for its contacts: each that ended would cost it a task and four
// events, and a worker the memory of all of them for a day. Whether everyone is
// final, the database tells the campaign.
func Wave(ctx workflow.Context, in WaveInput) error {
	run, rests := Contact, map[uuid.UUID]time.Duration{}
	version := workflow.GetVersion(ctx, sendAhead, workflow.DefaultVersion, 2)
	if version >= 1 {
		run = ContactV2
		rests = sendWave(ctx, in)
		if ctx.Err() != nil {
			// The campaign is cancelled, but what is leaving just now must be settled.
			ctx, _ = workflow.NewDisconnectedContext(ctx)
		}
	}
	workflow.SetCurrentDetails(ctx, fmt.Sprintf("Starting %d contacts.", len(in.Contacts)))
	contacts := make([]workflow.ChildWorkflowFuture, len(in.Contacts))
	childCtx := child(ctx, "", "Message 1, a reply within the window, Message 2", contactAttributes(in.CampaignID))
	for i, contactID := range in.Contacts {
		contacts[i] = workflow.ExecuteChildWorkflow(workflow.WithWorkflowID(childCtx, ContactID(in.CampaignID, contactID)), run,
			ContactInput{CampaignID: in.CampaignID, ContactID: contactID, Rest: rests[contactID]})
	}
	// Whether they start or end is awaited without regard to a cancellation of
	// this wave, which they have been told of and answer by ending.
	waitCtx, _ := workflow.NewDisconnectedContext(ctx)
	for i, contact := range contacts {
		err := contact.GetChildWorkflowExecution().Get(waitCtx, nil)
		if err != nil && !temporal.IsWorkflowExecutionAlreadyStartedError(err) {
			workflow.GetLogger(ctx).Error("A contact's workflow did not start.", "contact_id", in.Contacts[i], "Error", err)
		}
	}
	workflow.SetCurrentDetails(ctx, fmt.Sprintf("%d contacts are on their way.", len(in.Contacts)))
	if version < 2 {
		awaitContacts(ctx, waitCtx, in, contacts)
	}
	return nil
}

// awaitContacts is what waves did that were started before v0.3.0.
func awaitContacts(ctx, waitCtx workflow.Context, in WaveInput, contacts []workflow.ChildWorkflowFuture) {
	failed := 0
	for i, contact := range contacts {
		err := contact.Get(waitCtx, nil)
		if err != nil && !temporal.IsWorkflowExecutionAlreadyStartedError(err) {
			failed++
			workflow.GetLogger(ctx).Error("A contact's workflow failed.", "contact_id", in.Contacts[i], "Error", err)
		}
	}
	workflow.SetCurrentDetails(ctx, fmt.Sprintf("All %d contacts have ended, %d of their workflows failed.", len(in.Contacts), failed))
}

// sendWave returns whose attempt failed, and how long they should rest.
func sendWave(ctx workflow.Context, in WaveInput) map[uuid.UUID]time.Duration {
	workflow.SetCurrentDetails(ctx, fmt.Sprintf("Sending Message 1 to %d contacts.", len(in.Contacts)))
	ctx, _ = workflow.NewDisconnectedContext(ctx)
	var a *activities.Activities
	var result activities.SendWaveResult
	if err := workflow.ExecuteActivity(ahead(ctx), a.SendWave,
		activities.SendWaveInput{CampaignID: in.CampaignID, Contacts: in.Contacts}).Get(ctx, &result); err != nil {
		workflow.GetLogger(ctx).Warn("A wave was not sent ahead; its contacts send for themselves.", "Wave", in.Number, "Error", err)
	}
	return result.Rests
}
