package reconcile

import (
	"context"
	"fmt"
	"strings"

	"github.com/google/uuid"
	"go.temporal.io/api/workflowservice/v1"
	"golang.org/x/sync/errgroup"
	"golang.org/x/time/rate"

	"github.com/relance/relance/campaign"
	"github.com/relance/relance/store"
	"github.com/relance/relance/worker"
	"github.com/relance/relance/workflows"
)

const (
	// recipientPage and listPage bound what is held of a table and of a list at once,
	recipientPage = 1000
	listPage      = 1000
	// and startAtOnce how many starts are under way.
	startAtOnce = 16
)

// temporal compares what runs with what should. Whoever has a workflow is left
// alone, so what was interrupted goes on where it was.
func (r *Reconciler) temporal(ctx context.Context, report *Report) error {
	report.Temporal = &Temporal{}
	t := temporalRun{Reconciler: r, found: report.Temporal, limit: rate.NewLimiter(rate.Limit(r.Rate), startAtOnce)}
	err := t.run(ctx)
	switch {
	case err != nil:
		report.Remains = append(report.Remains, "Temporal could not be asked, or did not do, everything: run this again when it answers")
	case !r.Apply && len(t.found.Strange)+t.found.missing() > 0:
		report.Remains = append(report.Remains, "workflows to be started or terminated: run this with --apply")
	}
	return err
}

type temporalRun struct {
	*Reconciler
	found *Temporal
	limit *rate.Limiter
}

func (t *temporalRun) run(ctx context.Context) error {
	if t.Apply {
		if err := worker.EnsureSearchAttributes(ctx, t.Engine.Client, t.Namespace); err != nil {
			return fmt.Errorf("%w (a namespace that is gone is made by `relance temporal setup`)", err)
		}
	}
	// Temporal first, then the database: a campaign is stored before it is started.
	running := map[uuid.UUID]bool{}
	if err := t.list(ctx, "WorkflowType = 'Campaign'", func(workflowID string) {
		if id, err := uuid.Parse(strings.TrimPrefix(workflowID, workflows.CampaignPrefix)); err == nil {
			running[id] = true
		}
	}); err != nil {
		return err
	}
	if err := t.terminateStrange(ctx, running); err != nil {
		return err
	}
	for _, state := range revived {
		if err := t.revive(ctx, state); err != nil {
			return err
		}
		if state != campaign.Replied {
			continue
		}
		// Answers first, then whom nobody has been sent anything.
		if err := t.startCampaigns(ctx, running); err != nil {
			return err
		}
	}
	return nil
}

// terminateStrange ends the workflows of campaigns that the database does not have.
func (t *temporalRun) terminateStrange(ctx context.Context, running map[uuid.UUID]bool) error {
	var ids []uuid.UUID
	for id := range running {
		ids = append(ids, id)
	}
	var err error
	if t.found.Strange, err = t.Store.NotLaunched(ctx, ids); err != nil || !t.Apply {
		return err
	}
	for _, id := range t.found.Strange {
		t.tell(fmt.Sprintf("Terminating the workflows of campaign %s, which is not in the database.", id))
		var theirs []string
		if err := t.list(ctx, fmt.Sprintf("CampaignId = '%s'", id), func(workflowID string) { theirs = append(theirs, workflowID) }); err != nil {
			return err
		}
		if err := each(ctx, t, theirs, func(ctx context.Context, workflowID string) error {
			return t.Engine.Terminate(ctx, workflowID, "The database that was restored does not have this campaign.")
		}); err != nil {
			return err
		}
		t.found.Terminated += len(theirs)
	}
	return nil
}

// endedSince is why a campaign is paused that had been cancelled, or had come to its
// end, after the moment that the database was restored to.
const endedSince = "The campaign had ended when an older database was restored. Resume it if it should go on, cancel it if not."

