package cache

import (
	"errors"
	"strings"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/sony/gobreaker/v2"
)

// What came of asking the cache.
const (
	hit    = "hit"
	miss   = "miss"
	bypass = "bypass" // Redis is away or not to be believed; the database was asked
)

// metrics count by section, which is a prefix without "cache:".
type metrics struct {
	requests *prometheus.CounterVec
	errors   *prometheus.CounterVec
	breaker  *prometheus.Desc
}

func newMetrics() *metrics {
	return &metrics{
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "relance_cache_requests_total",
			Help: "Answers asked of the cache: hit, miss, or bypass while Redis is away or not to be believed. The hit rate is hits over all.",
		}, []string{"section", "result"}),
		errors: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "relance_cache_errors_total",
			Help: "Calls to Redis that failed. Calls that the open breaker kept from being made are not among them.",
		}, []string{"section"}),
		breaker: prometheus.NewDesc("relance_cache_breaker_state",
			"1 for the state that the circuit breaker in front of Redis is in: closed, half_open or open.", []string{"state"}, nil),
	}
}

// watch shows a section's counters from the start, so that their first increase is seen.
func (m *metrics) watch(section string) {
	for _, result := range []string{hit, miss, bypass} {
		m.requests.WithLabelValues(section, result)
	}
	m.errors.WithLabelValues(section)
}

func (m *metrics) asked(s *section, result string) {
	m.requests.WithLabelValues(s.name(), result).Inc()
}

// failed counts an error of Redis, if it is one.
func (m *metrics) failed(s *section, err error) {
	if err != nil && !errors.Is(err, gobreaker.ErrOpenState) && !errors.Is(err, gobreaker.ErrTooManyRequests) {
		m.errors.WithLabelValues(s.name()).Inc()
	}
}

// name is the section's prefix without its decoration.
func (s *section) name() string {
	return strings.TrimSuffix(strings.TrimPrefix(s.prefix, "cache:"), ":")
}

// Describe makes a Cache a [prometheus.Collector].
func (c *Cache) Describe(descriptions chan<- *prometheus.Desc) {
	c.metrics.requests.Describe(descriptions)
	c.metrics.errors.Describe(descriptions)
	descriptions <- c.metrics.breaker
}

// Collect tells how well the cache does. A cache without a Redis has nothing to tell.
func (c *Cache) Collect(collected chan<- prometheus.Metric) {
	if c.off() {
		return
	}
	c.metrics.requests.Collect(collected)
	c.metrics.errors.Collect(collected)
	current := c.redis.breaker.State()
	for state, label := range map[gobreaker.State]string{
		gobreaker.StateClosed: "closed", gobreaker.StateHalfOpen: "half_open", gobreaker.StateOpen: "open",
	} {
		value := 0.0
		if state == current {
			value = 1
		}
		collected <- prometheus.MustNewConstMetric(c.metrics.breaker, prometheus.GaugeValue, value, label)
	}
}
