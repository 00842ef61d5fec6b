package activities

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/testsuite"
)

// Found by chaos: a worker that was killed while it closed a campaign kept it open for
// the ten minutes that closing a large one may take.
func TestAnActivityThatMayTakeMinutesShowsThatItIsAlive(t *testing.T) {
	require.Less(t, 2*heartbeatEvery, HeartbeatTimeout)
	var suite testsuite.WorkflowTestSuite
	env := suite.NewTestActivityEnvironment()
	beats := make(chan struct{}, 1)
	env.SetOnActivityHeartbeatListener(func(*activity.Info, converter.EncodedValues) {
		select {
		case beats <- struct{}{}:
		default:
		}
	})
	working := func(ctx context.Context) error {
		defer alive(ctx)()
		select {
		case <-beats:
			return nil
		case <-time.After(time.Minute):
			return context.DeadlineExceeded
		}
	}
	env.RegisterActivity(working)
	_, err := env.ExecuteActivity(working)
	require.NoError(t, err)
}
