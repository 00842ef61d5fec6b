package campaign

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestDefaultRulesAreTheOwners(t *testing.T) {
	r := DefaultRules()
	require.NoError(t, r.Validate())
	require.Equal(t, 1000, r.Quota.Limit)
	require.Equal(t, 24*time.Hour, r.Quota.Window)
	require.Equal(t, 24*time.Hour, r.ReplyWindow)
	require.Equal(t, 48*time.Hour, r.Deadline)
}

func TestSenselessRuleIsNamedByItsVariable(t *testing.T) {
	for variable, spoil := range map[string]func(*Rules){
		"SEND_LIMIT":        func(r *Rules) { r.Quota.Limit = 0 },
		"SEND_LIMIT must":   func(r *Rules) { r.Quota.Limit = 1 },
		"SEND_LIMIT_WINDOW": func(r *Rules) { r.Quota.Window = 0 },
		"REPLY_RESERVE":     func(r *Rules) { r.Quota.Reserve = 1.5 },
		"REPLY_WINDOW":      func(r *Rules) { r.ReplyWindow = -time.Second },
		"CAMPAIGN_DEADLINE": func(r *Rules) { r.Deadline = 0 },
		"SEND_SETTLE":       func(r *Rules) { r.SendSettle = 0 },
		"SEND_BACKOFF":      func(r *Rules) { r.SendBackoff = 0 },
	} {
		r := DefaultRules()
		spoil(&r)
		require.ErrorContains(t, r.Validate(), variable)
	}
}

func TestBackoffDoublesFromAttemptToAttempt(t *testing.T) {
	r := DefaultRules()
	require.Equal(t, 2*time.Second, r.Backoff(1))
	require.Equal(t, 4*time.Second, r.Backoff(2))
	require.Equal(t, 8*time.Second, r.Backoff(3))
	require.Equal(t, 2*time.Second, r.Backoff(0))
}
