package simulator_test

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func registration(url string, events ...string) object {
	return object{"name": "Relance", "url": url, "events": events, "device": deviceID}
}

// register registers a webhook that must be accepted and returns its path.
func (a *api) register(query string, body object) string {
	a.t.Helper()
	got := a.call("POST", "/v1/webhooks"+query, body)
	require.Equal(a.t, http.StatusCreated, got.status, string(got.body))
	var created object
	got.decode(a.t, &created)
	return "/v1/webhooks/" + created["id"].(string)
}

func (a *api) hook(path string) object {
	a.t.Helper()
	var h object
	a.call("GET", path, nil).decode(a.t, &h)
	return h
}

func TestADisabledWebhookGetsNothingUntilItIsEnabled(t *testing.T) {
	r := receive(t, nil)
	s := newSimulator(t, config())
	run(t, s)
	a := serve(t, s)
	body := registration(r.url, "message:out:sent")
	body["active"] = false
	path := a.register("", body)
	assert.Equal(t, "disabled", a.hook(path)["status"])
	a.send(ana, "while it was disabled")
	quiet(t, s)

	var enabled object
	a.call("POST", path+"/enable", nil).decode(t, &enabled)
	assert.Equal(t, "active", enabled["status"])
	a.send(ana, "after it was enabled")
	quiet(t, s)
	require.Len(t, r.all(), 1)
	assert.Equal(t, "after it was enabled", r.all()[0].Data["reference"])

	require.Equal(t, 200, a.call("PATCH", path, object{"active": false}).status)
	a.send(ana, "disabled again")
	quiet(t, s)
	assert.Len(t, r.all(), 1)
}

func TestAWebhookMovesToAnotherURLAndOtherEvents(t *testing.T) {
	before, after := receive(t, nil), receive(t, nil)
	s := newSimulator(t, config())
	run(t, s)
	a := serve(t, s)
	path := a.register("", registration(before.url, "message:in:new"))
	got := a.call("PATCH", path, object{"url": after.url, "events": []string{"message:out:sent"}})
	require.Equal(t, 200, got.status, string(got.body))
	want := a.hook(path)
	delete(want, "createdAt")
	assert.Equal(t, object{
		"id": want["id"], "name": "Relance", "url": after.url, "events": []any{"message:out:sent"}, "device": deviceID, "status": "active",
	}, want)
	a.send(ana, "ref")
	quiet(t, s)
	assert.Empty(t, before.all())
	assert.Equal(t, []string{"message:out:sent"}, after.words())

	again := a.register("", registration(before.url, "message:in:new"))
	assert.NotEqual(t, path, again, "the URL is free, the id is not")
}

func TestARemovedWebhookGetsNothingMore(t *testing.T) {
	r := receive(t, func(int, webhook) int { return 500 })
	s := newSimulator(t, config())
	run(t, s)
	a := serve(t, s)
	path := a.register("", registration(r.url, "message:out:sent"))
	a.send(ana, "ref")
	require.Eventually(t, func() bool { return len(r.all()) > 0 }, soon, tick)
	require.Equal(t, 204, a.call("DELETE", path, nil).status)
	quiet(t, s) // although the event was never acknowledged
	assert.True(t, s.Ledger().Webhooks[0].GaveUp)
	for _, call := range [][2]string{{"GET", ""}, {"DELETE", ""}, {"PATCH", ""}, {"POST", "/enable"}} {
		assert.Equal(t, 404, a.call(call[0], path+call[1], object{}).status, call)
	}
	assert.Equal(t, path, a.register("", registration(r.url, "message:in:new")))
}

