package workflows

import (
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/relance/relance/activities"
	"github.com/relance/relance/campaign"
)

// Priorities on the task queues, 1 first. A contact who has just answered is
// never held up behind Message 1s.
const (
	urgentPriority = 1
	normalPriority = 3
)

// deciding is for activities that only ask the database: short, and repeated
// for as long as the database is away.
func deciding(ctx workflow.Context, summary string) workflow.Context {
	return workflow.WithActivityOptions(ctx, workflow.ActivityOptions{
		StartToCloseTimeout: 30 * time.Second,
		RetryPolicy: &temporal.RetryPolicy{
			InitialInterval: 200 * time.Millisecond, BackoffCoefficient: 2, MaximumInterval: 10 * time.Second,
		},
		WaitForCancellation: true,
		Summary:             summary,
	})
}

// asking is for one quick question to the database within the workflow task,
// where it costs one event and no round trips. Who gets no answer asks again by
// other means: nothing is repeated here.
func asking(ctx workflow.Context, summary string) workflow.Context {
	return workflow.WithLocalActivityOptions(ctx, workflow.LocalActivityOptions{
		ScheduleToCloseTimeout: 4 * time.Second, // a workflow task has ten
		RetryPolicy:            &temporal.RetryPolicy{MaximumAttempts: 1},
		Summary:                summary,
	})
}

// ahead is for sending a wave's Message 1s at once, which is tried once: whatever
// it leaves undone, the contacts do.
func ahead(ctx workflow.Context) workflow.Context {
	return workflow.WithActivityOptions(ctx, workflow.ActivityOptions{
		TaskQueue:              SendTaskQueue,
		StartToCloseTimeout:    activities.AheadTimeout,
		ScheduleToCloseTimeout: 2 * activities.AheadTimeout,
		RetryPolicy:            &temporal.RetryPolicy{MaximumAttempts: 1},
		Summary:                "Send Message 1 to all, as far as it goes at once",
		Priority:               temporal.Priority{PriorityKey: normalPriority},
	})
}

// deciding on many rows at once takes longer than deciding on one.
const bulkTimeout = 10 * time.Minute

// decidingInBulk is for activities whose one transaction concerns a whole campaign.
// Their process shows that it is alive: nobody waits ten minutes for one that is not.
func decidingInBulk(ctx workflow.Context, summary string) workflow.Context {
	ctx = workflow.WithHeartbeatTimeout(deciding(ctx, summary), activities.HeartbeatTimeout)
	return workflow.WithStartToCloseTimeout(ctx, bulkTimeout)
}

// sending is for the activity that calls the provider. The database counts
// attempts, so Temporal may repeat it without limit; the error says after how
// long. Its timeout leaves room for the provider's own and for settling.
func sending(ctx workflow.Context, message campaign.MessageType) workflow.Context {
	options := workflow.ActivityOptions{
		TaskQueue:           SendTaskQueue,
		StartToCloseTimeout: 45 * time.Second,
		HeartbeatTimeout:    activities.SendHeartbeatTimeout,
		RetryPolicy: &temporal.RetryPolicy{
			InitialInterval: time.Second, BackoffCoefficient: 2, MaximumInterval: 30 * time.Second,
		},
		WaitForCancellation: true,
		Summary:             "Send Message 1",
		Priority:            temporal.Priority{PriorityKey: normalPriority},
	}
	if message == campaign.Message2 {
		options.Summary = "Send Message 2"
		options.Priority = temporal.Priority{PriorityKey: urgentPriority}
	}
	return workflow.WithActivityOptions(ctx, options)
}

// child is for waves and contacts. They outlive their parent: a campaign closes
// at its deadline while a contact whose window is still open lives on.
func child(ctx workflow.Context, id, summary string, attributes ...temporal.SearchAttributeUpdate) workflow.Context {
	return workflow.WithChildOptions(ctx, workflow.ChildWorkflowOptions{
		WorkflowID:            id,
		ParentClosePolicy:     enumspb.PARENT_CLOSE_POLICY_ABANDON,
		WaitForCancellation:   true,
		StaticSummary:         summary,
		TypedSearchAttributes: temporal.NewSearchAttributes(attributes...),
	})
}
