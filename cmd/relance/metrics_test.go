package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/prometheus/client_golang/prometheus/testutil/promlint"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/relance/relance/devstack"
	"github.com/relance/relance/devstack/testenv"
	"github.com/relance/relance/migrations"
	"github.com/relance/relance/wassenger/simulator"
)

const (
	watchedDevice = "64a1b2c3d4e5f60718293a4b"
	watchedPhone  = "+33639980001"
)

// watched is a command of Relance's, really started, on real servers.
type watched struct {
	t                *testing.T
	public, internal string
	simulator        *simulator.Simulator
}

// watch starts one of the commands that serve the API. changes are made to its environment.
func watch(t *testing.T, command string, changes ...map[string]string) watched {
	t.Helper()
	temporal := testenv.Temporal(t)
	sim, err := simulator.New(simulator.Config{Token: "provider-token", DeviceID: watchedDevice, DevicePhone: "+33639989999", Logger: slog.New(slog.DiscardHandler)})
	require.NoError(t, err)
	provider := httptest.NewServer(sim.Handler())
	t.Cleanup(provider.Close)
	t.Cleanup(func() { require.NoError(t, sim.Close()) })
	public, internal := freeAddress(t), freeAddress(t)
	environment := map[string]string{
		"DATABASE_URL": testenv.Database(t, migrations.UpAt), "REDIS_URL": "redis://" + miniredis.RunT(t).Addr(),
		"TEMPORAL_ADDRESS": temporal.Address(), "TEMPORAL_NAMESPACE": temporal.Namespace(),
		"WASSENGER_BASE_URL": provider.URL + "/v1", "WASSENGER_TOKEN": "provider-token", "WASSENGER_DEVICE_ID": watchedDevice,
		"WEBHOOK_TOKEN": "a-webhook-token-of-tests", "ADMIN_EMAIL": "admin@example.com", "ADMIN_PASSWORD": "correct horse battery", "ADMIN_TOKEN": "a-token-for-tests-only",
		"HTTP_ADDR": public, "INTERNAL_ADDR": internal, "LOG_LEVEL": "error",
	}
	for _, change := range changes {
		maps.Copy(environment, change)
	}
	for variable, value := range environment {
		t.Setenv(variable, value)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- relanceTo(ctx, io.Discard, command) }()
	t.Cleanup(func() {
		stop()
		require.NoError(t, <-ended)
	})
	w := watched{t: t, public: "http://" + public, internal: "http://" + internal, simulator: sim}
	for _, listener := range []string{w.public, w.internal} {
		require.Eventually(t, func() bool { return status(listener+"/healthz") == http.StatusOK }, time.Minute, 20*time.Millisecond)
	}
	return w
}

func freeAddress(t *testing.T) string {
	t.Helper()
	port, err := devstack.FreePort()
	require.NoError(t, err)
	return fmt.Sprintf("127.0.0.1:%d", port)
}

// status is what a GET is answered with; 0 for no answer.
func status(url string) int {
	response, err := http.Get(url)
	if err != nil {
		return 0
	}
	_ = response.Body.Close()
	return response.StatusCode
}

func (w watched) call(method, path, contentType, body string) []byte {
	w.t.Helper()
	request, err := http.NewRequestWithContext(w.t.Context(), method, w.public+path, strings.NewReader(body))
	require.NoError(w.t, err)
	request.Header.Set("Content-Type", contentType)
	request.Header.Set("Authorization", "Bearer a-token-for-tests-only")
	response, err := http.DefaultClient.Do(request)
	require.NoError(w.t, err)
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	require.NoError(w.t, err)
	require.Less(w.t, response.StatusCode, 300, "%s", answer)
	return answer
}

// scrape is what Prometheus gets.
func (w watched) scrape() (string, map[string]*dto.MetricFamily) {
	w.t.Helper()
	response, err := http.Get(w.internal + "/metrics")
	require.NoError(w.t, err)
	defer response.Body.Close()
	require.Equal(w.t, http.StatusOK, response.StatusCode)
	text, err := io.ReadAll(response.Body)
	require.NoError(w.t, err)
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(bytes.NewReader(text))
	require.NoError(w.t, err)
	return string(text), families
}

