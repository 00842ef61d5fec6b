package simulator_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/relance/relance/wassenger/simulator"
)

func TestAWebhookIsRetriedUntilItIsAcknowledged(t *testing.T) {
	answers := []int{500, 404, 302, 429}
	r := receive(t, func(n int, _ webhook) int {
		if n <= len(answers) {
			return answers[n-1]
		}
		return 202
	})
	cfg := config()
	cfg.WebhookURL = r.url
	s := newSimulator(t, cfg)
	run(t, s)
	_, err := s.SendWebhook([]byte(`{"event":"chat:update"}`))
	require.NoError(t, err)
	quiet(t, s)
	got := s.Ledger().Webhooks
	require.Len(t, got, 1)
	assert.Equal(t, "chat:update", got[0].Event)
	assert.Equal(t, 5, got[0].Attempts)
	assert.Equal(t, 202, got[0].LastStatus)
	require.NotNil(t, got[0].First2xxAt)
	assert.True(t, got[0].First2xxAt.After(got[0].FirstAttemptAt))
	for _, w := range r.all() {
		assert.Equal(t, r.all()[0].raw, w.raw, "every attempt brings the same body")
	}
}

func TestAReceiverThatDoesNotAnswerInTimeIsTriedAgain(t *testing.T) {
	release := make(chan struct{})
	r := receive(t, func(n int, _ webhook) int {
		if n == 1 {
			<-release
		}
		return 200
	})
	t.Cleanup(func() { close(release) })
	cfg := config()
	cfg.WebhookURL, cfg.Delivery.Timeout = r.url, 50*time.Millisecond
	s := newSimulator(t, cfg)
	run(t, s)
	serve(t, s).send(ana, "ref")
	quiet(t, s)
	assert.Len(t, r.all(), 3, "two events, one of them twice")
}

func TestAWebhookIsGivenUpWhenItIsTooOld(t *testing.T) {
	r := receive(t, func(int, webhook) int { return 500 })
	cfg := config()
	cfg.WebhookURL, cfg.Delivery.GiveUpAfter = r.url, 50*time.Millisecond
	s := newSimulator(t, cfg)
	run(t, s)
	_, err := s.SendWebhook([]byte("nonsense"))
	require.NoError(t, err)
	quiet(t, s)
	got := s.Ledger().Webhooks
	require.Len(t, got, 1)
	assert.True(t, got[0].GaveUp)
	assert.Equal(t, "raw", got[0].Event)
	assert.Nil(t, got[0].First2xxAt)
	assert.Greater(t, got[0].Attempts, 1)
	assert.Equal(t, 500, got[0].LastStatus)
}

func TestNoMoreWebhooksThanAllowedAreUnderWay(t *testing.T) {
	var under, most atomic.Int32
	full := make(chan struct{})
	r := receive(t, func(int, webhook) int {
		if now := under.Add(1); now > most.Load() {
			most.Store(now)
			if now == 3 {
				close(full)
			}
		}
		select {
		case <-full:
		case <-time.After(soon):
		}
		under.Add(-1)
		return 200
	})
	cfg := config()
	cfg.WebhookURL, cfg.Delivery.Concurrency = r.url, 3
	s := newSimulator(t, cfg)
	run(t, s)
	a := serve(t, s)
	for n := range 20 {
		a.send(ana, fmt.Sprint(n))
	}
	quiet(t, s)
	assert.Len(t, r.all(), 40)
	assert.EqualValues(t, 3, most.Load())
}

func TestEveryWebhookCarriesTokenAndSignature(t *testing.T) {
	r := receive(t, nil)
	cfg := config()
	cfg.WebhookURL, cfg.WebhookToken, cfg.WebhookSecret, cfg.WebhookSignatureHeader = r.url, "hook", "shared", "X-Sign"
	s := newSimulator(t, cfg)
	run(t, s)
	serve(t, s).send(ana, "ref")
	quiet(t, s)
	require.Len(t, r.all(), 2)
	for _, w := range r.all() {
		mac := hmac.New(sha256.New, []byte("shared"))
		mac.Write(w.raw)
		assert.Equal(t, "sha256="+hex.EncodeToString(mac.Sum(nil)), w.head.Get("X-Sign"))
		assert.Equal(t, "hook", w.head.Get("X-Webhook-Token"))
		assert.Equal(t, "application/json", w.head.Get("Content-Type"))
	}
}

func TestDoubledWebhooksAreTheSameTwice(t *testing.T) {
	r := receive(t, nil)
	cfg := config()
	cfg.WebhookURL, cfg.Delivery.Duplicate = r.url, 1
	cfg.Delivery.ReorderDelay = simulator.Delay{Max: 10 * time.Millisecond}
	cfg.Contacts = simulator.Behaviour{Read: 1, Reply: 1}
	s := newSimulator(t, cfg)
	run(t, s)
	serve(t, s).send(ana, "ref")
	quiet(t, s)
	bodies := map[string]int{}
	for _, w := range r.all() {
		bodies[string(w.raw)]++
	}
	assert.Len(t, bodies, 4)
	for _, times := range bodies {
		assert.Equal(t, 2, times)
	}
	duplicates := 0
	for _, w := range s.Ledger().Webhooks {
		if w.Duplicate {
			duplicates++
		}
	}
	assert.Equal(t, 4, duplicates)
	assert.Len(t, s.Ledger().Replies, 1, "the contact has answered once")
}

