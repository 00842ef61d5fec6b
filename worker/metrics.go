package worker

import (
	"strings"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
)

// Metrics counts the dispatcher's rounds. A nil Metrics counts nothing.
type Metrics struct {
	rounds  *prometheus.CounterVec
	removed *prometheus.CounterVec
}

// NewMetrics registers the metrics of the dispatcher.
func NewMetrics(registry prometheus.Registerer) *Metrics {
	return &Metrics{removed: promauto.With(registry).NewCounterVec(prometheus.CounterOpts{
		Name: "relance_swept_total",
		Help: "What was removed because it had been kept for long enough, by what it was.",
	}, []string{"what"}), rounds: promauto.With(registry).NewCounterVec(prometheus.CounterOpts{
		Name: "relance_dispatcher_rounds_total",
		Help: "Rounds of the dispatcher, by what it looked for and whether that failed. It makes one of each kind a second.",
	}, []string{"round", "result"})}
}

func (m *Metrics) round(doing string, err error) {
	if m == nil {
		return
	}
	failed := 0.0
	if err != nil {
		failed = 1
	}
	// Both are shown from the first round on, so that the first failure is seen.
	round := strings.ReplaceAll(doing, " ", "_")
	m.rounds.WithLabelValues(round, "failed").Add(failed)
	m.rounds.WithLabelValues(round, "ok").Add(1 - failed)
}

func (m *Metrics) swept(what string, n int64) {
	if m == nil {
		return
	}
	m.removed.WithLabelValues(strings.ReplaceAll(what, " ", "_")).Add(float64(n))
}
