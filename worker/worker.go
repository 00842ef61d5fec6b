package worker

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/worker"
	"golang.org/x/sync/errgroup"

	"github.com/relance/relance/activities"
	"github.com/relance/relance/workflows"
)

// Worker runs Relance's workflows and activities, and the dispatcher.
type Worker struct {
	Client     client.Client
	Namespace  string
	Activities *activities.Activities
	Dispatcher *Dispatcher
	Deployment Deployment
	Logger     *slog.Logger
}

const (
	// drainTimeout is how long running activities may go on after a stop was
	// asked for: a call to the provider and its settling.
	drainTimeout = 20 * time.Second
	// decideAtOnce bounds activities that ask the database, so that they do not
	// queue up in front of its connections.
	decideAtOnce = 32
	// sendAtOnce bounds sends under way. It is well above what campaigns have
	// admitted and unsent, two waves each, so that a slow provider cannot fill
	// every place with Message 1s before which an answer would have to wait.
	sendAtOnce = 1000
	// workflowsCached bounds the workflows that are kept in memory between their
	// tasks, at some 60 kB each. A contact sleeps for hours and its history is short:
	// it is played again in a millisecond. The SDK's own 10,000 took 700 MB, and 4,000
	// beside a campaign of 100,000 still 520.
	workflowsCached = 2500
)

var boundCache = sync.OnceFunc(func() { worker.SetStickyWorkflowCacheSize(workflowsCached) })

// Run works until the context ends, then drains. It waits for a Temporal that is
// away when it begins, as it does for one that goes away later.
func (w *Worker) Run(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return w.work(ctx) })
	group.Go(func() error {
		w.Dispatcher.Run(ctx)
		return nil
	})
	return group.Wait()
}

// awayRest is how long a worker waits before it asks for Temporal again.
const awayRest = 2 * time.Second

func (w *Worker) work(ctx context.Context) error {
	for {
		err := w.workOnce(ctx)
		if err == nil || ctx.Err() != nil {
			return nil
		}
		if !isAway(err) {
			return err
		}
		w.Logger.WarnContext(ctx, "Temporal does not answer; the worker asks again.", "error", err)
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(awayRest):
		}
	}
}

func isAway(err error) bool {
	var unavailable *serviceerror.Unavailable
	var late *serviceerror.DeadlineExceeded
	return errors.As(err, &unavailable) || errors.As(err, &late)
}

// workOnce fails only if the workers cannot be started.
func (w *Worker) workOnce(ctx context.Context) error {
	if err := EnsureSearchAttributes(ctx, w.Client, w.Namespace); err != nil {
		return err
	}
	boundCache() // before any worker of this process is made
	decide := worker.New(w.Client, workflows.TaskQueue, worker.Options{
		MaxConcurrentActivityExecutionSize: decideAtOnce,

		MaxConcurrentLocalActivityExecutionSize: decideAtOnce,

		WorkflowTaskPollerBehavior: polling(),
		ActivityTaskPollerBehavior: polling(),
		WorkerStopTimeout:          drainTimeout,
		DeploymentOptions:          w.Deployment.options(),
	})
	workflows.Register(decide)
	decide.RegisterActivity(w.Activities)

	send := worker.New(w.Client, workflows.SendTaskQueue, worker.Options{
		DisableWorkflowWorker:              true,
		MaxConcurrentActivityExecutionSize: sendAtOnce,
		ActivityTaskPollerBehavior:         polling(),
		WorkerStopTimeout:                  drainTimeout,
		DeploymentOptions:                  w.Deployment.options(),
	})
	send.RegisterActivity(w.Activities)

	group, ctx := errgroup.WithContext(ctx)
	for _, each := range []worker.Worker{decide, send} {
		group.Go(func() error { return runUntil(ctx, each) })
	}
	if w.Deployment.versioned() {
		group.Go(func() error {
			w.promoteFirst(ctx)
			return nil
		})
	}
	return group.Wait()
}

func runUntil(ctx context.Context, w worker.Worker) error {
	if err := w.Start(); err != nil {
		return fmt.Errorf("starting a worker: %w", err)
	}
	<-ctx.Done()
	w.Stop()
	return nil
}

func polling() worker.PollerBehavior {
	return worker.NewPollerBehaviorAutoscaling(worker.PollerBehaviorAutoscalingOptions{})
}