// startCampaigns starts those that should run and do not.
func (t *temporalRun) startCampaigns(ctx context.Context, running map[uuid.UUID]bool) error {
	alive, err := t.Store.Alive(ctx)
	if err != nil {
		return err
	}
	var missing []uuid.UUID
	for _, id := range alive {
		if !running[id] {
			missing = append(missing, id)
		}
	}
	t.found.Campaigns = len(missing)
	for _, id := range missing {
		ended, err := t.Engine.CampaignEnded(ctx, id)
		if err != nil {
			return err
		}
		if !ended {
			continue
		}
		t.found.Ended = append(t.found.Ended, id)
		if t.Apply {
			if err := t.Store.Pause(ctx, id, endedSince); err != nil {
				return err
			}
		}
	}
	if !t.Apply {
		return nil
	}
	if err := each(ctx, t, missing, func(ctx context.Context, id uuid.UUID) error {
		if err := t.Engine.StartCampaign(ctx, id); err != nil {
			return err
		}
		return t.Engine.TellDecided(ctx, id) // its contacts may have been held up
	}); err != nil {
		return err
	}
	t.found.Started += len(missing)
	return nil
}

// revive starts the workflows of contacts in a state that have none.
func (t *temporalRun) revive(ctx context.Context, state campaign.RecipientState) error {
	var behind store.Recipient
	var listed uuid.UUID
	var running map[uuid.UUID]struct{} // the contacts of that campaign
	for {
		page, err := t.Store.InState(ctx, state, behind, recipientPage)
		if err != nil || len(page) == 0 {
			return err
		}
		behind = page[len(page)-1]
		var missing []store.Recipient
		for _, recipient := range page {
			if recipient.CampaignID != listed {
				listed = recipient.CampaignID
				if running, err = t.contactsOf(ctx, listed); err != nil {
					return err
				}
			}
			if _, runs := running[recipient.ContactID]; !runs {
				missing = append(missing, recipient)
			}
		}
		t.count(state, len(missing))
		if !t.Apply || len(missing) == 0 {
			continue
		}
		if err := each(ctx, t, missing, func(ctx context.Context, recipient store.Recipient) error {
			return t.Engine.Revive(ctx, recipient.CampaignID, recipient.ContactID)
		}); err != nil {
			return err
		}
		t.found.Started += len(missing)
		t.tell(fmt.Sprintf("%d workflows started.", t.found.Started))
	}
}

func (t *temporalRun) count(state campaign.RecipientState, missing int) {
	switch state {
	case campaign.Replied:
		t.found.Answers += missing
	case campaign.Admitted:
		t.found.Admitted += missing
	default:
		t.found.Waiting += missing
	}
}

func (t *temporalRun) contactsOf(ctx context.Context, campaignID uuid.UUID) (map[uuid.UUID]struct{}, error) {
	contacts, prefix := map[uuid.UUID]struct{}{}, workflows.ContactsOf(campaignID)
	err := t.list(ctx, fmt.Sprintf("WorkflowId STARTS_WITH '%s'", prefix), func(workflowID string) {
		if id, err := uuid.Parse(strings.TrimPrefix(workflowID, prefix)); err == nil {
			contacts[id] = struct{}{}
		}
	})
	return contacts, err
}

// list tells of every running workflow that the query finds.
func (t *temporalRun) list(ctx context.Context, query string, tell func(workflowID string)) error {
	var next []byte
	for {
		listed, err := t.Engine.Client.ListWorkflow(ctx, &workflowservice.ListWorkflowExecutionsRequest{
			Namespace: t.Namespace, Query: query + " AND ExecutionStatus = 'Running'", PageSize: listPage, NextPageToken: next,
		})
		if err != nil {
			return fmt.Errorf("listing what Temporal runs: %w", err)
		}
		for _, run := range listed.GetExecutions() {
			tell(run.GetExecution().GetWorkflowId())
		}
		if next = listed.GetNextPageToken(); len(next) == 0 {
			return nil
		}
	}
}

// each does something to all, a few at once and no faster than the rate.
func each[T any](ctx context.Context, t *temporalRun, all []T, do func(context.Context, T) error) error {
	group, together := errgroup.WithContext(ctx)
	group.SetLimit(startAtOnce)
	var stopped error // one has failed, or the caller gives up
	for _, one := range all {
		if stopped = t.limit.Wait(together); stopped != nil {
			break
		}
		group.Go(func() error { return do(together, one) })
	}
	if err := group.Wait(); err != nil {
		return err
	}
	return stopped
}
