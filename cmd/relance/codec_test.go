package main

import (
	"bytes"
	"encoding/base64"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	commonpb "go.temporal.io/api/common/v1"
	enumspb "go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/api/proxy"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/converter"
	"google.golang.org/protobuf/proto"

	"github.com/relance/relance/store"
	"github.com/relance/relance/workflows"
)

func codecKeyOf(id string, b byte) string {
	return id + ":" + base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{b}, 32))
}

var (
	firstKey  = codecKeyOf("first", 1)
	secondKey = codecKeyOf("second", 2)
)

// One campaign lives through a rotation of keys, and through workers that were given
// the new key alone by mistake.
func TestNothingInTemporalIsReadableAndARotationInMidCampaignLosesNothing(t *testing.T) {
	d := deployed(t)
	const early, late = "+33639980001", "+33639980002"
	t.Setenv("TEMPORAL_CODEC_KEYS", firstKey)
	stop := d.serve()
	id := d.campaign(early, late)
	d.awaitMessages(2)
	d.reply(early)
	d.awaitMessages(3)
	h := openHistories(t, d.namespace)
	contact := map[string]string{early: h.contact(id, early), late: h.contact(id, late)}
	h.awaitEnd(contact[early])
	h.await(contact[late], enumspb.EVENT_TYPE_TIMER_STARTED)
	stop()

	t.Setenv("TEMPORAL_CODEC_KEYS", secondKey)
	out, err := relance(t, "replay")
	require.ErrorContains(t, err, "would get stuck with this build")
	assert.Contains(t, out, `TEMPORAL_CODEC_KEYS has no key "first"`)
	stop = d.serve()
	d.reply(late)
	d.awaitMessages(4) // no workflow is needed for an answer
	h.await(contact[late], enumspb.EVENT_TYPE_WORKFLOW_TASK_FAILED)
	stop()

	t.Setenv("TEMPORAL_CODEC_KEYS", secondKey+","+firstKey)
	out, err = relance(t, "replay")
	require.NoError(t, err, out)
	stop = d.serve()
	h.awaitEnd(contact[late])
	h.awaitEnd(workflows.CampaignID(uuid.MustParse(id)))
	stop()
	require.Len(t, d.simulator.Ledger().Messages, 4)

	sealed := h.payloads()
	assert.Greater(t, len(sealed), 20)
	keys := map[string]int{}
	for _, payload := range sealed {
		require.Equal(t, "binary/encrypted", string(payload.GetMetadata()["encoding"]), "%s", payload.GetData())
		keys[string(payload.GetMetadata()["encryption-key-id"])]++
	}
	assert.Positive(t, keys["first"])
	assert.Positive(t, keys["second"])
	for _, plain := range []string{"campaign_id", "Message 1", "message_1_sent", "TEMPORAL_CODEC_KEYS", "goroutine"} {
		assert.NotContains(t, string(h.raw()), plain)
	}

	server := "http://" + d.codecServer()
	read, err := converter.NewRemotePayloadCodec(converter.RemotePayloadCodecOptions{Endpoint: server}).Decode(sealed)
	require.NoError(t, err)
	var told strings.Builder
	for _, payload := range read {
		told.Write(payload.GetData())
	}
	for _, want := range []string{`"campaign_id":"` + id, "Message 1, a reply within the window, Message 2", "Reply window", "message_2_sent", `has no key \"first\"`} {
		assert.Contains(t, told.String(), want)
	}
}

// codecServer starts one and returns its address.
func (d deployment) codecServer(flags ...string) string {
	d.t.Helper()
	d.t.Setenv("TEMPORAL_UI_URL", "https://temporal.example.com/ui")
	address := freeAddress(d.t)
	d.start(append([]string{"temporal", "codec-server", "--listen", address}, flags...)...)
	require.Eventually(d.t, func() bool { return status("http://"+address) != 0 }, time.Minute, 20*time.Millisecond)
	return address
}

type histories struct {
	t         *testing.T
	client    client.Client
	namespace string
}

func openHistories(t *testing.T, namespace string) histories {
	t.Helper()
	c, _, err := dialTemporal(t.Context())
	require.NoError(t, err)
	t.Cleanup(c.Close)
	return histories{t, c, namespace}
}

// contact is the id of the workflow of somebody in a campaign.
func (h histories) contact(id, phone string) string {
	h.t.Helper()
	c, err := readConfig(processEnvironment())
	require.NoError(h.t, err)
	s, err := store.Open(h.t.Context(), c.DatabaseURL, store.Options{MaxConnections: 1})
	require.NoError(h.t, err)
	defer func() { require.NoError(h.t, s.Close()) }()
	recipients, err := s.Correspondences(h.t.Context(), uuid.MustParse(id))
	require.NoError(h.t, err)
	for _, recipient := range recipients {
		if recipient.Phone == phone {
			return workflows.ContactID(uuid.MustParse(id), recipient.ContactID)
		}
	}
	require.Fail(h.t, "no such recipient")
	return ""
}

