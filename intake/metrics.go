package intake

import (
	"strings"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"

	"github.com/relance/relance/campaign"
)

// statusRefused stands for the answer to a webhook that could not be kept.
const statusRefused = "refused"

// Metrics counts what is taken in. A nil Metrics counts nothing.
type Metrics struct {
	webhooks *prometheus.CounterVec
	replies  *prometheus.CounterVec
}

// NewMetrics registers the metrics of the intake.
func NewMetrics(registry prometheus.Registerer) *Metrics {
	factory := promauto.With(registry)
	m := &Metrics{
		webhooks: factory.NewCounterVec(prometheus.CounterOpts{
			Name: "relance_webhooks_total",
			Help: "Webhooks by what they were answered; refused ones could be kept neither in the database nor in Temporal.",
		}, []string{"status"}),
		replies: factory.NewCounterVec(prometheus.CounterOpts{
			Name: "relance_replies_total",
			Help: "Replies by what was made of them. One that is applied again counts as repeated_reply.",
		}, []string{"outcome"}),
	}
	for _, status := range []string{StatusOK, StatusDuplicate, StatusErrorLogged, StatusParked, statusRefused} {
		m.webhooks.WithLabelValues(status) // shown from the start, so that its first increase is seen
	}
	return m
}

func (m *Metrics) answered(status string, err error) {
	if m == nil {
		return
	}
	if err != nil {
		status = statusRefused
	}
	m.webhooks.WithLabelValues(status).Inc()
}

// applied counts a reply. Its outcomes are a handful of fixed phrases, unlike
// those of events that are ignored.
func (m *Metrics) applied(event campaign.Event, outcome string) {
	if m != nil && event.Kind == campaign.EventReply {
		m.replies.WithLabelValues(strings.ReplaceAll(outcome, " ", "_")).Inc()
	}
}