func TestReorderedAcknowledgementsComeAfterTheLastOne(t *testing.T) {
	r := receive(t, nil)
	cfg := config()
	cfg.WebhookURL, cfg.Delivery.Reorder, cfg.Delivery.Concurrency = r.url, 0.5, 1
	cfg.Delivery.ReorderDelay = simulator.Delay{Min: 5 * time.Millisecond, Max: 20 * time.Millisecond}
	cfg.Contacts = simulator.Behaviour{Read: 1, ReadDelay: simulator.Delay{Min: 20 * time.Millisecond}}
	s := newSimulator(t, cfg)
	run(t, s)
	a := serve(t, s)
	orders := map[string]bool{}
	for n := range 20 {
		reference := fmt.Sprint(n)
		a.send(fmt.Sprintf("+3363998%04d", n), reference)
		quiet(t, s)
		words := r.words()
		orders[fmt.Sprint(words[len(words)-3:])] = true
	}
	assert.Contains(t, orders, "[message:out:sent delivered read]")
	assert.Contains(t, orders, "[message:out:sent read delivered]")
	assert.Contains(t, orders, "[delivered read message:out:sent]")
}

func TestAnAcknowledgementCanOvertakeTheAnswerToTheSend(t *testing.T) {
	var mu sync.Mutex
	var order []string
	note := func(what string) {
		mu.Lock()
		defer mu.Unlock()
		order = append(order, what)
	}
	r := receive(t, func(_ int, w webhook) int {
		if w.Data["ack"] == "delivered" {
			note("delivered")
		}
		return 200
	})
	cfg := config()
	cfg.WebhookURL, cfg.Delivery.AckBeforeResponse = r.url, 1
	cfg.Contacts.DeliveryDelay = simulator.Delay{Min: time.Hour}
	s := newSimulator(t, cfg)
	run(t, s)
	serve(t, s).send(ana, "ref")
	note("answered")
	assert.Equal(t, []string{"delivered", "answered"}, order)
}

func TestASendIsAnsweredThoughNobodyTakesTheWebhookThatShallOvertakeIt(t *testing.T) {
	cfg := config()
	cfg.Delivery.AckBeforeResponse = 1
	serve(t, newSimulator(t, cfg)).send(ana, "nobody plays")
	s := newSimulator(t, cfg)
	run(t, s)
	serve(t, s).send(ana, "nobody listens")
}

func TestARegisteredWebhookGetsWhatItAskedForFromThenOn(t *testing.T) {
	r := receive(t, nil)
	s := newSimulator(t, config())
	run(t, s)
	a := serve(t, s)
	a.send(ana, "before")
	quiet(t, s)
	registration := object{"name": "Relance", "url": r.url, "events": []string{"message:out:ack"}, "device": deviceID}
	got := a.call("POST", "/v1/webhooks", registration)
	require.Equal(t, http.StatusCreated, got.status, string(got.body))
	assert.Equal(t, http.StatusConflict, a.call("POST", "/v1/webhooks", registration).status)
	var listed []object
	a.call("GET", "/v1/webhooks", nil).decode(t, &listed)
	require.Len(t, listed, 1)
	assert.Equal(t, "active", listed[0]["status"])

	a.send(ana, "after")
	quiet(t, s)
	require.Len(t, r.all(), 1)
	assert.Equal(t, "after", r.all()[0].Data["reference"])
}

func TestTheConfiguredWebhookExistsAlready(t *testing.T) {
	cfg := config()
	cfg.WebhookURL = "http://127.0.0.1:1/hook"
	a := serve(t, newSimulator(t, cfg))
	for _, c := range []struct {
		body   object
		status int
	}{
		{object{"name": "a", "url": cfg.WebhookURL, "events": []string{"message:in:new"}}, 409},
		{object{"name": "a", "url": "nowhere", "events": []string{"message:in:new"}}, 400},
		{object{"name": "a", "url": "http://a.org", "events": []string{}}, 400},
		{object{"name": "a", "url": "http://a.org", "events": []string{"message:out:read"}}, 400},
		{object{"name": "a name of more than thirty characters", "url": "http://a.org", "events": []string{"message:in:new"}}, 400},
		{object{"name": "a", "url": "http://a.org", "events": []string{"message:in:new"}, "headers": object{}}, 400},
	} {
		assert.Equal(t, c.status, a.call("POST", "/v1/webhooks", c.body).status, "%v", c.body)
	}
}

func TestAnyBodyCanBeSentAsAWebhook(t *testing.T) {
	r := receive(t, nil)
	cfg := config()
	cfg.WebhookURL = r.url
	s := newSimulator(t, cfg)
	run(t, s)
	a := serve(t, s)
	bodies := []string{`{"event":"message:out:sent","data":1}`, `[{"event":"status:update"}]`, `not json`, ``}
	for _, body := range bodies {
		require.Equal(t, http.StatusCreated, a.call("POST", "/simulator/webhook", body).status)
	}
	quiet(t, s)
	var got, events []string
	for _, w := range r.all() {
		got = append(got, string(w.raw))
	}
	for _, w := range s.Ledger().Webhooks {
		events = append(events, w.Event)
	}
	assert.ElementsMatch(t, bodies, got)
	slices.Sort(events)
	assert.Equal(t, []string{"message:out:sent", "raw", "raw", "status:update"}, events)
}
