package workflows

import (
	"fmt"

	"github.com/google/uuid"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"
)

// WaveInput names the contacts that were admitted together.
type WaveInput struct {
	CampaignID uuid.UUID   `json:"campaign_id"`
	Number     int         `json:"number"`
	Contacts   []uuid.UUID `json:"contacts"`
}

// Wave starts its contacts, awaits that all have started, and waits for them to
// end. It exists because one parent may hold 2,000 children and because small
// waves start faster.
func Wave(ctx workflow.Context, in WaveInput) error {
	workflow.SetCurrentDetails(ctx, fmt.Sprintf("Starting %d contacts.", len(in.Contacts)))
	contacts := make([]workflow.ChildWorkflowFuture, len(in.Contacts))
	for i, contactID := range in.Contacts {
		childCtx := child(ctx, ContactID(in.CampaignID, contactID),
			"Message 1, a reply within the window, Message 2", contactAttributes(in.CampaignID))
		contacts[i] = workflow.ExecuteChildWorkflow(childCtx, Contact, ContactInput{CampaignID: in.CampaignID, ContactID: contactID})
	}
	// Whether they start or end is awaited without regard to a cancellation of
	// this wave, which they have been told of and answer by ending.
	waitCtx, _ := workflow.NewDisconnectedContext(ctx)
	for i, contact := range contacts {
		err := contact.GetChildWorkflowExecution().Get(waitCtx, nil)
		if err != nil && !temporal.IsWorkflowExecutionAlreadyStartedError(err) {
			workflow.GetLogger(ctx).Error("A contact's workflow did not start.", "ContactID", in.Contacts[i], "Error", err)
		}
	}
	workflow.SetCurrentDetails(ctx, fmt.Sprintf("%d contacts are on their way.", len(in.Contacts)))
	failed := 0
	for i, contact := range contacts {
		err := contact.Get(waitCtx, nil)
		if err != nil && !temporal.IsWorkflowExecutionAlreadyStartedError(err) {
			failed++
			workflow.GetLogger(ctx).Error("A contact's workflow failed.", "ContactID", in.Contacts[i], "Error", err)
		}
	}
	workflow.SetCurrentDetails(ctx, fmt.Sprintf("All %d contacts have ended, %d of their workflows failed.", len(in.Contacts), failed))
	return nil
}