func TestASenselessChangeIsRefusedAndChangesNothing(t *testing.T) {
	cfg := config()
	cfg.WebhookURL = "http://127.0.0.1:1/hook"
	s := newSimulator(t, cfg)
	a := serve(t, s)
	path := a.register("", registration("http://127.0.0.1:1/other", "message:in:new"))
	before := a.hook(path)
	for _, c := range []struct {
		body   any
		status int
	}{
		{object{"url": cfg.WebhookURL}, 409},
		{object{"url": "nowhere"}, 400},
		{object{"events": []string{}}, 400},
		{object{"events": []string{"message:out:read"}}, 400},
		{object{"name": ""}, 400},
		{object{"headers": object{}}, 400},
		{object{"device": "000000000000000000000000"}, 404},
		{"no JSON", 400},
	} {
		assert.Equal(t, c.status, a.call("PATCH", path, c.body).status, "%v", c.body)
		assert.Equal(t, before, a.hook(path), "%v", c.body)
	}
}

func TestWebhooksAreListedByStateAndPage(t *testing.T) {
	s := newSimulator(t, config())
	a := serve(t, s)
	for n := range 23 {
		body := registration(fmt.Sprint("http://127.0.0.1:1/", n), "message:in:new")
		body["active"] = n != 5
		a.register("", body)
	}
	for query, want := range map[string]int{
		"": 20, "?page=1": 3, "?page=2": 0, "?size=100": 23, "?size=10&page=2": 3,
		"?status=disabled": 1, "?status=active&size=50": 22, "?status=active&status=disabled&size=50": 23, "?status=pending": 0,
	} {
		var listed []object
		a.call("GET", "/v1/webhooks"+query, nil).decode(t, &listed)
		assert.Len(t, listed, want, query)
	}
	for _, query := range []string{"?size=0", "?page=x", "?url=x"} {
		assert.Equal(t, 400, a.call("GET", "/v1/webhooks"+query, nil).status, query)
	}
}

func TestWhatBecameOfAWebhookOutlivesAKill(t *testing.T) {
	silent, moved, enabled := receive(t, nil), receive(t, nil), receive(t, nil)
	cfg := config()
	cfg.JournalPath = journalPath(t)
	cfg.WebhookURL = silent.url + "&configured"
	first := newSimulator(t, cfg)
	a := serve(t, first)
	for _, h := range []object{registration(silent.url, "message:out:sent"), registration(silent.url+"&2", "message:out:sent")} {
		path := a.register("", h)
		require.Equal(t, 200, a.call("PATCH", path, object{"active": false}).status)
	}
	var configured []object
	a.call("GET", "/v1/webhooks?size=1", nil).decode(t, &configured)
	require.Equal(t, 204, a.call("DELETE", "/v1/webhooks/"+configured[0]["id"].(string), nil).status)
	path := a.register("", registration("http://127.0.0.1:1", "message:in:new"))
	require.Equal(t, 200, a.call("PATCH", path, object{"url": moved.url, "events": []string{"message:out:sent"}}).status)
	late := registration(enabled.url, "message:out:sent")
	late["active"] = false
	path = a.register("", late)
	a.send(ana, "ref")
	require.Equal(t, 200, a.call("POST", path+"/enable", nil).status)

	cfg.JournalPath = killed(t, cfg.JournalPath, "")
	second := newSimulator(t, cfg)
	run(t, second)
	quiet(t, second)
	assert.Empty(t, silent.all(), "two are disabled, the configured one was removed")
	assert.Equal(t, []string{"message:out:sent"}, moved.words())
	assert.Empty(t, enabled.all(), "it was disabled when the message was sent")
	serve(t, second).send(luc, "ref")
	quiet(t, second)
	assert.Len(t, moved.all(), 2)
	assert.Len(t, enabled.all(), 1)
}

func TestAnAnswerDoesNotWaitForAWebhookThatIsDisabled(t *testing.T) {
	r := receive(t, nil)
	cfg := config()
	cfg.Delivery.AckBeforeResponse = 1
	s := newSimulator(t, cfg)
	run(t, s)
	a := serve(t, s)
	path := a.register("", registration(r.url, "message:out:ack"))
	require.Equal(t, 200, a.call("PATCH", path, object{"active": false}).status)
	began := time.Now()
	a.send(ana, "ref")
	assert.Less(t, time.Since(began), 2*time.Second)
	assert.Empty(t, r.all())
}
