package intake

import (
	"context"
	"errors"
	"time"

	"github.com/relance/relance/campaign"
	"github.com/relance/relance/store"
)

// receiveErased takes in a webhook that tells about somebody who was erased. What
// is about them is applied and never stored: an acknowledgement moves the message,
// a wish to be left alone is kept, everything else means nothing. What a webhook
// tells about others besides is stored like any. An error means that it must be
// delivered again, which does no harm.
func (in *Intake) receiveErased(ctx context.Context, key string, kept store.WebhookEvent, events []campaign.Event) (status string, err error) {
	ctx, cancel := context.WithTimeout(ctx, applyTimeout)
	defer cancel()
	erased, err := in.Store.AboutErased(ctx, events)
	if err != nil {
		return "", err
	}
	var others []campaign.Event
	var errs []error
	for i, event := range events {
		if !erased[i] {
			others = append(others, event)
			continue
		}
		effect, err := in.decide(ctx, event, kept.ReceivedAt)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		in.follow(ctx, event, effect)
	}
	if err := errors.Join(errs...); err != nil {
		return "", err
	}
	raw := store.WithoutElements(kept.Raw, func(i int, _ []byte) bool { return i >= len(erased) || erased[i] })
	if len(others) == 0 || raw == nil {
		return StatusOK, nil
	}
	var parkedAt time.Time
	if kept.Age > 0 {
		parkedAt = time.Now().Add(-kept.Age)
	}
	rest, err := in.keep(ctx, key, raw, parkedAt, others)
	if err != nil {
		return "", err
	}
	return in.applyKept(ctx, rest, others, nil), nil
}
