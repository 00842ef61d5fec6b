package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// secrets are what neither a trace nor a log line may hold.
var secrets = []string{
	"6399800", "Camille", "Hello", "Merci", "Volontiers", "a-webhook-token", "provider-token", "a-token-for-tests", "correct horse", "admin@example.com",
}

// told is a campaign to one contact who replied, as collector and log were told of it.
type told struct {
	traces                *collector
	campaignID, contactID string
	log                   string // where the log is
}

// tellOfACampaign runs a campaign with its traces going to a collector. The reply
// comes when the contact's workflow has done the last thing before it waits.
func tellOfACampaign(t *testing.T, last string, changes map[string]string) told {
	t.Helper()
	traces := startCollector(t)
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", traces.url)
	t.Setenv("OTEL_BSP_SCHEDULE_DELAY", "100") // milliseconds until spans are sent
	log := logTo(t, filepath.Join(t.TempDir(), "log"))
	w := watch(t, "serve", map[string]string{"LOG_LEVEL": "debug"}, changes)
	w.call("POST", "/contacts", "application/json", fmt.Sprintf(`{"phone":%q,"name":"Camille","category_ids":[],"attributes":{}}`, watchedPhone))
	var listed struct{ Items []struct{ ID string } }
	require.NoError(t, json.Unmarshal(w.call("GET", "/contacts?q=%2B33639980001", "", ""), &listed))
	var started struct{ Campaign struct{ ID string } }
	require.NoError(t, json.Unmarshal(w.call("POST", "/campaigns/start", "application/json", fmt.Sprintf(
		`{"name":"Test","message_1":"Hello","message_2":"Merci","contact_ids":[%q],"category_ids":[]}`, listed.Items[0].ID)), &started))
	traces.traceBegunBy("POST /campaigns/start", func(c *assert.CollectT, trace whole) {
		assert.Contains(c, trace.paths(), "POST /campaigns/start > start Campaign > "+last)
	})
	require.Len(t, w.simulator.Ledger().Messages, 1)
	w.call("POST", "/webhooks/wassenger?token=a-webhook-token-of-tests", "application/json", fmt.Sprintf(
		`{"id":"A1","object":"message","event":"message:in:new","device":{"id":%q},"data":{"id":"A1","type":"text","flow":"inbound","fromNumber":%q,"body":"Volontiers"}}`,
		watchedDevice, watchedPhone))
	require.Eventually(t, func() bool { return len(w.simulator.Ledger().Messages) == 2 }, time.Minute, 20*time.Millisecond)
	return told{traces: traces, campaignID: started.Campaign.ID, contactID: listed.Items[0].ID, log: log}
}

// logTo leads what the process logs into a file until the test ends.
func logTo(t *testing.T, path string) string {
	t.Helper()
	file, err := os.Create(path)
	require.NoError(t, err)
	terminal := os.Stderr
	os.Stderr = file
	t.Cleanup(func() {
		os.Stderr = terminal
		require.NoError(t, file.Close())
	})
	return path
}

func TestOneTraceLeadsFromACampaignsStartToTheProvider(t *testing.T) {
	campaign := tellOfACampaign(t, "ContactV2 CloseWindow", nil)
	trace := campaign.traces.traceBegunBy("POST /campaigns/start", func(c *assert.CollectT, trace whole) {
		assert.Subset(c, trace.paths(), []string{
			"POST /campaigns/start > start Campaign",
			"POST /campaigns/start > start Campaign > Campaign FreezeAudience",
			"POST /campaigns/start > start Campaign > Campaign AdmitRecipients",
			"POST /campaigns/start > start Campaign > Wave SendWave > claim",
			"POST /campaigns/start > start Campaign > Wave SendWave > POST provider/messages",
			"POST /campaigns/start > start Campaign > Wave SendWave > settle",
		})
	})
	assert.Equal(t, campaign.campaignID, trace.attributes("POST /campaigns/start")["relance.campaign_id"])
	call := trace.attributes("POST provider/messages")
	assert.Equal(t, []string{campaign.campaignID, campaign.contactID, "message_1", "accepted"},
		[]string{call["relance.campaign_id"], call["relance.contact_id"], call["relance.message_type"], call["relance.outcome"]})
	campaign.requireToldNoSecret(t)
	campaign.requireLogLeadsTo(t, trace)
}

