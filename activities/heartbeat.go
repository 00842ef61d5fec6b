package activities

import (
	"context"
	"time"

	"go.temporal.io/sdk/activity"
)

const (
	// heartbeatEvery is how often an activity that may take minutes shows that its
	// process is alive,
	heartbeatEvery = 5 * time.Second
	// and HeartbeatTimeout how long Temporal waits for that before it gives the
	// activity to another.
	HeartbeatTimeout = 30 * time.Second
	// SendHeartbeatTimeout is the same of a message, which somebody waits for: a worker
	// that was killed, or a task that never reached one, holds it up for so long.
	SendHeartbeatTimeout = 3 * heartbeatEvery
)

// alive shows that an activity is worked on until its end is told.
func alive(ctx context.Context) (ended func()) {
	if !activity.IsActivity(ctx) {
		return func() {}
	}
	ctx, cancel := context.WithCancel(ctx)
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		tick := time.NewTicker(heartbeatEvery)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
				activity.RecordHeartbeat(ctx)
			}
		}
	}()
	return func() {
		cancel()
		<-stopped
	}
}
