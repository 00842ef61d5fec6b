package proof

import (
	"context"
	"errors"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/interceptor"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/relance/relance/workflows"
)

// server stands in for what lives in a Temporal server beside the campaign: it
// starts workflows and outlives them all.
func server(ctx workflow.Context, id uuid.UUID, lifetime time.Duration) error {
	start := func(ctx workflow.Context, id string, child, in any) workflow.ChildWorkflowFuture {
		return workflow.ExecuteChildWorkflow(workflow.WithChildOptions(ctx, workflow.ChildWorkflowOptions{
			WorkflowID: id, TaskQueue: workflows.TaskQueue, ParentClosePolicy: enumspb.PARENT_CLOSE_POLICY_ABANDON,
		}), child, in)
	}
	start(ctx, workflows.CampaignID(id), workflows.Campaign, workflows.CampaignInput{CampaignID: id})
	workflow.Go(ctx, func(ctx workflow.Context) {
		for {
			var gone workflows.ContactInput
			workflow.GetSignalChannel(ctx, reviveSignal).Receive(ctx, &gone)
			start(ctx, workflows.ContactID(gone.CampaignID, gone.ContactID), workflows.ContactV2, gone)
		}
	})
	return workflow.Sleep(ctx, lifetime)
}

const reviveSignal = "revive"

var errLost = errors.New("the wake-up is lost")

// Wake signals a contact's workflow, as [worker.Engine] does. Activities call it
// from goroutines of their own, so the environment's has to do it.
func (r *run) Wake(_ context.Context, campaignID, contactID uuid.UUID) error {
	if r.losing {
		return errLost
	}
	r.env.RegisterDelayedCallback(func() { r.signal(workflows.ContactID(campaignID, contactID)) }, 0)
	return nil
}

// signal reports whether there was anybody to hear it. The environment panics
// when it signals a workflow that has been started and has not begun to run;
// that one is about to look at the database anyway.
func (r *run) signal(contactWorkflow string) bool {
	return r.begun[contactWorkflow] && r.env.SignalWorkflowByID(contactWorkflow, workflows.InteractionSignal, nil) == nil
}

// tellFinal tells the campaign that everyone is final, as the dispatcher does.
func (r *run) tellFinal() {
	open, err := r.store.OpenWithoutNeed(r.Context(), 1000*time.Hour, 1)
	require.NoError(r, err)
	if len(open) > 0 {
		r.env.RegisterDelayedCallback(func() {
			_ = r.env.SignalWorkflowByID(workflows.CampaignID(r.campaign), workflows.DecidedSignal, nil)
		}, 0)
	}
}

// Revive starts a contact's workflow anew where it is gone.
func (r *run) Revive(_ context.Context, campaignID, contactID uuid.UUID) error {
	r.env.RegisterDelayedCallback(func() {
		if !r.signal(workflows.ContactID(campaignID, contactID)) {
			r.env.SignalWorkflow(reviveSignal, workflows.ContactInput{CampaignID: campaignID, ContactID: contactID})
		}
	}, 0)
	return nil
}

// Park is never needed: the database is always there.
func (r *run) Park(context.Context, string, []byte) error {
	return errors.New("nothing is parked here")
}

func (c *conductor) InterceptWorkflow(_ workflow.Context, next interceptor.WorkflowInboundInterceptor) interceptor.WorkflowInboundInterceptor {
	return &patience{interceptor.WorkflowInboundInterceptorBase{Next: next}, c.r}
}

// patience lets activities be repeated without limit, as a server does; the test
// environment would give up after ten attempts.
type patience struct {
	interceptor.WorkflowInboundInterceptorBase
	r *run
}

func (p *patience) ExecuteWorkflow(ctx workflow.Context, in *interceptor.ExecuteWorkflowInput) (any, error) {
	p.r.begun[workflow.GetInfo(ctx).WorkflowExecution.ID] = true
	return p.Next.ExecuteWorkflow(ctx, in)
}

func (p *patience) Init(outbound interceptor.WorkflowOutboundInterceptor) error {
	return p.Next.Init(&patientOutbound{interceptor.WorkflowOutboundInterceptorBase{Next: outbound}})
}

type patientOutbound struct {
	interceptor.WorkflowOutboundInterceptorBase
}

func (p *patientOutbound) ExecuteActivity(ctx workflow.Context, name string, args ...any) workflow.Future {
	options := workflow.GetActivityOptions(ctx)
	retry := temporal.RetryPolicy{}
	if options.RetryPolicy != nil {
		retry = *options.RetryPolicy
	}
	if retry.MaximumAttempts == 0 {
		retry.MaximumAttempts = 1_000_000
	}
	return p.Next.ExecuteActivity(workflow.WithRetryPolicy(ctx, retry), name, args...)
}