func TestOneTraceLeadsFromAReplyToItsAnswerAndTheWorkflowThatHearsOfIt(t *testing.T) {
	campaign := tellOfACampaign(t, "ContactV2 CloseWindow", nil)
	trace := campaign.traces.traceBegunBy("POST /webhooks/wassenger", func(c *assert.CollectT, trace whole) {
		assert.Subset(c, trace.paths(), []string{
			"POST /webhooks/wassenger > store webhook",
			"POST /webhooks/wassenger > apply webhook",
			"POST /webhooks/wassenger > claim",
			"POST /webhooks/wassenger > POST provider/messages",
			"POST /webhooks/wassenger > settle",
			"POST /webhooks/wassenger > signal interaction > ContactV2 CloseWindow",
		})
	})
	assert.Equal(t, "reply in time", trace.attributes("apply webhook")["relance.outcome"])
	assert.Equal(t, "message_2", trace.attributes("POST provider/messages")["relance.message_type"])
	assert.Equal(t, campaign.contactID, trace.attributes("signal interaction")["relance.contact_id"])
	campaign.requireToldNoSecret(t)
}

func TestOneTraceLeadsFromAReplyThroughItsWorkflowToTheProviderWhereNothingIsSentAhead(t *testing.T) {
	campaign := tellOfACampaign(t, "ContactV2 SendMessage", map[string]string{"SEND_AHEAD": "false"})
	trace := campaign.traces.traceBegunBy("POST /webhooks/wassenger", func(c *assert.CollectT, trace whole) {
		assert.Subset(c, trace.paths(), []string{
			"POST /webhooks/wassenger > apply webhook",
			"POST /webhooks/wassenger > signal interaction > ContactV2 SendMessage > claim",
			"POST /webhooks/wassenger > signal interaction > ContactV2 SendMessage > POST provider/messages",
			"POST /webhooks/wassenger > signal interaction > ContactV2 SendMessage > settle",
		})
	})
	assert.Equal(t, campaign.contactID, trace.attributes("ContactV2 SendMessage")["relance.contact_id"])
	campaign.requireToldNoSecret(t)
}

func (c told) requireToldNoSecret(t *testing.T) {
	t.Helper()
	logged, err := os.ReadFile(c.log)
	require.NoError(t, err)
	require.NotEmpty(t, logged)
	for _, secret := range secrets {
		assert.NotContains(t, c.traces.text(), secret)
		assert.NotContains(t, string(logged), secret)
	}
}

// requireLogLeadsTo holds the log against the trace of the campaign's start: request,
// campaign and trace find each other, and no line about a workflow lacks the campaign.
func (c told) requireLogLeadsTo(t *testing.T, trace whole) {
	t.Helper()
	file, err := os.Open(c.log)
	require.NoError(t, err)
	defer file.Close()
	request := trace.attributes("POST /campaigns/start")["relance.request_id"]
	require.NotEmpty(t, request)
	seen := map[string]bool{}
	for lines := bufio.NewScanner(file); lines.Scan(); {
		var line map[string]any
		require.NoError(t, json.Unmarshal(lines.Bytes(), &line), lines.Text())
		if line["WorkflowID"] == "campaign/"+c.campaignID {
			assert.Equal(t, c.campaignID, line["campaign_id"], lines.Text())
		}
		if line["request_id"] == request {
			assert.Equal(t, trace.id(), line["trace_id"], lines.Text())
			assert.NotEmpty(t, line["span_id"])
			seen[fmt.Sprint(line["msg"])] = true
			if line["msg"] == "A campaign was started." {
				assert.Equal(t, c.campaignID, line["campaign_id"])
			}
		}
	}
	assert.True(t, seen["request"] && seen["A campaign was started."], "%v", seen)
}

// A collector that takes connections and never says a word holds nothing up.
func TestCollectorThatNeverAnswersHoldsNothingUp(t *testing.T) {
	asked, end := make(chan struct{}, 1000), make(chan struct{})
	hole := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		asked <- struct{}{}
		select {
		case <-end:
		case <-r.Context().Done():
		}
	}))
	t.Cleanup(hole.Close)
	t.Cleanup(func() { close(end) })
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", hole.URL)
	t.Setenv("OTEL_BSP_SCHEDULE_DELAY", "10")
	began := time.Now()
	stop := make(chan time.Time, 1)
	t.Run("while it runs", func(t *testing.T) {
		w := watch(t, "serve")
		w.call("POST", "/contacts", "application/json", fmt.Sprintf(`{"phone":%q,"name":"Camille","category_ids":[],"attributes":{}}`, watchedPhone))
		<-asked // the collector has a batch and keeps it
		for range 100 {
			w.call("GET", "/contacts", "", "")
		}
		stop <- time.Now()
	})
	// Stopping waited for the collector, but not for long.
	assert.Less(t, time.Since(<-stop), 30*time.Second)
	assert.Less(t, time.Since(began), 2*time.Minute)
}

func TestProfilesAreOnTheInternalListenerAlone(t *testing.T) {
	w := watch(t, "serve")
	for _, path := range []string{"/debug/pprof/", "/debug/pprof/heap", "/debug/pprof/goroutine"} {
		assert.Equal(t, http.StatusOK, status(w.internal+path), path)
		assert.Equal(t, http.StatusNotFound, status(w.public+path), path)
	}
}
