package worker

import (
	"strings"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
)

// Metrics counts the dispatcher's rounds. A nil Metrics counts nothing.
type Metrics struct {
	rounds *prometheus.CounterVec
}

// NewMetrics registers the metrics of the dispatcher.
func NewMetrics(registry prometheus.Registerer) *Metrics {
	return &Metrics{rounds: promauto.With(registry).NewCounterVec(prometheus.CounterOpts{
		Name: "relance_dispatcher_rounds_total",
		Help: "Rounds of the dispatcher, by what it looked for and whether that failed. It makes one of each kind a second.",
	}, []string{"round", "result"})}
}

func (m *Metrics) round(doing string, err error) {
	if m == nil {
		return
	}
	result := "ok"
	if err != nil {
		result = "failed"
	}
	m.rounds.WithLabelValues(strings.ReplaceAll(doing, " ", "_"), result).Inc()
}
