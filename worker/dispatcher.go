package worker

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"

	"github.com/relance/relance/intake"
	"github.com/relance/relance/store"
	"github.com/relance/relance/telemetry"
)

// Dispatcher makes up for what was lost between a commit and the wake-up that
// should have followed it: campaigns that are due, webhooks that were stored
// and not processed, replies that no workflow has taken up. All it does may be
// done twice, so any number of dispatchers may run.
type Dispatcher struct {
	Store  *store.Store
	Engine *Engine
	Intake *intake.Intake
	// SettleUnknown looks messages up of which nobody could tell whether they left.
	SettleUnknown func(ctx context.Context) error
	// ContactsChanged, if any, is told when an import has changed contacts.
	ContactsChanged func(ctx context.Context)
	Logger          *slog.Logger
	Metrics         *Metrics     // nil counts nothing
	Tracer          trace.Tracer // nil traces nothing
}

const (
	// dispatchEvery is how often the dispatcher looks for what was lost,
	dispatchEvery = time.Second
	// lostAfter how old something must be to count as lost,
	lostAfter = 2 * time.Second
	// overdueAfter how long a closed window may stand unclosed,
	overdueAfter = time.Minute
	// importLostAfter how long nobody may work on an import: one batch of it takes
	// less than a second, and imports take turns,
	importLostAfter = 10 * time.Second
	// uploadLostAfter how long nothing of a file may come: the API waits 30 s,
	uploadLostAfter = 2 * time.Minute
	// and dispatchAtOnce bounds one round of each kind.
	dispatchAtOnce = 200
	// finalSince is for how long a campaign is told in every round that everyone is final,
	finalSince = 10 * time.Second
	// untoldEvery how often it is told that afterwards, and workflows are woken that
	// nobody told,
	untoldEvery = time.Minute
	// erasuresEvery how often erasures are looked for whose search is due,
	erasuresEvery = 5 * time.Second
	// and sweepEvery how often what has outlived its use is deleted.
	sweepEvery = time.Hour

	forever = 10 * 365 * 24 * time.Hour
)

// Run looks for lost wake-ups until the context ends.
func (d *Dispatcher) Run(ctx context.Context) {
	var loops sync.WaitGroup
	// By itself, because the provider may be slow to answer.
	loops.Go(func() {
		d.every(ctx, dispatchEvery, func() { d.round(ctx, "looking unknown messages up", d.SettleUnknown) })
	})
	loops.Go(func() {
		d.every(ctx, untoldEvery, func() {
			// An operator who did not hear of it must: nothing is sent then.
			d.round(ctx, "looking whether the database was restored", d.Store.KnowsAll)
			d.round(ctx, "waking workflows of the final", d.wakeUntold)
		})
	})
	loops.Go(func() {
		d.every(ctx, sweepEvery, func() { d.round(ctx, "sweeping what has outlived its use", d.sweep) })
	})
	loops.Go(func() {
		d.every(ctx, dispatchEvery, func() { d.round(ctx, "folding statistics", d.Store.FoldStats) })
	})
	// And searches for the erased, because they read all webhooks that there are.
	loops.Go(func() {
		d.every(ctx, erasuresEvery, func() { d.round(ctx, "finishing erasures", d.finishErasures) })
	})
	// And imports, because they may be long.
	loops.Go(func() {
		d.every(ctx, dispatchEvery, func() { d.round(ctx, "finishing imports", d.finishImports) })
	})
	d.every(ctx, dispatchEvery, func() {
		d.round(ctx, "starting due campaigns", d.startCampaigns)
		d.round(ctx, "processing stored webhooks", d.processWebhooks)
		d.round(ctx, "waking contacts that replied", d.wakeContacts)
		d.round(ctx, "telling campaigns what was decided", d.tellDecided)
		d.round(ctx, "telling campaigns that everyone is final", d.tellFinal)
	})
	loops.Wait()
}

