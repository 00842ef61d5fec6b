package campaign

import (
	"fmt"
	"time"
)

// Rules are the numbers a deployment may set. Every duration is configurable so
// that a 48-hour campaign can be lived through in a minute.
type Rules struct {
	Quota Quota
	// ReplyWindow is how long after its own Message 1 a reply still earns Message 2.
	ReplyWindow time.Duration
	// Deadline is the age at which a campaign completes whatever its contacts' states (Property 13).
	Deadline time.Duration
	// SendSettle is how long look-ups must find nothing before a message whose
	// outcome is unknown counts as never having left.
	SendSettle time.Duration
	// SendBackoff is the pause before the second attempt; it doubles from there.
	SendBackoff time.Duration
	// Pace is the pause between Message 1s (SEND_PACE). The zero value is none.
	Pace Pace
	// Hours are when Message 1s may leave (SEND_HOURS). The zero value is always.
	Hours Hours
}

// DefaultRules are the owner's numbers.
func DefaultRules() Rules {
	return Rules{
		Quota:       Quota{Limit: 1000, Window: 24 * time.Hour, Reserve: 1},
		ReplyWindow: 24 * time.Hour,
		Deadline:    48 * time.Hour,
		SendSettle:  time.Minute,
		SendBackoff: 2 * time.Second,
	}
}

// MaxAttempts is how many requests for one message may reach the provider: the
// first and three more.
const MaxAttempts = 4

// Backoff is the pause after the given number of attempts, before jitter.
func (r Rules) Backoff(attempts int) time.Duration {
	return r.SendBackoff << max(0, min(attempts, MaxAttempts)-1)
}

// Validate names the first rule that makes no sense, by its environment variable.
func (r Rules) Validate() error {
	switch {
	case r.Quota.Limit < 1:
		return fmt.Errorf("SEND_LIMIT must be at least 1, not %d", r.Quota.Limit)
	case r.Quota.Reserve < 0 || r.Quota.Reserve > 1:
		return fmt.Errorf("REPLY_RESERVE must be between 0 and 1, not %g", r.Quota.Reserve)
	case r.Quota.Limit < 2 && r.Quota.Reserve > 0:
		return fmt.Errorf("SEND_LIMIT must be at least 2 when REPLY_RESERVE keeps room for answers")
	case r.Quota.Window <= 0:
		return fmt.Errorf("SEND_LIMIT_WINDOW must be longer than 0, not %s", r.Quota.Window)
	case r.ReplyWindow <= 0:
		return fmt.Errorf("REPLY_WINDOW must be longer than 0, not %s", r.ReplyWindow)
	case r.Deadline <= 0:
		return fmt.Errorf("CAMPAIGN_DEADLINE must be longer than 0, not %s", r.Deadline)
	case r.SendSettle <= 0:
		return fmt.Errorf("SEND_SETTLE must be longer than 0, not %s", r.SendSettle)
	case r.SendBackoff <= 0:
		return fmt.Errorf("SEND_BACKOFF must be longer than 0, not %s", r.SendBackoff)
	}
	return nil
}