func (h histories) of(workflowID string) *historypb.History {
	history := &historypb.History{}
	events := h.client.GetWorkflowHistory(h.t.Context(), workflowID, "", false, enumspb.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
	for events.HasNext() {
		event, err := events.Next()
		if err != nil {
			break // it has not begun yet
		}
		history.Events = append(history.Events, event)
	}
	return history
}

func (h histories) await(workflowID string, kind enumspb.EventType) {
	h.t.Helper()
	require.Eventually(h.t, func() bool {
		for _, event := range h.of(workflowID).GetEvents() {
			if event.GetEventType() == kind {
				return true
			}
		}
		return false
	}, 3*time.Minute, 50*time.Millisecond, "%s of %s", kind, workflowID)
}

func (h histories) awaitEnd(workflowID string) {
	h.t.Helper()
	h.await(workflowID, enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED)
}

// all are the histories of every workflow in the namespace.
func (h histories) all() (all []*historypb.History) {
	h.t.Helper()
	require.Eventually(h.t, func() bool { // the list is behind for a moment
		listed, err := h.client.ListWorkflow(h.t.Context(), &workflowservice.ListWorkflowExecutionsRequest{Namespace: h.namespace})
		require.NoError(h.t, err)
		all = nil
		for _, run := range listed.GetExecutions() {
			all = append(all, h.of(run.GetExecution().GetWorkflowId()))
		}
		return len(all) == 4 // campaign, wave, two contacts
	}, time.Minute, 100*time.Millisecond)
	return all
}

func (h histories) raw() (raw []byte) {
	h.t.Helper()
	for _, history := range h.all() {
		encoded, err := proto.Marshal(history)
		require.NoError(h.t, err)
		raw = append(raw, encoded...)
	}
	return raw
}

// payloads are everything that Relance has put into the histories, but for search
// attributes, which Temporal must read.
func (h histories) payloads() (payloads []*commonpb.Payload) {
	h.t.Helper()
	for _, history := range h.all() {
		require.NoError(h.t, proxy.VisitPayloads(h.t.Context(), history, proxy.VisitPayloadsOptions{
			SkipSearchAttributes: true,
			Visitor: func(_ *proxy.VisitPayloadsContext, visited []*commonpb.Payload) ([]*commonpb.Payload, error) {
				payloads = append(payloads, visited...)
				return visited, nil
			},
		}))
	}
	return payloads
}

func TestCodecServerAnswersTheWebUIAndNoOtherPage(t *testing.T) {
	d := deployed(t)
	t.Setenv("TEMPORAL_CODEC_KEYS", firstKey)
	open, guarded := d.codecServer(), d.codecServer("--authenticate")
	stop := d.serve() // makes the first user
	stop()
	ask := func(address string, headers map[string]string) *http.Response {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+address+"/decode", strings.NewReader(`{"payloads":[]}`))
		require.NoError(t, err)
		for name, value := range headers {
			request.Header.Set(name, value)
			if name == "Host" {
				request.Host = value
			}
		}
		response, err := http.DefaultClient.Do(request)
		require.NoError(t, err)
		require.NoError(t, response.Body.Close())
		return response
	}
	const page = "https://temporal.example.com"
	for _, c := range []struct {
		name, address string
		headers       map[string]string
		want          int
	}{
		{"this machine", open, nil, http.StatusOK},
		{"the Web UI", open, map[string]string{"Origin": page}, http.StatusOK},
		{"another page", open, map[string]string{"Origin": "https://evil.example.com"}, http.StatusForbidden},
		{"another name for this machine", open, map[string]string{"Host": "evil.example.com:8081"}, http.StatusForbidden},
		{"nobody", guarded, map[string]string{"Origin": page}, http.StatusUnauthorized},
		{"a wrong token", guarded, map[string]string{"Authorization": "Bearer wrong"}, http.StatusUnauthorized},
		{"a wrong session", guarded, map[string]string{"Cookie": "relance_session=wrong"}, http.StatusUnauthorized},
		{"a token", guarded, map[string]string{"Authorization": "Bearer " + adminToken, "Host": "relance.example.com"}, http.StatusOK},
		{"a token, another page", guarded, map[string]string{"Authorization": "Bearer " + adminToken, "Origin": "https://evil.example.com"}, http.StatusForbidden},
	} {
		response := ask(c.address, c.headers)
		assert.Equal(t, c.want, response.StatusCode, c.name)
		if c.headers["Origin"] == page {
			assert.Equal(t, page, response.Header.Get("Access-Control-Allow-Origin"), c.name)
			assert.Equal(t, "true", response.Header.Get("Access-Control-Allow-Credentials"), c.name)
		} else {
			assert.Empty(t, response.Header.Get("Access-Control-Allow-Origin"), c.name)
		}
	}

	preflight, err := http.NewRequestWithContext(t.Context(), http.MethodOptions, "http://"+guarded+"/decode", http.NoBody)
	require.NoError(t, err)
	for name, value := range map[string]string{"Origin": page, "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization,content-type,x-namespace"} {
		preflight.Header.Set(name, value)
	}
	response, err := http.DefaultClient.Do(preflight)
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	assert.Equal(t, page, response.Header.Get("Access-Control-Allow-Origin"))
	assert.Equal(t, "authorization,content-type,x-namespace", response.Header.Get("Access-Control-Allow-Headers"))
}

func TestCodecServerSaysWhatItLacks(t *testing.T) {
	_, err := relance(t, "temporal", "codec-server")
	require.ErrorContains(t, err, "TEMPORAL_UI_URL is missing")
	t.Setenv("TEMPORAL_UI_URL", "https://temporal.example.com")
	_, err = relance(t, "temporal", "codec-server", "--listen", "0.0.0.0:0")
	require.ErrorContains(t, err, "DATABASE_URL is missing", "it asks who calls where others can")
	_, err = relance(t, "temporal", "codec-server", "--listen", "here")
	require.ErrorContains(t, err, "--listen must be an address")
}
