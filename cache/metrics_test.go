package cache_test

import (
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	dto "github.com/prometheus/client_model/go"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/relance/relance/cache"
)

// gathered sums the values of a metric's series that have these label values.
func gathered(t testing.TB, c *cache.Cache, name string, values ...string) (sum float64) {
	t.Helper()
	registry := prometheus.NewRegistry()
	registry.MustRegister(c)
	families, err := registry.Gather()
	require.NoError(t, err)
	for _, family := range families {
		for _, metric := range family.GetMetric() {
			if family.GetName() == name && hasLabels(metric, values) {
				sum += metric.GetCounter().GetValue() + metric.GetGauge().GetValue()
			}
		}
	}
	return sum
}

func hasLabels(metric *dto.Metric, values []string) bool {
	var all []string
	for _, pair := range metric.GetLabel() {
		all = append(all, pair.GetValue())
	}
	for _, value := range values {
		if !strings.Contains(strings.Join(all, " ")+" ", value+" ") {
			return false
		}
	}
	return true
}

func asked(t testing.TB, c *cache.Cache, section, result string) float64 {
	t.Helper()
	return gathered(t, c, "relance_cache_requests_total", section, result)
}

func breakerState(t testing.TB, c *cache.Cache) string {
	t.Helper()
	for _, state := range []string{"closed", "half_open", "open"} {
		if gathered(t, c, "relance_cache_breaker_state", state) == 1 {
			return state
		}
	}
	return ""
}

func TestTheHitRateAndTheBreakerAreTold(t *testing.T) {
	redis := miniredis.RunT(t)
	c := connect(t, redis.Addr())
	var d table
	for range 4 {
		d.through(t, c)
	}
	assert.EqualValues(t, 1, asked(t, c, "contacts", "miss"))
	assert.EqualValues(t, 3, asked(t, c, "contacts", "hit"))
	assert.Zero(t, asked(t, c, "stats", "hit"))
	assert.Zero(t, gathered(t, c, "relance_cache_errors_total"))
	assert.Equal(t, "closed", breakerState(t, c))

	redis.Close()
	for range 10 {
		d.through(t, c)
	}
	assert.EqualValues(t, 10, asked(t, c, "contacts", "bypass"))
	assert.EqualValues(t, 3, asked(t, c, "contacts", "hit"))
	assert.Positive(t, gathered(t, c, "relance_cache_errors_total", "contacts"))
	assert.NotEqual(t, "closed", breakerState(t, c))

	require.NoError(t, redis.Restart())
	require.Eventually(t, func() bool { return breakerState(t, c) == "closed" }, time.Minute, 10*time.Millisecond)

	problems, err := testutil.CollectAndLint(c)
	require.NoError(t, err)
	assert.Empty(t, problems)
}

func TestWithoutRedisThereIsNothingToTell(t *testing.T) {
	c, err := cache.New("", slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	assert.Zero(t, testutil.CollectAndCount(c))
}
