package worker_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/client"
	tlog "go.temporal.io/sdk/log"

	"github.com/relance/relance/wassenger/simulator"
	"github.com/relance/relance/worker"
)

func TestTemporalTellsHowManyWorkersPoll(t *testing.T) {
	t.Parallel()
	r := start(t, shrunk(), func(*simulator.Config) {})
	polling, lastSeen, err := r.engine.Workers(t.Context())
	require.NoError(t, err)
	require.Zero(t, polling)
	require.True(t, lastSeen.IsZero(), "nobody was ever there")

	seen := func(workers int) {
		t.Helper()
		require.EventuallyWithT(t, func(c *assert.CollectT) {
			polling, lastSeen, err := r.engine.Workers(t.Context())
			require.NoError(c, err)
			require.Equal(c, workers, polling)
			require.WithinDuration(c, time.Now(), lastSeen, pollLasts)
		}, patience, 50*time.Millisecond)
	}
	r.startWorker()
	seen(1)
	second := r.worker()
	second.Client = r.client("another-process")
	r.background("the second worker", second.Run)
	seen(2)
}

func TestWorkersOfAVersionedDeploymentAreSeenToo(t *testing.T) {
	t.Parallel()
	r := start(t, shrunk(), func(*simulator.Config) {})
	r.startBuild(worker.Deployment{Name: "relance", BuildID: "a"})
	require.EventuallyWithT(t, func(c *assert.CollectT) {
		polling, _, err := r.engine.Workers(t.Context())
		require.NoError(c, err)
		require.Equal(c, 1, polling)
	}, patience, 50*time.Millisecond)
}

func TestATemporalThatIsAwayIsSaidToBe(t *testing.T) {
	t.Parallel()
	c, err := client.NewLazyClient(client.Options{HostPort: "127.0.0.1:1", Logger: tlog.NewStructuredLogger(mute)})
	require.NoError(t, err)
	defer c.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
	defer cancel()
	began := time.Now()
	_, _, err = (&worker.Engine{Client: c}).Workers(ctx)
	require.Error(t, err)
	require.Less(t, time.Since(began), 5*time.Second)
}

// pollLasts is how long ago a worker that polls can have been heard of.
const pollLasts = 70 * time.Second
