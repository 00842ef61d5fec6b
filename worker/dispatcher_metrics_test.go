package worker_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/prometheus/common/expfmt"
	"github.com/stretchr/testify/require"

	"github.com/relance/relance/campaign"
	"github.com/relance/relance/devstack/testenv"
	"github.com/relance/relance/migrations"
	"github.com/relance/relance/store"
	"github.com/relance/relance/worker"
)

func TestRoundsThatFailAreCounted(t *testing.T) {
	t.Parallel()
	s, err := store.Open(t.Context(), testenv.Database(t, migrations.UpAt), store.Options{DeviceID: device, Rules: campaign.DefaultRules()})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	registry := prometheus.NewRegistry()
	dispatcher := &worker.Dispatcher{
		Store: s, Engine: &worker.Engine{}, Logger: mute, Metrics: worker.NewMetrics(registry),
		SettleUnknown: func(context.Context) error { return errors.New("the provider is away") },
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		dispatcher.Run(ctx)
	}()
	text := func() string {
		encoded, err := testutil.CollectAndFormat(registry, expfmt.TypeTextPlain, "relance_dispatcher_rounds_total")
		require.NoError(t, err)
		return string(encoded)
	}
	require.Eventually(t, func() bool { return strings.Contains(text(), "decided") && strings.Contains(text(), "unknown") }, patience, 10*time.Millisecond)
	stop()
	<-ended

	told := text()
	require.Contains(t, told, `{result="ok",round="looking_unknown_messages_up"} 0`)
	require.NotContains(t, told, `{result="failed",round="looking_unknown_messages_up"} 0`)
	require.Contains(t, told, `{result="failed",round="starting_due_campaigns"} 0`)
	require.NotContains(t, told, `{result="ok",round="starting_due_campaigns"} 0`)
}
