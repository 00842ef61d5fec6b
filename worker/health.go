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

// Polled is a task queue and who asks it for work.
type Polled struct {
	Queue string
	// Kind is what is asked for: Workflow or Activity.
	Kind string
	// Processes are the worker processes that asked within the last two minutes.
	Processes int
	// LastSeen is when Temporal last heard of one, zero if it remembers none.
	LastSeen time.Time
}

// Queues asks Temporal who polls each of the queues that Relance lives on. An error
// means that Temporal could not be asked.
func (e *Engine) Queues(ctx context.Context) ([]Polled, error) {
	polled := make([]Polled, len(queues))
	group, ctx := errgroup.WithContext(ctx)
	for i, queue := range queues {
		polled[i] = Polled{Queue: queue.name, Kind: queue.kind.String()}
		group.Go(func() (err error) {
			polled[i].Processes, polled[i].LastSeen, err = e.pollers(ctx, queue.name, queue.kind)
			return err
		})
	}
	return polled, group.Wait()
}

// Workers asks Temporal how many workers poll for tasks, and when the last of
// them was heard of. Of several queues the one with the fewest counts: each is
// needed. An error means that Temporal could not be asked.
func (e *Engine) Workers(ctx context.Context) (polling int, lastSeen time.Time, err error) {
	polled, err := e.Queues(ctx)
	if err != nil {
		return 0, time.Time{}, err
	}
	polling, lastSeen = polled[0].Processes, polled[0].LastSeen
	for _, queue := range polled {
		polling = min(polling, queue.Processes)
		if queue.LastSeen.Before(lastSeen) {
			lastSeen = queue.LastSeen
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
