package wassenger

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/relance/relance/wassenger/simulator"
)

const hookURL = "https://relance.example.com/webhooks/wassenger?token=t0k3n%2Fhook"

var ours = Webhook{Name: "Relance", URL: hookURL, Events: SubscribedEvents, DeviceID: device}

// simulated is a client of a simulator.
func simulated(t *testing.T) (*Client, *simulator.Simulator) {
	t.Helper()
	s, err := simulator.New(simulator.Config{Token: secretToken, DeviceID: device, DevicePhone: "+33639989999", WebhookSecret: "shared"})
	require.NoError(t, err)
	server := httptest.NewServer(s.Handler())
	t.Cleanup(func() { server.Close(); require.NoError(t, s.Close()) })
	return newClient(t, server.URL+"/v1"), s
}

func TestAWebhookIsCreatedUpdatedEnabledAndDeleted(t *testing.T) {
	client, _ := simulated(t)
	created, err := client.CreateWebhook(t.Context(), ours, "")
	require.NoError(t, err)
	want := ours
	want.ID, want.Status = created.ID, WebhookActive
	listed, err := client.Webhooks(t.Context())
	require.NoError(t, err)
	assert.Equal(t, []Webhook{want}, listed, "the secret is told once")
	want.Secret = "shared"
	assert.Equal(t, want, created)

	_, err = client.CreateWebhook(t.Context(), ours, "")
	assert.ErrorIs(t, err, ErrWebhookExists)
	assert.Equal(t, http.StatusConflict, refused(t, err, Rejected).Status)

	want.Secret, want.URL, want.Events = "", "https://relance.example.com/elsewhere", []string{"message:in:new"}
	require.NoError(t, client.UpdateWebhook(t.Context(), want))
	require.NoError(t, client.EnableWebhook(t.Context(), want.ID))
	listed, err = client.Webhooks(t.Context())
	require.NoError(t, err)
	assert.Equal(t, []Webhook{want}, listed)

	for range 2 { // that it is gone already is no failure
		require.NoError(t, client.DeleteWebhook(t.Context(), want.ID))
	}
	listed, err = client.Webhooks(t.Context())
	require.NoError(t, err)
	assert.Empty(t, listed)
	assert.Equal(t, http.StatusNotFound, refused(t, client.EnableWebhook(t.Context(), want.ID), Rejected).Status)
	assert.Equal(t, http.StatusNotFound, refused(t, client.UpdateWebhook(t.Context(), want), Rejected).Status)
}

func TestAllPagesOfWebhooksAreListed(t *testing.T) {
	client, _ := simulated(t)
	for n := range 43 {
		w := ours
		w.URL = "https://example.com/" + strconv.Itoa(n)
		_, err := client.CreateWebhook(t.Context(), w, "")
		require.NoError(t, err)
	}
	listed, err := client.Webhooks(t.Context())
	require.NoError(t, err)
	assert.Len(t, listed, 43)
}

func TestAProviderThatKnowsNoPagesIsNotAskedForEver(t *testing.T) {
	asked := 0
	server := serveFunc(t, func(w http.ResponseWriter, _ *http.Request) {
		asked++
		_, _ = io.WriteString(w, `[{"id":"1"},{"id":"2"}]`)
	})
	listed, err := newClient(t, server.URL).Webhooks(t.Context())
	require.NoError(t, err)
	assert.Len(t, listed, 2)
	assert.Equal(t, 2, asked)
}

func TestAWebhooksRequestHasDocumentedFieldsOnly(t *testing.T) {
	var request, body string
	server := serveFunc(t, func(w http.ResponseWriter, r *http.Request) {
		raw, _ := io.ReadAll(r.Body)
		request, body = r.Method+" "+r.URL.String(), string(raw)
		_, _ = io.WriteString(w, `{"id":"1"}`)
	})
	client := newClient(t, server.URL+"/v1")
	settings := `{"name":"Relance","url":"` + hookURL + `","events":["message:in:new","message:reaction","message:out:sent","message:out:ack","message:out:failed"],"device":"` + device + `"}`

	_, err := client.CreateWebhook(t.Context(), ours, "inbound-text")
	require.NoError(t, err)
	assert.Equal(t, "POST /v1/webhooks?sample=inbound-text", request)
	assert.JSONEq(t, settings, body)

	changed := ours
	changed.ID, changed.DeviceID = "a/b", ""
	require.NoError(t, client.UpdateWebhook(t.Context(), changed))
	assert.Equal(t, "PATCH /v1/webhooks/a%2Fb", request)
	assert.JSONEq(t, strings.Replace(settings, `,"device":"`+device+`"`, "", 1), body)

	require.NoError(t, client.EnableWebhook(t.Context(), "1"))
	assert.Equal(t, "POST /v1/webhooks/1/enable", request)
	assert.Empty(t, body)
	require.NoError(t, client.DeleteWebhook(t.Context(), "1"))
	assert.Equal(t, "DELETE /v1/webhooks/1", request)
	assert.Empty(t, body)
}

