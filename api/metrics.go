package api

import (
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
)

// metrics of requests. A nil metrics counts nothing.
type metrics struct {
	durations *prometheus.HistogramVec
	inFlight  prometheus.Gauge
}

func newMetrics(registry prometheus.Registerer) *metrics {
	if registry == nil {
		return nil
	}
	factory := promauto.With(registry)
	return &metrics{
		durations: factory.NewHistogramVec(prometheus.HistogramOpts{
			Name: "relance_http_request_duration_seconds",
			Help: "How long requests took, by method, route and class of the answer's status.",
			// The targets are 50 ms for reading and 100 ms for writing (Property 1).
			Buckets: []float64{.005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 15},
		}, []string{"method", "route", "status"}),
		inFlight: factory.NewGauge(prometheus.GaugeOpts{
			Name: "relance_http_requests_in_flight", Help: "Requests that are being answered.",
		}),
	}
}

func (m *metrics) began() {
	if m != nil {
		m.inFlight.Inc()
	}
}

// methods that are shown as they are; callers may invent any number of others.
var methods = []string{
	http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions,
}

// ended counts a request to a route as gin writes it, never to a path.
func (m *metrics) ended(method, route string, status int, took time.Duration) {
	if m == nil {
		return
	}
	m.inFlight.Dec()
	if !slices.Contains(methods, method) {
		method = "other"
	}
	m.durations.WithLabelValues(method, pathTemplate(route), strconv.Itoa(status/100)+"xx").Observe(took.Seconds())
}
