package api_test

import (
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/relance/relance/api"
)

// requests tells how often each "method route status" was answered.
func requests(t *testing.T, registry *prometheus.Registry) map[string]uint64 {
	t.Helper()
	families, err := registry.Gather()
	require.NoError(t, err)
	counted := map[string]uint64{}
	for _, family := range families {
		if family.GetName() != "relance_http_request_duration_seconds" {
			continue
		}
		for _, metric := range family.GetMetric() {
			labels := map[string]string{}
			for _, pair := range metric.GetLabel() {
				labels[pair.GetName()] = pair.GetValue()
			}
			counted[labels["method"]+" "+labels["route"]+" "+labels["status"]] = metric.GetHistogram().GetSampleCount()
		}
	}
	return counted
}

func TestRequestsAreCountedByRouteNeverByPath(t *testing.T) {
	registry := prometheus.NewRegistry()
	s := serve(t, func(o *api.Options) { o.Metrics = registry })
	c := s.contact("+33639980001")
	s.call("GET", "/contacts/"+c.ID.String(), nil)
	s.call("GET", "/contacts/"+uuid.NewString(), nil)
	s.call("GET", "/contacts/"+uuid.NewString()+"?q=%2B33639980001", nil)
	s.call("GET", "/contacts/+33639980001/no/such/path", nil)
	s.call("BREW", "/contacts", nil)
	s.call("POST", "/webhooks/wassenger?token=wrong", "{}")

	assert.Equal(t, map[string]uint64{
		"POST /contacts 2xx":           1,
		"GET /contacts/{id} 2xx":       1,
		"GET /contacts/{id} 4xx":       2,
		"GET (none) 4xx":               1,
		"other (none) 4xx":             1,
		"POST /webhooks/wassenger 4xx": 1,
	}, requests(t, registry))
	assert.NoError(t, testutil.GatherAndCompare(registry, strings.NewReader(`
		# HELP relance_http_requests_in_flight Requests that are being answered.
		# TYPE relance_http_requests_in_flight gauge
		relance_http_requests_in_flight 0
	`), "relance_http_requests_in_flight"))
	problems, err := testutil.GatherAndLint(registry)
	require.NoError(t, err)
	assert.Empty(t, problems)
}