// value is that of one series, by its label values in any order; 0 if it is absent.
func value(family *dto.MetricFamily, labels ...string) float64 {
	for _, metric := range family.GetMetric() {
		found := map[string]bool{}
		for _, pair := range metric.GetLabel() {
			found[pair.GetValue()] = true
		}
		matches := true
		for _, label := range labels {
			matches = matches && found[label]
		}
		if matches {
			return metric.GetCounter().GetValue() + metric.GetGauge().GetValue() + float64(metric.GetHistogram().GetSampleCount())
		}
	}
	return 0
}

func TestMetricsTellWhatRelanceDoes(t *testing.T) {
	w := watch(t, "serve")
	w.call("POST", "/contacts", "application/json", fmt.Sprintf(`{"phone":%q,"name":"Camille","category_ids":[],"attributes":{}}`, watchedPhone))
	var listed struct{ Items []struct{ ID string } }
	for range 2 {
		require.NoError(t, json.Unmarshal(w.call("GET", "/contacts", "", ""), &listed))
	}
	started := w.call("POST", "/campaigns/start", "application/json",
		fmt.Sprintf(`{"name":"Test","message_1":"Hello","message_2":"Thanks","contact_ids":[%q],"category_ids":[]}`, listed.Items[0].ID))
	var campaign struct{ Campaign struct{ ID string } }
	require.NoError(t, json.Unmarshal(started, &campaign))
	require.Eventually(t, func() bool { return len(w.simulator.Ledger().Messages) == 1 }, time.Minute, 20*time.Millisecond)
	w.call("POST", "/webhooks/wassenger?token=a-webhook-token-of-tests", "application/json", fmt.Sprintf(
		`{"id":"A1","object":"message","event":"message:in:new","device":{"id":%q},"data":{"id":"A1","type":"text","flow":"inbound","fromNumber":%q,"body":"Oui"}}`,
		watchedDevice, watchedPhone))
	require.Eventually(t, func() bool { return len(w.simulator.Ledger().Messages) == 2 }, time.Minute, 20*time.Millisecond)

	var text string
	require.EventuallyWithT(t, func(c *assert.CollectT) {
		var families map[string]*dto.MetricFamily
		text, families = w.scrape()
		for _, want := range []struct {
			name   string
			labels []string
			value  float64
		}{
			{"relance_http_request_duration_seconds", []string{"GET", "/contacts", "2xx"}, 2},
			{"relance_http_request_duration_seconds", []string{"POST", "/webhooks/wassenger", "2xx"}, 1},
			{"relance_cache_requests_total", []string{"contacts", "miss"}, 1},
			{"relance_cache_requests_total", []string{"contacts", "hit"}, 1},
			{"relance_cache_breaker_state", []string{"closed"}, 1},
			{"relance_messages_total", []string{"message_1", "sent"}, 1},
			{"relance_messages_total", []string{"message_2", "sent"}, 1},
			{"relance_answer_latency_seconds", nil, 1},
			{"relance_webhooks_total", []string{"ok"}, 1},
			{"relance_replies_total", []string{"reply_in_time"}, 1},
			{"relance_database_up", nil, 1},
			{"relance_temporal_up", nil, 1},
			{"relance_workers_polling", nil, 1},
			{"relance_quota_used_messages", []string{watchedDevice}, 2},
		} {
			assert.Equal(c, want.value, value(families[want.name], want.labels...), "%s %v", want.name, want.labels)
		}
		for _, some := range []string{
			"relance_dispatcher_rounds_total", "temporal_request_total", "temporal_request_latency_seconds",
			"temporal_activity_execution_latency_seconds", "go_sql_open_connections", "go_goroutines", "go_build_info", "process_cpu_seconds_total",
		} {
			assert.NotEmpty(c, families[some].GetMetric(), some)
		}
	}, time.Minute, 200*time.Millisecond)

	problems, err := promlint.New(strings.NewReader(text)).Lint()
	require.NoError(t, err)
	assert.Empty(t, problems)

	for _, secret := range []string{"3363998", "Camille", "Hello", campaign.Campaign.ID, listed.Items[0].ID, "a-token"} {
		assert.NotContains(t, text, secret)
	}
	assert.NotRegexp(t, regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-`), text, "no id in any label")
}

func TestMetricsAreOnTheInternalListenerAlone(t *testing.T) {
	w := watch(t, "api")
	assert.Equal(t, http.StatusOK, status(w.internal+"/metrics"))
	assert.Equal(t, http.StatusNotFound, status(w.public+"/metrics"))
	assert.Equal(t, http.StatusNotFound, status(w.internal+"/contacts"))
}
