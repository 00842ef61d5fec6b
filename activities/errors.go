package activities

import (
	"errors"
	"math/rand/v2"
	"time"

	"go.temporal.io/sdk/temporal"

	"github.com/relance/relance/campaign"
	"github.com/relance/relance/store"
	"github.com/relance/relance/wassenger"
)

// errOutcomeUnknown is shown in the Temporal Web UI while a message's outcome is being looked up.
var errOutcomeUnknown = errors.New("it is not known yet whether the message left")

// retryAfter asks Temporal to run the activity again after the given delay. The
// store counts attempts; Temporal only waits. Being turned away or left in doubt
// by the provider is a message's daily life, not a fault: marked as benign, it
// counts as no failure in Temporal's metrics and is logged on the debug level.
func retryAfter(cause error, delay time.Duration) error {
	// Spread, so that messages held up together do not all come back at once.
	spread := time.Duration(rand.Int64N(int64(delay)/5 + 1)) //nolint:gosec // not a secret
	return temporal.NewApplicationErrorWithOptions(cause.Error(), string(wassenger.ClassOf(cause)),
		temporal.ApplicationErrorOptions{
			NextRetryDelay: max(delay+spread, time.Millisecond), Cause: cause, Category: temporal.ApplicationErrorCategoryBenign,
		})
}

// storeError keeps Temporal from repeating what can never succeed.
func storeError(err error) error {
	switch {
	case errors.Is(err, store.ErrNotFound):
		return temporal.NewNonRetryableApplicationError(err.Error(), "not_found", err)
	case errors.Is(err, store.ErrConflict):
		return temporal.NewNonRetryableApplicationError(err.Error(), "conflict", err)
	}
	return err
}

// delay is the pause before the message's next attempt.
func (a *Activities) delay(err error, attempt int) time.Duration {
	rules := a.Store.Rules()
	switch wassenger.ClassOf(err) {
	case wassenger.Unknown:
		// Usually the provider did accept: look soon, so that a reply finds the message settled.
		return min(time.Second, rules.SendSettle/4)
	case wassenger.Down:
		return a.Breaker.pause
	default:
		var providerErr *wassenger.Error
		if errors.As(err, &providerErr) && providerErr.RetryAfter > 0 {
			return max(providerErr.RetryAfter, rules.Backoff(attempt))
		}
		return rules.Backoff(attempt)
	}
}

func refusal(err error) store.Refusal {
	reason := campaign.ReasonRefused
	var providerErr *wassenger.Error
	if errors.As(err, &providerErr) && providerErr.InvalidNumber {
		reason = campaign.ReasonInvalidNumber
	}
	return store.Refusal{Reason: reason, Detail: err.Error()}
}
