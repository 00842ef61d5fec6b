package activities

import (
	"context"
	"errors"

	"github.com/relance/relance/store"
)

// unknownAtOnce bounds one round of look-ups.
const unknownAtOnce = 20

// SettleUnknown looks messages up of which nobody could tell whether they left
// before their window had passed, and settles those that did. It is no
// activity: their workflows have ended, and the dispatcher calls it.
func (a *Activities) SettleUnknown(ctx context.Context) error {
	messages, err := a.Store.UnknownMessages(ctx, unknownAtOnce)
	if err != nil {
		return err
	}
	var errs []error
	for _, message := range messages {
		found, ok, err := a.find(ctx, message.ID)
		if err == nil && ok {
			_, err = a.Store.SettleSent(ctx, store.Acceptance{
				MessageID:  message.ID,
				ProviderID: found.ProviderID, WAID: found.WAID, CreatedAt: found.CreatedAt,
			})
		}
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}
