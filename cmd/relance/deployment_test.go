package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"go.temporal.io/api/workflowservice/v1"

	"github.com/relance/relance/devstack/testenv"
	"github.com/relance/relance/migrations"
	"github.com/relance/relance/wassenger/simulator"
)

const (
	adminToken = "a-token-for-tests-only"
	hookToken  = "a-webhook-token-of-tests"
)

// deployment is everything that Relance's commands need, in the environment of this
// process, on real servers and with a Temporal namespace of its own.
type deployment struct {
	t         *testing.T
	namespace string
	public    string // where the API is, once it is started
	simulator *simulator.Simulator
	redis     *miniredis.Miniredis
}

// deployed prepares and starts nothing of Relance's.
func deployed(t *testing.T) deployment {
	t.Helper()
	d := deployment{t: t, namespace: "deployed-" + uuid.NewString(), redis: miniredis.RunT(t)}
	var err error
	d.simulator, err = simulator.New(simulator.Config{
		Token: "provider-token", DeviceID: thisNumber, DevicePhone: "+33639989999", Logger: slog.New(slog.DiscardHandler),
	})
	require.NoError(t, err)
	provider := httptest.NewServer(d.simulator.Handler())
	t.Cleanup(provider.Close)
	t.Cleanup(func() { require.NoError(t, d.simulator.Close()) })
	public := freeAddress(t)
	d.public = "http://" + public
	setenv(t, map[string]string{
		"DATABASE_URL": testenv.Database(t, migrations.UpAt), "REDIS_URL": "redis://" + d.redis.Addr(),
		"TEMPORAL_ADDRESS": testenv.Temporal(t).Address(), "TEMPORAL_NAMESPACE": d.namespace,
		"WASSENGER_BASE_URL": provider.URL + "/v1", "WASSENGER_TOKEN": "provider-token", "WASSENGER_DEVICE_ID": thisNumber,
		"WEBHOOK_TOKEN": hookToken, "ADMIN_EMAIL": "admin@example.com", "ADMIN_PASSWORD": "correct horse battery", "ADMIN_TOKEN": adminToken,
		"HTTP_ADDR": public, "INTERNAL_ADDR": freeAddress(t), "LOG_LEVEL": "error",
	})
	_, err = relance(t, "temporal", "setup")
	require.NoError(t, err)
	return d
}

// start runs a command until the test or its caller ends it.
func (d deployment) start(command ...string) (stop func()) {
	d.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- relanceTo(ctx, io.Discard, command...) }()
	stopped := false
	stop = func() {
		if stopped {
			return
		}
		stopped = true
		cancel()
		require.NoError(d.t, <-ended, command)
	}
	d.t.Cleanup(stop)
	return stop
}

// serve starts API and worker, and returns when the API answers.
func (d deployment) serve() (stop func()) {
	d.t.Helper()
	stop = d.start("serve")
	require.Eventually(d.t, func() bool { return status(d.public+"/healthz") == http.StatusOK }, time.Minute, 20*time.Millisecond)
	return stop
}

func (d deployment) call(method, path, body string, answer any) {
	d.t.Helper()
	request, err := http.NewRequestWithContext(d.t.Context(), method, d.public+path, strings.NewReader(body))
	require.NoError(d.t, err)
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Authorization", "Bearer "+adminToken)
	response, err := http.DefaultClient.Do(request)
	require.NoError(d.t, err)
	defer response.Body.Close()
	content, err := io.ReadAll(response.Body)
	require.NoError(d.t, err)
	require.Less(d.t, response.StatusCode, 300, "%s", content)
	if answer != nil {
		require.NoError(d.t, json.NewDecoder(bytes.NewReader(content)).Decode(answer))
	}
}

// campaign starts one to people with these numbers.
func (d deployment) campaign(phones ...string) (id string) {
	d.t.Helper()
	var contacts []string
	for _, phone := range phones {
		var contact struct{ ID string }
		d.call("POST", "/contacts", fmt.Sprintf(`{"phone":%q,"name":"Camille","category_ids":[],"attributes":{}}`, phone), &contact)
		contacts = append(contacts, fmt.Sprintf("%q", contact.ID))
	}
	var started struct{ Campaign struct{ ID string } }
	d.call("POST", "/campaigns/start", fmt.Sprintf(
		`{"name":"Test","message_1":"Hello","message_2":"Thanks","contact_ids":[%s],"category_ids":[]}`, strings.Join(contacts, ",")), &started)
	return started.Campaign.ID
}

// reply is a webhook that tells of an answer.
func (d deployment) reply(phone string) {
	d.t.Helper()
	d.call("POST", "/webhooks/wassenger?token="+hookToken, fmt.Sprintf(
		`{"id":"A%[2]s","object":"message","event":"message:in:new","device":{"id":%[1]q},"data":{"id":"A%[2]s","type":"text","flow":"inbound","fromNumber":%[2]q,"body":"Oui"}}`,
		thisNumber, phone), nil)
}

// awaitMessages waits until the provider has accepted so many.
func (d deployment) awaitMessages(n int) {
	d.t.Helper()
	require.Eventually(d.t, func() bool { return len(d.simulator.Ledger().Messages) == n }, 3*time.Minute, 20*time.Millisecond)
}

// awaitContacts waits until so many contacts' workflows run.
func (d deployment) awaitContacts(n int) {
	d.t.Helper()
	c, namespace, err := dialTemporal(d.t.Context())
	require.NoError(d.t, err)
	defer c.Close()
	require.Eventually(d.t, func() bool {
		running, err := c.CountWorkflow(d.t.Context(), &workflowservice.CountWorkflowExecutionsRequest{
			Namespace: namespace, Query: "ExecutionStatus = 'Running' AND WorkflowType = 'ContactV2'",
		})
		return err == nil && running.GetCount() == int64(n)
	}, time.Minute, 20*time.Millisecond)
}
