// Package worker connects Relance to Temporal: the client that starts and wakes
// workflows, the workers that run them, and the dispatcher that repeats what
// was lost.
package worker

import (
	"context"
	"errors"
	"fmt"

	"github.com/google/uuid"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"

	"github.com/relance/relance/workflows"
)

// Engine starts and wakes workflows. Every method may be repeated.
type Engine struct {
	Client client.Client
}

// StartCampaign starts a campaign's workflow, unless it has been started.
func (e *Engine) StartCampaign(ctx context.Context, campaignID uuid.UUID) error {
	_, err := e.Client.ExecuteWorkflow(ctx, client.StartWorkflowOptions{
		ID:                       workflows.CampaignID(campaignID),
		TaskQueue:                workflows.TaskQueue,
		WorkflowIDConflictPolicy: enumspb.WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING,
		// A campaign whose first start came too late is started again. A needless
		// second run learns from the database that there is nothing left to do.
		WorkflowIDReusePolicy: enumspb.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE,
		StaticSummary:         "Campaign: waves of contacts, closed at the deadline",
		TypedSearchAttributes: temporal.NewSearchAttributes(workflows.CampaignIDKey.ValueSet(campaignID.String())),
	}, workflows.Campaign, workflows.CampaignInput{CampaignID: campaignID})
	if err != nil && !temporal.IsWorkflowExecutionAlreadyStartedError(err) {
		return fmt.Errorf("starting the campaign's workflow: %w", err)
	}
	return nil
}

// Wake makes a contact's workflow look at the database again. Should the
// workflow be gone while the database still owes the contact something, a new
// one takes over; there is nothing to do for a contact that is final.
func (e *Engine) Wake(ctx context.Context, campaignID, contactID uuid.UUID) error {
	return e.signal(ctx, workflows.ContactID(campaignID, contactID), workflows.InteractionSignal)
}

// signal is of no use to a workflow that has ended, and no failure then.
func (e *Engine) signal(ctx context.Context, workflowID, name string) error {
	err := e.Client.SignalWorkflow(ctx, workflowID, "", name, nil)
	var gone *serviceerror.NotFound
	if err != nil && !errors.As(err, &gone) {
		return fmt.Errorf("signalling %q to a workflow: %w", name, err)
	}
	return nil
}

// TellDecided makes a campaign's workflow look at what an admin has decided. A
// workflow that has ended needs to know no more.
func (e *Engine) TellDecided(ctx context.Context, campaignID uuid.UUID) error {
	return e.signal(ctx, workflows.CampaignID(campaignID), workflows.DecidedSignal)
}

// Revive starts a contact's workflow anew where it is gone, and wakes it where it is not.
func (e *Engine) Revive(ctx context.Context, campaignID, contactID uuid.UUID) error {
	id := workflows.ContactID(campaignID, contactID)
	_, err := e.Client.SignalWithStartWorkflow(ctx, id, workflows.InteractionSignal, nil, client.StartWorkflowOptions{
		ID:                    id,
		TaskQueue:             workflows.TaskQueue,
		WorkflowIDReusePolicy: enumspb.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE,
		StaticSummary:         "Revived: what the database still owes this contact",
		TypedSearchAttributes: temporal.NewSearchAttributes(workflows.CampaignIDKey.ValueSet(campaignID.String())),
	}, workflows.ContactV2, workflows.ContactInput{CampaignID: campaignID, ContactID: contactID})
	if err != nil {
		return fmt.Errorf("reviving a contact's workflow: %w", err)
	}
	return nil
}

// WakeWaiting wakes up to limit contacts of a campaign whose workflows still run.
func (e *Engine) WakeWaiting(ctx context.Context, campaignID uuid.UUID, limit int) error {
	listed, err := e.Client.ListWorkflow(ctx, &workflowservice.ListWorkflowExecutionsRequest{
		Query:    fmt.Sprintf("WorkflowId STARTS_WITH '%s' AND ExecutionStatus = 'Running'", workflows.ContactsOf(campaignID)),
		PageSize: int32(limit), //nolint:gosec // some hundred
	})
	if err != nil {
		return fmt.Errorf("listing a campaign's contacts: %w", err)
	}
	var errs []error
	for _, run := range listed.GetExecutions() {
		errs = append(errs, e.signal(ctx, run.GetExecution().GetWorkflowId(), workflows.InteractionSignal))
	}
	return errors.Join(errs...)
}

// CampaignEnded reports whether a campaign's newest workflow came to its own end.
func (e *Engine) CampaignEnded(ctx context.Context, campaignID uuid.UUID) (bool, error) {
	described, err := e.Client.DescribeWorkflowExecution(ctx, workflows.CampaignID(campaignID), "")
	var gone *serviceerror.NotFound
	if errors.As(err, &gone) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("asking what became of a campaign's workflow: %w", err)
	}
	return described.GetWorkflowExecutionInfo().GetStatus() == enumspb.WORKFLOW_EXECUTION_STATUS_COMPLETED, nil
}

// Terminate ends a workflow at once, if it runs.
func (e *Engine) Terminate(ctx context.Context, workflowID, why string) error {
	err := e.Client.TerminateWorkflow(ctx, workflowID, "", why)
	var gone *serviceerror.NotFound
	if err != nil && !errors.As(err, &gone) {
		return fmt.Errorf("terminating a workflow: %w", err)
	}
	return nil
}

// Park keeps a sealed webhook until the database is back. A repetition of one that
// is, or was, parked changes nothing.
func (e *Engine) Park(ctx context.Context, id string, sealed []byte) error {
	_, err := e.Client.ExecuteWorkflow(ctx, client.StartWorkflowOptions{
		ID:                       workflows.ParkedWebhookID(id),
		TaskQueue:                workflows.TaskQueue,
		WorkflowIDConflictPolicy: enumspb.WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING,
		WorkflowIDReusePolicy:    enumspb.WORKFLOW_ID_REUSE_POLICY_REJECT_DUPLICATE,
		StaticSummary:            "A webhook that came while the database was away",
	}, workflows.ParkedWebhook, sealed)
	if err != nil && !temporal.IsWorkflowExecutionAlreadyStartedError(err) {
		return fmt.Errorf("starting a parked webhook's workflow: %w", err)
	}
	return nil
}

// Healthy reports whether Temporal answers.
func (e *Engine) Healthy(ctx context.Context) error {
	if _, err := e.Client.CheckHealth(ctx, &client.CheckHealthRequest{}); err != nil {
		return fmt.Errorf("asking Temporal: %w", err)
	}
	return nil
}
