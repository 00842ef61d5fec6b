package worker

import (
	"context"
	"log/slog"
	"time"

	"github.com/google/uuid"
)

// Hasty is an [Engine] for the taking in of webhooks, whose provider waits for
// its answer: waking a contact takes at most patience of that. A wake-up that
// takes longer, or fails then, goes on by itself and is made up for by the
// [Dispatcher], like any that is lost.
type Hasty struct {
	*Engine
	Logger *slog.Logger
}

const (
	// patience is longer than Temporal takes unless it is busy,
	patience = 15 * time.Millisecond
	// and wakeLimit how long it may take then.
	wakeLimit = 5 * time.Second
)

// Wake makes a contact's workflow look at the database again, now or soon.
func (h Hasty) Wake(ctx context.Context, campaignID, contactID uuid.UUID) error {
	told, late := make(chan error), make(chan struct{})
	go func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), wakeLimit)
		defer cancel()
		err := h.Engine.Wake(ctx, campaignID, contactID)
		select {
		case told <- err:
		case <-late:
			if err != nil {
				h.Logger.WarnContext(ctx, "A contact's workflow could not be woken; the dispatcher tries again.",
					"campaign_id", campaignID, "contact_id", contactID, "error", err)
			}
		}
	}()
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case err := <-told:
		return err
	case <-timer.C:
		close(late)
		return nil
	}
}
