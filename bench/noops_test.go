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
	ctx = workflow.WithActivityOptions(ctx, workflow.ActivityOptions{TaskQueue: floorSendQueue, StartToCloseTimeout: 45 * time.Second})
	for activity := range n.ran[number] {
		if err := workflow.ExecuteActivity(ctx, n.Note, number, activity).Get(ctx, nil); err != nil {
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

// startWorkers starts one worker for workflows and one for activities, with the
// options of those in worker.Worker.
func (n *noOps) startWorkers(s *servers, c client.Client) (stop func()) {
	s.b.Helper()
	polling := worker.NewPollerBehaviorAutoscaling(worker.PollerBehaviorAutoscalingOptions{})
	decide := worker.New(c, floorQueue, worker.Options{
		MaxConcurrentActivityExecutionSize: 32, WorkflowTaskPollerBehavior: polling, ActivityTaskPollerBehavior: polling,
	})
	decide.RegisterWorkflow(n.Workflow)
	decide.RegisterActivity(n.Note)
	send := worker.New(c, floorSendQueue, worker.Options{
		DisableWorkflowWorker: true, MaxConcurrentActivityExecutionSize: 1000, ActivityTaskPollerBehavior: polling,
	})
	send.RegisterActivity(n.Note)
	require.NoError(s.b, decide.Start())
	require.NoError(s.b, send.Start())
	return func() {
		decide.Stop()
		send.Stop()
	}
}
