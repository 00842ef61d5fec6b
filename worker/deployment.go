package worker

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"
)

// Deployment names the build that a worker runs, for Temporal's Worker Deployment
// Versioning: a run stays with the build that it began with, so a new build need
// not be able to go on where an old one stands. All runs end within 72 hours;
// for that long the old build's workers are kept beside the new one's.
//
// The zero value means no versioning: any worker takes any task.
type Deployment struct {
	Name    string
	BuildID string
}

func (d Deployment) versioned() bool { return d.Name != "" }

func (d Deployment) options() worker.DeploymentOptions {
	if !d.versioned() {
		return worker.DeploymentOptions{}
	}
	return worker.DeploymentOptions{
		UseVersioning:             true,
		Version:                   worker.WorkerDeploymentVersion{DeploymentName: d.Name, BuildID: d.BuildID},
		DefaultVersioningBehavior: workflow.VersioningBehaviorPinned,
	}
}

// Promote makes this build's workers, which must be running, take everything that
// begins from now on. What runs stays with its build.
func (d Deployment) Promote(ctx context.Context, c client.Client) error {
	_, err := c.WorkerDeploymentClient().GetHandle(d.Name).SetCurrentVersion(ctx, client.WorkerDeploymentSetCurrentVersionOptions{BuildID: d.BuildID})
	if err != nil {
		return fmt.Errorf("promoting build %s of deployment %s: %w", d.BuildID, d.Name, err)
	}
	return nil
}

// hasCurrent tells whether any build of the deployment takes what begins.
func (d Deployment) hasCurrent(ctx context.Context, c client.Client) (bool, error) {
	described, err := c.WorkerDeploymentClient().GetHandle(d.Name).Describe(ctx, client.WorkerDeploymentDescribeOptions{})
	var unknown *serviceerror.NotFound
	if errors.As(err, &unknown) {
		return false, nil // its first worker has only just begun to poll
	}
	if err != nil {
		return false, fmt.Errorf("asking for the current build of deployment %s: %w", d.Name, err)
	}
	return described.Info.RoutingConfig.CurrentVersion != nil, nil
}

// promoteFirst promotes the first build that a deployment ever has: without a
// current one nothing would run. Later builds wait for an operator's word.
func (w *Worker) promoteFirst(ctx context.Context) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		has, err := w.Deployment.hasCurrent(ctx, w.Client)
		if err == nil && !has {
			err = w.Deployment.Promote(ctx, w.Client)
			has = err == nil
		}
		if has || ctx.Err() != nil {
			return
		}
		if err != nil { // pollers are seen after a moment only
			w.Logger.DebugContext(ctx, "The deployment has no current build yet.", "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}
