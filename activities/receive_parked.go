package activities

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/temporal"

	"github.com/relance/relance/intake"
)

// ReceiveParked stores and applies a webhook that came while the database was
// away and was parked at the given time of Temporal's clock. It says what became
// of it, and fails for as long as the database is away.
func (a *Activities) ReceiveParked(ctx context.Context, sealed []byte, parkedAt time.Time) (string, error) {
	// Temporal's clock says how long ago that was; it is compared with no other.
	parked := activity.GetInfo(ctx).StartedTime.Sub(parkedAt)
	status, err := a.Webhooks.ReceiveParked(ctx, sealed, time.Now().Add(-parked))
	if errors.Is(err, intake.ErrForeignSeal) {
		return "", temporal.NewNonRetryableApplicationError(err.Error(), "ForeignSeal", err)
	}
	if err != nil {
		return "", fmt.Errorf("taking a parked webhook in: %w", err)
	}
	return status, nil
}
