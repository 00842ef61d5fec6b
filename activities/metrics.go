package activities

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"

	"github.com/relance/relance/campaign"
)

// Metrics counts what became of messages, as seen by this process since it
// began. The database's own counts are the exact ones: a message that an
// acknowledgement settled before its sender could is not among these.
// A nil Metrics counts nothing.
type Metrics struct {
	messages *prometheus.CounterVec
	answers  prometheus.Histogram
}

// What a message can come to.
const (
	outcomeSent    = "sent"
	outcomeFailed  = "failed"
	outcomeUnknown = "unknown"
)

// NewMetrics registers the metrics of activities.
func NewMetrics(registry prometheus.Registerer) *Metrics {
	factory := promauto.With(registry)
	m := &Metrics{
		messages: factory.NewCounterVec(prometheus.CounterOpts{
			Name: "relance_messages_total",
			Help: "Messages brought to an end by this process: sent, failed for good, or of unknown outcome.",
		}, []string{"type", "outcome"}),
		answers: factory.NewHistogram(prometheus.HistogramOpts{
			Name:    "relance_answer_latency_seconds",
			Help:    "From taking a reply in to Message 2 being accepted by the provider.",
			Buckets: []float64{.1, .25, .5, .75, 1, 2, 3, 4, 5, 10, 30, 60, 600, 3600, 86400},
		}),
	}
	for _, messageType := range []campaign.MessageType{campaign.Message1, campaign.Message2} {
		for _, outcome := range []string{outcomeSent, outcomeFailed, outcomeUnknown} {
			m.messages.WithLabelValues(string(messageType), outcome) // shown from the start, so that its first increase is seen
		}
	}
	return m
}

func (m *Metrics) count(messageType campaign.MessageType, outcome string) {
	if m != nil {
		m.messages.WithLabelValues(string(messageType), outcome).Inc()
	}
}

// sent counts an accepted message whose claim, decided just after the given
// moment, found its reply to be replyAge old.
func (m *Metrics) sent(messageType campaign.MessageType, replyAge time.Duration, claimed time.Time) {
	m.count(messageType, outcomeSent)
	if m != nil && replyAge > 0 {
		m.answers.Observe((replyAge + time.Since(claimed)).Seconds())
	}
}

// ended counts a message whose recipient became final without the provider's
// acceptance. Somebody else may have learnt that it did leave; then it is not failed.
func (m *Metrics) ended(messageType campaign.MessageType, state campaign.RecipientState) {
	if state == campaign.Failed || state == campaign.NotSent {
		m.count(messageType, outcomeFailed)
	}
}