func TestWebhooksAreReadWithTolerance(t *testing.T) {
	for body, want := range map[string]Webhook{
		`{"id":"1","name":"n","url":"https://a.org","events":["message:in:new"],"device":"d","status":"active","createdAt":5}`: {ID: "1", Name: "n", URL: "https://a.org", Events: []string{"message:in:new"}, DeviceID: "d", Status: WebhookActive},
		`{"id":7,"device":{"id":"d","alias":"Main"},"status":"disabled","active":true}`:                                        {ID: "7", DeviceID: "d", Status: WebhookDisabled},
		`{"id":"1","device":null,"active":true}`:                                                                               {ID: "1", Status: WebhookActive},
		`{"id":"1","active":false,"events":"message:in:new"}`:                                                                  {ID: "1", Status: WebhookDisabled},
		`{"id":"1","active":null,"events":[5,"x"],"secret":"s"}`:                                                               {ID: "1", Events: []string{"5", "x"}, Secret: "s"},
	} {
		listed, err := newClient(t, serve(t, 200, "["+body+"]").URL).Webhooks(t.Context())
		require.NoError(t, err)
		assert.Equal(t, []Webhook{want}, listed, body)
	}
}

func TestAListOfWebhooksThatProvesNothingIsAnError(t *testing.T) {
	for _, body := range []string{``, `null`, `<html>`, `{"id":"1"}`, `[{"id":"1"},{"url":"https://a.org"}]`, `[5]`} {
		_, err := newClient(t, serve(t, 200, body).URL).Webhooks(t.Context())
		refused(t, err, Unknown)
	}
	_, err := newClient(t, serve(t, 201, `{"url":"https://a.org"}`).URL).CreateWebhook(t.Context(), ours, "")
	refused(t, err, Unknown)
}

func TestAnIncompleteWebhookIsNotAskedFor(t *testing.T) {
	client := newClient(t, "http://provider.invalid")
	for name, change := range map[string]func(*Webhook){
		"no name":   func(w *Webhook) { w.Name = "" },
		"long name": func(w *Webhook) { w.Name = strings.Repeat("é", MaxWebhookName+1) },
		"no URL":    func(w *Webhook) { w.URL = "" },
		"no events": func(w *Webhook) { w.Events = nil },
	} {
		w := ours
		w.ID = "1"
		change(&w)
		_, err := client.CreateWebhook(t.Context(), w, "")
		assert.ErrorIs(t, refused(t, err, Rejected), errIncomplete, name)
		assert.ErrorIs(t, refused(t, client.UpdateWebhook(t.Context(), w), Rejected), errIncomplete, name)
	}
	for _, id := range []string{"", ".", ".."} {
		assert.ErrorIs(t, client.DeleteWebhook(t.Context(), id), errIncomplete, "%q", id)
		assert.ErrorIs(t, client.EnableWebhook(t.Context(), id), errIncomplete, "%q", id)
		assert.ErrorIs(t, client.UpdateWebhook(t.Context(), ours), errIncomplete)
	}
}

func TestARefusedWebhookTellsNothingOfItsURLsSecret(t *testing.T) {
	server := serve(t, 400, `{"message":"`+hookURL+` is not public (t0k3n/hook, t0k3n%2Fhook)","errorCode":"webhook:url"}`)
	_, err := newClient(t, server.URL).CreateWebhook(t.Context(), ours, "")
	e := refused(t, err, Rejected)
	assert.Equal(t, "… is not public (…, …)", e.Message)
	assert.EqualError(t, err, "wassenger: create webhook: rejected: HTTP 400 webhook:url")
}

func TestAWebhookMissesWhatItDoesNotSubscribeTo(t *testing.T) {
	assert.Empty(t, ours.MissingEvents())
	assert.Equal(t, []string{"message:reaction", "message:out:failed"},
		Webhook{Events: []string{"message:out:ack", "chat:update", "message:in:new", "message:out:sent"}}.MissingEvents())
}

func TestEverySubscribedEventIsUnderstood(t *testing.T) {
	for _, event := range SubscribedEvents {
		events, err := ParseWebhook([]byte(`{"event":"` + event + `","data":{"id":"x","flow":"outbound","ack":"read","reaction":"👍"}}`))
		require.NoError(t, err)
		assert.NotEqual(t, "not an event that campaigns use", events[0].Ignored, event)
	}
}
