package devstack

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	namespacepb "go.temporal.io/api/namespace/v1"
	"go.temporal.io/api/serviceerror"
	taskqueuepb "go.temporal.io/api/taskqueue/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/log"
	"google.golang.org/protobuf/types/known/durationpb"
)

// awaitReady waits until every part of the server answers, or it has ended.
func (t *Temporal) awaitReady(ctx context.Context) error {
	connection, err := client.NewLazyClient(client.Options{
		HostPort:  t.Address(),
		Namespace: t.opts.Namespace,
		Logger:    log.NewStructuredLogger(slog.New(slog.DiscardHandler)),
	})
	if err != nil {
		return err
	}
	defer connection.Close()
	for {
		err := t.probe(ctx, connection)
		if err == nil {
			return nil
		}
		select {
		case <-t.child.done:
			return t.child.ended()
		case <-ctx.Done():
			if !t.child.running() {
				return t.child.ended()
			}
			return fmt.Errorf("%w; last answer: %w", ctx.Err(), err)
		case <-time.After(25 * time.Millisecond):
		}
	}
}

// probe asks each part of the server once: the front end, the namespace, history
// (which has to own its shard), matching, and the Web UI.
func (t *Temporal) probe(ctx context.Context, connection client.Client) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	if _, err := connection.CheckHealth(ctx, &client.CheckHealthRequest{}); err != nil {
		return err
	}
	service, namespace := connection.WorkflowService(), t.opts.Namespace
	if _, err := service.UpdateNamespace(ctx, &workflowservice.UpdateNamespaceRequest{
		Namespace: namespace,
		Config:    &namespacepb.NamespaceConfig{WorkflowExecutionRetentionTtl: durationpb.New(t.opts.Retention)},
	}); err != nil {
		return fmt.Errorf("namespace %s: %w", namespace, err)
	}
	var absent *serviceerror.NotFound
	if _, err := connection.DescribeWorkflowExecution(ctx, "relance-ready", ""); !errors.As(err, &absent) {
		return fmt.Errorf("history: %w", err)
	}
	if _, err := service.DescribeTaskQueue(ctx, &workflowservice.DescribeTaskQueueRequest{
		Namespace:     namespace,
		TaskQueue:     &taskqueuepb.TaskQueue{Name: "relance-ready"},
		TaskQueueType: enumspb.TASK_QUEUE_TYPE_WORKFLOW,
	}); err != nil {
		return fmt.Errorf("matching: %w", err)
	}
	if t.opts.UIPort < 0 {
		return nil
	}
	ui, err := (&net.Dialer{}).DialContext(ctx, "tcp", address(t.uiPort))
	if err != nil {
		return fmt.Errorf("web UI: %w", err)
	}
	return ui.Close()
}
