package bench

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"
)

const (
	floorQueue     = "floor"
	floorSendQueue = "floor-send"
	floorSignal    = "go"
)

// noOps are workflows and activities that only note when they were run.
type noOps struct {
	begun atomic.Int64
	ran   [][2]time.Time // by workflow and activity
}

// Workflow waits for a signal and runs two activities.
func (n *noOps) Workflow(ctx workflow.Context, number int) error {
	if !workflow.IsReplaying(ctx) {
		n.begun.Add(1)
	}
	workflow.GetSignalChannel(ctx, floorSignal).Receive(ctx, nil)
	for activity := range n.ran[number] {
		if err := workflow.ExecuteActivity(remotely(ctx), n.Note, number, activity).Get(ctx, nil); err != nil {
			return err
		}
	}
	return nil
}

// Note notes that an activity was run.
func (n *noOps) Note(_ context.Context, number, activity int) error {
	n.ran[number][activity] = time.Now()
	return nil
}

func (n *noOps) allBegun() error {
	if begun := int(n.begun.Load()); begun < len(n.ran) {
		return fmt.Errorf("%d of %d have", begun, len(n.ran))
	}
	return nil
}

// remotely has an activity run as Relance's sends are.
func remotely(ctx workflow.Context) workflow.Context {
	return workflow.WithActivityOptions(ctx, workflow.ActivityOptions{TaskQueue: floorSendQueue, StartToCloseTimeout: 45 * time.Second})
}

// startWorkers starts one worker for workflows and one for activities, with the
// options of those in worker.Worker, and returns what stops them.
func (s *servers) startWorkers(c client.Client, workflows, activities []any) (stop func()) {
	s.b.Helper()
	polling := worker.NewPollerBehaviorAutoscaling(worker.PollerBehaviorAutoscalingOptions{})
	decide := worker.New(c, floorQueue, worker.Options{
		MaxConcurrentActivityExecutionSize: 32, MaxConcurrentLocalActivityExecutionSize: 32,
		WorkflowTaskPollerBehavior: polling, ActivityTaskPollerBehavior: polling,
	})
	send := worker.New(c, floorSendQueue, worker.Options{
		DisableWorkflowWorker: true, MaxConcurrentActivityExecutionSize: 1000, ActivityTaskPollerBehavior: polling,
	})
	for _, w := range workflows {
		decide.RegisterWorkflow(w)
	}
	for _, each := range []worker.Worker{decide, send} {
		for _, activity := range activities {
			each.RegisterActivity(activity)
		}
		require.NoError(s.b, each.Start())
	}
	return func() {
		decide.Stop()
		send.Stop()
	}
}
