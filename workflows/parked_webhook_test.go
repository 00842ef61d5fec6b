package workflows

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/temporal"

	"github.com/relance/relance/intake"
)

func TestParkedWebhookOfAnotherDatabaseFailsForEveryoneToSee(t *testing.T) {
	w := newWorld(t, 0)
	w.env.RegisterActivityWithOptions(func(context.Context, []byte, time.Time) (string, error) {
		return "", temporal.NewNonRetryableApplicationError(intake.ErrForeignSeal.Error(), "ForeignSeal", nil)
	}, activity.RegisterOptions{Name: "ReceiveParked"})

	w.env.ExecuteWorkflow(ParkedWebhook, []byte("sealed"))

	require.ErrorContains(t, w.env.GetWorkflowError(), "another key")
}
