package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.temporal.io/api/workflowservice/v1"
)

// healingPatience is how long it may take, once nothing is broken any more, until all
// has come to rest. Temporal repeats what a killed worker was doing after 45 seconds,
// and what comes of that may take a whole window of the quota and one for the reply.
const healingPatience = 5 * time.Minute

// awaitRest waits until nothing is to come any more, and says what is still to come
// where it runs out of patience.
func (r *run) awaitRest(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, healingPatience)
	defer cancel()
	calm := 0
	return until(ctx, func() error {
		if err := r.restless(ctx); err != nil {
			calm = 0
			return err
		}
		// Contacts may have something to say a moment after the last window.
		if calm++; calm < 30 {
			return errors.New("it has been calm for less than three seconds")
		}
		return nil
	})
}

func (r *run) restless(ctx context.Context) error {
	for what, query := range map[string]string{
		"campaigns are not completed": `SELECT count(*) FROM campaigns WHERE status NOT IN ('completed', 'cancelled')`,
		"contacts are not final":      `SELECT count(*) FROM recipients WHERE finished_at IS NULL`,
		"windows are open":            `SELECT count(*) FROM recipients WHERE window_ends_at > relance_now() - interval '2 seconds'`,
		"webhooks are not processed":  `SELECT count(*) FROM webhook_events WHERE processed_at IS NULL`,
	} {
		var n int
		if err := r.db.QueryRowContext(ctx, query).Scan(&n); err != nil {
			return err
		}
		if n > 0 {
			return fmt.Errorf("%d %s", n, what)
		}
	}
	h, err := r.providerHealth(ctx)
	if err != nil {
		return err
	}
	if h.Planned > 0 || h.Unacknowledged > 0 {
		return fmt.Errorf("contacts and provider still have %d things to tell, and %d webhooks are not acknowledged", h.Planned, h.Unacknowledged)
	}
	running, err := r.workflow.CountWorkflow(ctx, &workflowservice.CountWorkflowExecutionsRequest{Query: "ExecutionStatus = 'Running'"})
	if err != nil {
		return err
	}
	if n := running.GetCount(); n > 0 {
		return fmt.Errorf("%d workflows are open", n)
	}
	return nil
}
