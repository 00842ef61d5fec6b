package activities

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/relance/relance/telemetry"
)

const (
	// wakeUpsQueued bounds wake-ups that wait for their turn. Temporal takes its time
	// for each when many have replied at once; a wake-up that waits is a few words of
	// memory, and nobody is kept waiting by it.
	wakeUpsQueued = 50_000
	// wakeAtOnce bounds wake-ups under way,
	wakeAtOnce = 16
	// wakeLimit how long one may take. It is repeated after wakeRest,
	wakeLimit = 10 * time.Second
	wakeRest  = time.Second
	// and wakeTries how often. Whoever is then still not awake finds at the end of its
	// window what has been done.
	wakeTries = 10
)

var errTooMany = errors.New("too many wait to be woken")

// wakeUps has contacts' workflows find what has been done, or do it.
type wakeUps struct {
	workflows Waker
	logger    *slog.Logger
	queue     chan wakeUp
}

// wakeUp is what one contact is to be woken for.
type wakeUp struct {
	errand
	tries int
}

func newWakeUps(workflows Waker, logger *slog.Logger) *wakeUps {
	return &wakeUps{workflows: workflows, logger: logger, queue: make(chan wakeUp, wakeUpsQueued)}
}

// add queues a wake-up, for when the rest is over. It does not wait.
func (w *wakeUps) add(each wakeUp, rest time.Duration) {
	if rest > 0 {
		time.AfterFunc(rest, func() { w.add(each, 0) })
		return
	}
	select {
	case w.queue <- each:
	default:
		w.failed(context.Background(), each, errTooMany)
	}
}

// run wakes until the context ends, and then who waits, as far as time allows.
func (w *wakeUps) run(ctx context.Context) {
	var wakers sync.WaitGroup
	for range wakeAtOnce {
		wakers.Go(func() {
			for {
				select {
				case <-ctx.Done():
					w.drain(ctx)
					return
				case each := <-w.queue:
					w.wake(ctx, each)
				}
			}
		})
	}
	wakers.Wait()
}

func (w *wakeUps) drain(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), wakeLimit)
	defer cancel()
	for ctx.Err() == nil {
		select {
		case each := <-w.queue:
			w.wake(ctx, each)
		default:
			return
		}
	}
}

// wake brings one wake-up to its end, also when the context ends meanwhile.
func (w *wakeUps) wake(ctx context.Context, each wakeUp) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(telemetry.Because(ctx, each.cause)), wakeLimit)
	defer cancel()
	err := w.workflows.Wake(ctx, each.key.CampaignID, each.key.ContactID)
	if err == nil {
		return
	}
	if each.tries++; each.tries < wakeTries {
		w.add(each, wakeRest)
		return
	}
	w.failed(ctx, each, err)
}

func (w *wakeUps) failed(ctx context.Context, each wakeUp, why error) {
	w.logger.WarnContext(telemetry.Because(ctx, each.cause), "A contact's workflow could not be woken; it looks by itself at the end of its window.",
		"campaign_id", each.key.CampaignID, "contact_id", each.key.ContactID, "error", why)
}
