package testenv

import (
	"context"
	"os"
	"testing"

	"github.com/relance/relance/devstack"
)

// Temporal returns the server that the tests of this process share: in memory,
// without a Web UI. Tests keep apart by task queues and workflow ids of their own.
// A test that kills or pauses a server starts its own with devstack.StartTemporal.
func Temporal(t testing.TB) *devstack.Temporal {
	t.Helper()
	server, err := temporal()
	return must(t, server, err)
}

func startTemporal() (*devstack.Temporal, error) {
	if _, err := folder(); err != nil {
		return nil, err
	}
	ctx, cancel := startTimeout()
	defer cancel()
	server, err := devstack.StartTemporal(ctx, devstack.TemporalOptions{
		UIPort: -1,
		// Several test binaries run at once on a small machine.
		MemoryLimit: "768MiB",
	})
	if err != nil {
		return nil, err
	}
	onShutdown(func(ctx context.Context) error {
		// It has nothing to save, and stopping in good order takes seconds.
		if err := server.Signal(os.Kill); err != nil {
			return err
		}
		return server.Stop(ctx)
	})
	return server, nil
}
