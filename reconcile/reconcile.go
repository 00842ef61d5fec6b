package reconcile

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/relance/relance/campaign"
	"github.com/relance/relance/store"
	"github.com/relance/relance/wassenger"
	"github.com/relance/relance/worker"
)

// Reconciler compares and settles.
type Reconciler struct {
	Store    *store.Store
	Provider *wassenger.Client
	Engine   *worker.Engine
	// Namespace is Temporal's.
	Namespace string
	// SendTimeout is the longest that one request to the provider can take.
	SendTimeout time.Duration
	// Rate is how many workflows are started in a second.
	Rate int
	// Told, if any, hears what is being done.
	Told func(string)

	// Apply: what is found is settled. Without it nothing changes anywhere.
	Apply bool
	// WithoutReplies: what people wrote is not asked for, and stays lost.
	WithoutReplies bool
	// Back is how much farther back than need be the provider is asked.
	Back time.Duration
}

// clockAllowance is how far the provider's clock may be from the database's.
const clockAllowance = time.Hour

// Run makes up for what a restored database lacks, and then makes Temporal run
// what it should. With Apply nothing leaves the device while the first part is
// under way, or if it fails, until one succeeds.
//
// An error means that something could not be asked or done; the report tells how
// far it came.
func (r *Reconciler) Run(ctx context.Context) (*Report, error) {
	report := &Report{Applied: r.Apply, Remains: []string{}}
	standing, err := r.Store.Standing(ctx)
	if err != nil {
		return report, err
	}
	report.Restored = standing.Restored
	if err := r.settle(ctx, report, standing); err != nil {
		report.Remains = append(report.Remains, "the provider could not be asked for everything; nothing is sent until that succeeds, if --apply was given or the database was restored")
		return report, err
	}
	if r.Apply {
		if err := r.Store.Believe(ctx, standing.Lineage); err != nil {
			return report, err
		}
	} else if standing.Restored || !report.Provider.Nothing() {
		report.Remains = append(report.Remains, "what the database lacks: run `relance reconcile --apply`")
	}
	return report, r.temporal(ctx, report)
}

// Rebuild makes Temporal run what it should and leaves the provider alone: for
// when Temporal has lost its data and the database has not. Nothing is held up.
func (r *Reconciler) Rebuild(ctx context.Context) (*Report, error) {
	report := &Report{Applied: r.Apply, Remains: []string{}}
	standing, err := r.Store.Standing(ctx)
	if err != nil {
		return report, err
	}
	if report.Restored = standing.Restored; report.Restored {
		report.Remains = append(report.Remains, "the database was restored: run `relance reconcile --apply`")
	}
	return report, r.temporal(ctx, report)
}

// settle holds the database against the provider's lists: once to look, twice to
// settle, because a message that has just left may not be listed yet.
func (r *Reconciler) settle(ctx context.Context, report *Report, standing store.Standing) error {
	rules := r.Store.Rules()
	longest := max(rules.ReplyWindow, rules.Quota.Window)
	report.Provider = &Provider{Since: standing.Newest.Add(-longest - clockAllowance - r.Back), WithoutReplies: r.WithoutReplies}
	if !r.Apply {
		return r.look(ctx, report.Provider, standing)
	}
	if err := r.Store.Doubt(ctx); err != nil {
		return err
	}
	// What a process claimed just before may be on its way for SendTimeout, and then
	// be missing in the list for as long as in a look-up by reference.
	settled := time.NewTimer(rules.SendSettle + r.SendTimeout)
	defer settled.Stop()
	if err := r.look(ctx, report.Provider, standing); err != nil {
		return err
	}
	r.tell(fmt.Sprintf("Waiting %s for what may have left just before, then looking again.", rules.SendSettle+r.SendTimeout))
	select {
	case <-settled.C:
	case <-ctx.Done():
		return ctx.Err()
	}
	return r.look(ctx, report.Provider, standing)
}

// look asks for both lists and settles them.
func (r *Reconciler) look(ctx context.Context, found *Provider, standing store.Standing) error {
	r.tell("Listing what has left.")
	sent, err := r.Provider.SentSince(ctx, found.Since)
	if err != nil {
		return fmt.Errorf("listing the messages that left: %w", err)
	}
	evidence := store.Evidence{}
	for _, message := range sent {
		if reference, err := uuid.Parse(message.Reference); err == nil && (message.DeviceID == "" || message.DeviceID == r.Provider.DeviceID()) {
			evidence.Messages = append(evidence.Messages, store.Found{
				Reference: reference, ProviderID: message.ProviderID, WAID: message.WAID, CreatedAt: message.CreatedAt,
				Status: message.Status, Failure: message.FailureReason,
			})
		}
	}
	if !r.WithoutReplies {
		r.tell("Listing what people have written.")
		received, err := r.Provider.ReceivedSince(ctx, standing.Newest.Add(-clockAllowance-r.Back))
		if err != nil {
			return fmt.Errorf("listing the messages that came in (--without-replies does without, and whoever replied since is not answered): %w", err)
		}
		for _, reply := range received {
			evidence.Inbound = append(evidence.Inbound, store.Inbound{Key: reply.Event.Key, Raw: reply.Raw, Event: reply.Event})
		}
	}
	found.Listed, found.Inbound = len(evidence.Messages), len(evidence.Inbound)
	settled, err := r.Store.Settle(ctx, evidence, r.Apply)
	if err != nil {
		return err
	}
	found.Message1 += settled.Message1
	found.Message2 += settled.Message2
	found.Acknowledged += settled.Acknowledged
	found.Replies += settled.Replies
	found.Strangers += settled.Strangers
	found.Launched = append(found.Launched, settled.Launched...)
	found.Owed = settled.Owed
	return nil
}

func (r *Reconciler) tell(what string) {
	if r.Told != nil {
		r.Told(what)
	}
}

// revived are the states whose contacts should have workflows, most urgent first.
var revived = []campaign.RecipientState{campaign.Replied, campaign.Admitted, campaign.Message1Sent}
