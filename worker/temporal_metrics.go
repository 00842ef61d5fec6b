package worker

import (
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.temporal.io/sdk/client"
)

// TemporalMetrics hands the metrics of Temporal's SDK to Prometheus, under the
// names that Temporal documents: counters end in _total, timers in _seconds.
//
// The SDK uses one name with different tags in different places, so the metrics
// are kept by name and tag names, and are collected unchecked. All their tags
// come from small sets: namespace, operation, status code, task queue, types.
type TemporalMetrics struct {
	mutex    sync.Mutex
	counters map[string]*prometheus.CounterVec
	gauges   map[string]*prometheus.GaugeVec
	timers   map[string]*prometheus.HistogramVec
}

// NewTemporalMetrics registers what the SDK will tell.
func NewTemporalMetrics(registry prometheus.Registerer) *TemporalMetrics {
	m := &TemporalMetrics{
		counters: map[string]*prometheus.CounterVec{},
		gauges:   map[string]*prometheus.GaugeVec{},
		timers:   map[string]*prometheus.HistogramVec{},
	}
	registry.MustRegister(m)
	return m
}

// Handler is for the options of a Temporal client.
func (m *TemporalMetrics) Handler() client.MetricsHandler { return tagged{metrics: m} }

// Describe tells nothing: what there will be is up to the SDK.
func (m *TemporalMetrics) Describe(chan<- *prometheus.Desc) {}

// Collect passes on what the SDK has told so far.
func (m *TemporalMetrics) Collect(collected chan<- prometheus.Metric) {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	for _, each := range m.counters {
		each.Collect(collected)
	}
	for _, each := range m.gauges {
		each.Collect(collected)
	}
	for _, each := range m.timers {
		each.Collect(collected)
	}
}

// timerBuckets reach from a request to a contact's whole life.
var timerBuckets = []float64{.005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60, 600, 3600, 86400, 172800}

// tagged are the metrics under some tags.
type tagged struct {
	metrics *TemporalMetrics
	tags    prometheus.Labels
}

// WithTags adds tags; later ones win.
func (t tagged) WithTags(tags map[string]string) client.MetricsHandler {
	merged := maps.Clone(t.tags)
	if merged == nil {
		merged = prometheus.Labels{}
	}
	maps.Copy(merged, tags)
	return tagged{metrics: t.metrics, tags: merged}
}

// Counter counts under name.
func (t tagged) Counter(name string) client.MetricsCounter {
	counter := vec(t, t.metrics.counters, name+"_total", func(name, help string, labels []string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, labels)
	}).With(t.tags)
	return counterFunc(func(n int64) { counter.Add(float64(n)) })
}

// Gauge keeps the last value under name.
func (t tagged) Gauge(name string) client.MetricsGauge {
	gauge := vec(t, t.metrics.gauges, name, func(name, help string, labels []string) *prometheus.GaugeVec {
		return prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: name, Help: help}, labels)
	}).With(t.tags)
	return gaugeFunc(gauge.Set)
}

// Timer spreads durations over buckets under name.
func (t tagged) Timer(name string) client.MetricsTimer {
	timer := vec(t, t.metrics.timers, name+"_seconds", func(name, help string, labels []string) *prometheus.HistogramVec {
		return prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: name, Help: help, Buckets: timerBuckets}, labels)
	}).With(t.tags)
	return timerFunc(func(d time.Duration) { timer.Observe(d.Seconds()) })
}

// vec finds or makes the vector of a name and these tags' names.
func vec[V any](t tagged, vectors map[string]V, name string, create func(name, help string, labels []string) V) V {
	labels := slices.Sorted(maps.Keys(t.tags))
	key := name + "\n" + strings.Join(labels, "\n")
	t.metrics.mutex.Lock()
	defer t.metrics.mutex.Unlock()
	vector, ok := vectors[key]
	if !ok {
		vector = create(name, "Told by Temporal's SDK; described in its reference of SDK metrics.", labels)
		vectors[key] = vector
	}
	return vector
}

type (
	counterFunc func(int64)
	gaugeFunc   func(float64)
	timerFunc   func(time.Duration)
)

func (f counterFunc) Inc(n int64)          { f(n) }
func (f gaugeFunc) Update(value float64)   { f(value) }
func (f timerFunc) Record(d time.Duration) { f(d) }
