package worker

import (
	"context"
	"fmt"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"golang.org/x/sync/errgroup"

	"github.com/relance/relance/workflows"
)

// pollingWithin is how recently a worker must have asked for tasks to count as
// polling. A poll lasts up to a minute, and its worker is heard of when it begins.
const pollingWithin = 2 * time.Minute

// queues are what every worker polls.
var queues = []struct {
	name string
	kind enumspb.TaskQueueType
}{
	{workflows.TaskQueue, enumspb.TASK_QUEUE_TYPE_WORKFLOW},
	{workflows.TaskQueue, enumspb.TASK_QUEUE_TYPE_ACTIVITY},
	{workflows.SendTaskQueue, enumspb.TASK_QUEUE_TYPE_ACTIVITY},
}

// Workers asks Temporal how many workers poll for tasks, and when the last of
// them was heard of. Of several queues the one with the fewest counts: each is
// needed. An error means that Temporal could not be asked.
func (e *Engine) Workers(ctx context.Context) (polling int, lastSeen time.Time, err error) {
	counts, seen := make([]int, len(queues)), make([]time.Time, len(queues))
	group, ctx := errgroup.WithContext(ctx)
	for i, queue := range queues {
		group.Go(func() (err error) {
			counts[i], seen[i], err = e.pollers(ctx, queue.name, queue.kind)
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return 0, time.Time{}, err
	}
	polling, lastSeen = counts[0], seen[0]
	for i := range queues {
		polling = min(polling, counts[i])
		if seen[i].Before(lastSeen) {
			lastSeen = seen[i]
		}
	}
	return polling, lastSeen, nil
}

// pollers counts the processes that poll one queue.
func (e *Engine) pollers(ctx context.Context, queue string, kind enumspb.TaskQueueType) (int, time.Time, error) {
	described, err := e.Client.DescribeTaskQueue(ctx, queue, kind)
	if err != nil {
		return 0, time.Time{}, fmt.Errorf("asking Temporal who polls %s: %w", queue, err)
	}
	var lastSeen time.Time
	processes := map[string]bool{}
	for _, poller := range described.GetPollers() {
		at := poller.GetLastAccessTime().AsTime()
		if time.Since(at) < pollingWithin {
			processes[poller.GetIdentity()] = true
		}
		if at.After(lastSeen) {
			lastSeen = at
		}
	}
	return len(processes), lastSeen, nil
}