func (d *Dispatcher) every(ctx context.Context, pause time.Duration, repair func()) {
	tick := time.NewTicker(pause)
	defer tick.Stop()
	for {
		repair()
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// round runs one kind of repair. A failure is logged and met again next time.
func (d *Dispatcher) round(ctx context.Context, doing string, repair func(context.Context) error) {
	err := repair(ctx)
	if ctx.Err() != nil {
		return
	}
	d.Metrics.round(doing, err)
	if err != nil {
		d.Logger.WarnContext(ctx, "The dispatcher failed and tries again.", "doing", doing, "error", err)
	}
}

// trace makes up for one thing that was lost, in a trace of its own: the trace in
// which it was lost has ended with the process. A failure names what it is about.
func (d *Dispatcher) trace(ctx context.Context, doing string, repair func(context.Context) error, about ...attribute.KeyValue) error {
	ctx, span := telemetry.Begin(ctx, d.Tracer, doing, about...)
	err := repair(ctx)
	telemetry.End(span, err)
	if err == nil {
		return nil
	}
	set := attribute.NewSet(about...)
	return fmt.Errorf("%s (%s): %w", doing, set.Encoded(attribute.DefaultEncoder()), err)
}

func (d *Dispatcher) startCampaigns(ctx context.Context) error {
	if err := d.Store.ShelveMissedStarts(ctx); err != nil {
		return err
	}
	due, err := d.Store.CampaignsToStart(ctx, dispatchAtOnce)
	if err != nil {
		return err
	}
	var errs []error
	for _, id := range due {
		errs = append(errs, d.trace(ctx, "start a due campaign", func(ctx context.Context) error {
			return d.Engine.StartCampaign(ctx, id)
		}, telemetry.CampaignID(id)))
	}
	return errors.Join(errs...)
}

func (d *Dispatcher) processWebhooks(ctx context.Context) error {
	events, err := d.Store.TakeWebhooks(ctx, dispatchAtOnce)
	if err != nil {
		return err
	}
	var errs []error
	for _, event := range events { // one that fails must not keep the others waiting
		errs = append(errs, d.trace(ctx, "process a stored webhook", func(ctx context.Context) error {
			return d.Intake.Process(ctx, event)
		}, telemetry.WebhookID(event.ID)))
	}
	return errors.Join(errs...)
}

func (d *Dispatcher) wakeContacts(ctx context.Context) error {
	recipients, err := d.Store.UnansweredReplies(ctx, lostAfter, dispatchAtOnce)
	if err != nil {
		return err
	}
	overdue, err := d.Store.Overdue(ctx, overdueAfter, dispatchAtOnce)
	errs := []error{err}
	for _, recipient := range slices.Concat(recipients, overdue) {
		errs = append(errs, d.trace(ctx, "wake a contact again", func(ctx context.Context) error {
			return d.Engine.Revive(ctx, recipient.CampaignID, recipient.ContactID)
		}, telemetry.CampaignID(recipient.CampaignID), telemetry.ContactID(recipient.ContactID)))
	}
	return errors.Join(errs...)
}

// tellFinal tells campaigns that everybody in them has become final, by which they
// close. Whoever is in doubt asks the database.
func (d *Dispatcher) tellFinal(ctx context.Context) error {
	campaigns, err := d.Store.OpenWithoutNeed(ctx, finalSince, dispatchAtOnce)
	if err != nil {
		return err
	}
	var errs []error
	for _, id := range campaigns {
		errs = append(errs, d.trace(ctx, "tell a campaign that everyone is final", func(ctx context.Context) error {
			return d.Engine.TellDecided(ctx, id)
		}, telemetry.CampaignID(id)))
	}
	return errors.Join(errs...)
}

// wakeUntold makes up for a campaign that was told in vain. Waves that were started
// before v0.3.0 also wait for the workflow of everyone who became final ahead of it,
// by a process that then died.
func (d *Dispatcher) wakeUntold(ctx context.Context) error {
	campaigns, err := d.Store.OpenWithoutNeed(ctx, forever, dispatchAtOnce)
	if err != nil {
		return err
	}
	var errs []error
	for _, id := range campaigns {
		errs = append(errs, d.Engine.WakeWaiting(ctx, id, dispatchAtOnce), d.Engine.TellDecided(ctx, id))
	}
	return errors.Join(errs...)
}

func (d *Dispatcher) tellDecided(ctx context.Context) error {
	due, err := d.Store.ControlsDue(ctx, lostAfter, dispatchAtOnce)
	if err != nil {
		return err
	}
	var errs []error
	for _, decision := range due {
		errs = append(errs, d.trace(ctx, "tell a campaign what was decided", func(ctx context.Context) error {
			if err := d.Engine.TellDecided(ctx, decision.CampaignID); err != nil {
				return err
			}
			return d.Store.ControlDelivered(ctx, decision.CampaignID, decision.DecidedAt)
		}, telemetry.CampaignID(decision.CampaignID)))
	}
	return errors.Join(errs...)
}

// finishImports goes on with imports whose process is gone.
func (d *Dispatcher) finishImports(ctx context.Context) error {
	if err := d.Store.FailLostUploads(ctx, uploadLostAfter); err != nil {
		return err
	}
	lost, err := d.Store.ImportsToMerge(ctx, importLostAfter, dispatchAtOnce)
	if err != nil {
		return err
	}
	var errs []error
	for _, id := range lost {
		_, err := d.Store.MergeImport(ctx, id)
		errs = append(errs, err)
		if d.ContactsChanged != nil {
			d.ContactsChanged(ctx)
		}
	}
	return errors.Join(errs...)
}

// sweep says how much has been removed, also where it failed half-way.
func (d *Dispatcher) sweep(ctx context.Context) error {
	swept, err := d.Store.Sweep(ctx)
	for what, rows := range swept {
		d.Metrics.swept(what, rows)
		if rows > 0 {
			d.Logger.InfoContext(ctx, "What had outlived its use was removed.", "what", what, "rows", rows)
		}
	}
	return err
}

func (d *Dispatcher) finishErasures(ctx context.Context) error {
	complete, err := d.Store.FinishErasures(ctx)
	for _, erasure := range complete {
		d.Logger.InfoContext(ctx, "A person's erasure is complete.", "contact_id", erasure.ContactID)
	}
	return err
}
