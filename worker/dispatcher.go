package worker

import (
	"context"
	"log/slog"
	"time"

	"github.com/relance/relance/intake"
	"github.com/relance/relance/store"
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
	Logger        *slog.Logger
}

const (
	// dispatchEvery is how often the dispatcher looks for what was lost,
	dispatchEvery = time.Second
	// lostAfter how old something must be to count as lost,
	lostAfter = 2 * time.Second
	// and dispatchAtOnce bounds one round of each kind.
	dispatchAtOnce = 200
)

// Run looks for lost wake-ups until the context ends.
func (d *Dispatcher) Run(ctx context.Context) {
	tick := time.NewTicker(dispatchEvery)
	defer tick.Stop()
	for {
		d.round(ctx, "starting due campaigns", d.startCampaigns)
		d.round(ctx, "processing stored webhooks", d.processWebhooks)
		d.round(ctx, "waking contacts that replied", d.wakeContacts)
		d.round(ctx, "telling campaigns what was decided", d.tellDecided)
		d.round(ctx, "looking unknown messages up", d.SettleUnknown)
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// round runs one kind of repair. A failure is logged and met again next time.
func (d *Dispatcher) round(ctx context.Context, doing string, repair func(context.Context) error) {
	if err := repair(ctx); err != nil && ctx.Err() == nil {
		d.Logger.WarnContext(ctx, "The dispatcher failed and tries again.", "doing", doing, "error", err)
	}
}

func (d *Dispatcher) startCampaigns(ctx context.Context) error {
	if err := d.Store.ShelveMissedStarts(ctx); err != nil {
		return err
	}
	due, err := d.Store.CampaignsToStart(ctx, dispatchAtOnce)
	if err != nil {
		return err
	}
	for _, id := range due {
		if err := d.Engine.StartCampaign(ctx, id); err != nil {
			return err
		}
	}
	return nil
}

func (d *Dispatcher) processWebhooks(ctx context.Context) error {
	events, err := d.Store.UnprocessedWebhooks(ctx, lostAfter, dispatchAtOnce)
	if err != nil {
		return err
	}
	for _, event := range events {
		if err := d.Intake.Process(ctx, event); err != nil {
			return err
		}
	}
	return nil
}

func (d *Dispatcher) wakeContacts(ctx context.Context) error {
	recipients, err := d.Store.UnansweredReplies(ctx, lostAfter, dispatchAtOnce)
	if err != nil {
		return err
	}
	for _, recipient := range recipients {
		if err := d.Engine.Revive(ctx, recipient.CampaignID, recipient.ContactID); err != nil {
			return err
		}
	}
	return nil
}

func (d *Dispatcher) tellDecided(ctx context.Context) error {
	due, err := d.Store.ControlsDue(ctx, lostAfter, dispatchAtOnce)
	if err != nil {
		return err
	}
	for _, decision := range due {
		if err := d.Engine.TellDecided(ctx, decision.CampaignID); err != nil {
			return err
		}
		if err := d.Store.ControlDelivered(ctx, decision.CampaignID, decision.DecidedAt); err != nil {
			return err
		}
	}
	return nil
}
