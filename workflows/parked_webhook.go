package workflows

import (
	"fmt"

	"go.temporal.io/sdk/workflow"

	"github.com/relance/relance/activities"
)

// ParkedWebhook keeps a webhook that came while the database was away, sealed,
// until it has been stored there. It returns what became of it.
func ParkedWebhook(ctx workflow.Context, sealed []byte) (status string, err error) {
	workflow.SetCurrentDetails(ctx, "Waiting for the database to be back.")
	var a *activities.Activities
	parkedAt := workflow.GetInfo(ctx).WorkflowStartTime
	ctx = deciding(ctx, "Store the parked webhook")
	if err := workflow.ExecuteActivity(ctx, a.ReceiveParked, sealed, parkedAt).Get(ctx, &status); err != nil {
		return "", fmt.Errorf("storing a parked webhook: %w", err)
	}
	return status, nil
}
