package intake_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/relance/relance/intake"
)

func TestWebhooksAndRepliesAreCountedByWhatBecameOfThem(t *testing.T) {
	in, b, _ := listening(t)
	registry := prometheus.NewRegistry()
	in.Metrics = intake.NewMetrics(registry)
	for _, raw := range [][]byte{reply("A1"), reply("A1"), reply("A2"), []byte(`{"event":`)} {
		_, err := in.Receive(t.Context(), raw)
		require.NoError(t, err)
	}
	_, err := in.Receive(away(t), reply("A3"))
	require.NoError(t, err)
	b.err = errors.New("Temporal is away")
	_, err = in.Receive(away(t), reply("A4"))
	require.Error(t, err)

	assert.NoError(t, testutil.GatherAndCompare(registry, strings.NewReader(`
		# HELP relance_replies_total Replies by what was made of them. One that is applied again counts as repeated_reply.
		# TYPE relance_replies_total counter
		relance_replies_total{outcome="further_reply"} 1
		relance_replies_total{outcome="reply_in_time"} 1
		# HELP relance_webhooks_total Webhooks by what they were answered; refused ones could be kept neither in the database nor in Temporal.
		# TYPE relance_webhooks_total counter
		relance_webhooks_total{status="duplicate"} 1
		relance_webhooks_total{status="error_logged"} 1
		relance_webhooks_total{status="ok"} 2
		relance_webhooks_total{status="parked"} 1
		relance_webhooks_total{status="refused"} 1
	`)))
}
