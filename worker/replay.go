package worker

import (
	"context"
	"fmt"
	"log/slog"
	"slices"

	enumspb "go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	tlog "go.temporal.io/sdk/log"
	"go.temporal.io/sdk/worker"

	"github.com/relance/relance/workflows"
)

// NewReplayer makes a replayer that knows every workflow of this build and reads
// what the codec, which may be nil, can.
func NewReplayer(codec *Codec) (worker.WorkflowReplayer, error) {
	data, failures := codec.converters()
	replayer, err := worker.NewWorkflowReplayerWithOptions(worker.WorkflowReplayerOptions{DataConverter: data, FailureConverter: failures})
	if err != nil {
		return nil, fmt.Errorf("preparing to replay: %w", err)
	}
	workflows.Register(replayer)
	return replayer, nil
}

// Replayed is one run whose history this build has run again.
type Replayed struct {
	WorkflowID string
	RunID      string
	Type       string
	// Err says why this build cannot go on where the run stands; nil if it can.
	Err error
}

// Replay runs the histories of the workflows that a server runs now again with
// this build, one after the other, and tells of each. It changes nothing on the
// server. A run that ended while it was being downloaded is replayed all the
// same. An error means that not all could be looked at.
func Replay(ctx context.Context, c client.Client, namespace string, codec *Codec, tell func(Replayed)) error {
	replayer, err := NewReplayer(codec)
	if err != nil {
		return err
	}
	query := fmt.Sprintf("TaskQueue = '%s' AND ExecutionStatus = 'Running'", workflows.TaskQueue)
	var page []byte
	for {
		listed, err := c.ListWorkflow(ctx, &workflowservice.ListWorkflowExecutionsRequest{
			Namespace: namespace, Query: query, PageSize: 500, NextPageToken: page,
		})
		if err != nil {
			return fmt.Errorf("listing the running workflows: %w", err)
		}
		for _, run := range listed.GetExecutions() {
			id := run.GetExecution()
			history, err := download(ctx, c, id.GetWorkflowId(), id.GetRunId())
			if err != nil {
				return fmt.Errorf("downloading the history of %s: %w", id.GetWorkflowId(), err)
			}
			replayed := Replayed{WorkflowID: id.GetWorkflowId(), RunID: id.GetRunId(), Type: run.GetType().GetName()}
			if hasBegun(history) {
				replayed.Err = replayer.ReplayWorkflowHistory(tlog.NewStructuredLogger(slog.New(slog.DiscardHandler)), history)
			}
			tell(replayed)
		}
		if page = listed.GetNextPageToken(); len(page) == 0 {
			return nil
		}
	}
}

// hasBegun tells whether a workflow has decided anything yet that a build could
// disagree with.
func hasBegun(history *historypb.History) bool {
	return slices.ContainsFunc(history.GetEvents(), func(event *historypb.HistoryEvent) bool {
		return event.GetEventType() == enumspb.EVENT_TYPE_WORKFLOW_TASK_COMPLETED
	})
}

func download(ctx context.Context, c client.Client, workflowID, runID string) (*historypb.History, error) {
	var history historypb.History
	events := c.GetWorkflowHistory(ctx, workflowID, runID, false, enumspb.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
	for events.HasNext() {
		event, err := events.Next()
		if err != nil {
			return nil, err
		}
		history.Events = append(history.Events, event)
	}
	return &history, nil
}
