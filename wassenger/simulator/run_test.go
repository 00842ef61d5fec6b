package simulator_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/relance/relance/wassenger/simulator"
)

func TestRunEndsWithEveryGoroutineOfItsOwn(t *testing.T) {
	before := goleak.IgnoreCurrent()
	hold := make(chan struct{})
	r := receive(t, func(int, webhook) int { <-hold; return 200 })
	cfg := config()
	cfg.WebhookURL = r.url
	cfg.Contacts = simulator.Behaviour{Reply: 1, ReplyDelay: simulator.Delay{Min: time.Hour}}
	s := newSimulator(t, cfg)
	ignoreReceiver := goleak.IgnoreAnyFunction("net/http.(*conn).serve")
	stop := run(t, s)
	_, err := s.SendWebhook([]byte("x"))
	require.NoError(t, err)
	require.Eventually(t, func() bool { return len(r.all()) == 1 }, soon, tick)
	stop() // although the receiver does not answer
	close(hold)
	goleak.VerifyNone(t, before, ignoreReceiver, goleak.IgnoreAnyFunction("net/http/httptest.(*Server).goServe.func1"))
	assert.False(t, s.Health().Running)
}

func TestOnlyOneRunAtATimeAndThenAnother(t *testing.T) {
	s, a, r := playing(t, nil)
	require.Error(t, s.Run(context.Background()))
	a.send(ana, "ref")
	quiet(t, s)
	assert.Len(t, r.all(), 2)
}

func TestASecondRunGoesOnWhereTheFirstEnded(t *testing.T) {
	r := receive(t, nil)
	cfg := config()
	cfg.WebhookURL = r.url
	s := newSimulator(t, cfg)
	stop := run(t, s)
	stop()
	serve(t, s).send(ana, "ref")
	assert.Empty(t, r.all())
	assert.Equal(t, 2, s.Health().Planned)
	run(t, s)
	quiet(t, s)
	assert.Len(t, r.all(), 2)
}

func TestAClosedSimulatorDoesNotRun(t *testing.T) {
	s := newSimulator(t, config())
	require.NoError(t, s.Close())
	require.ErrorIs(t, s.Run(context.Background()), simulator.ErrClosed)
}

func TestTwoSimulatorsOfOneSeedHaveTheSameContacts(t *testing.T) {
	said := func(seed uint64) (all []string) {
		cfg := config()
		cfg.Seed = seed
		cfg.Contacts = simulator.Behaviour{Reply: 0.5, ExtraReplies: 0.5, Quote: 0.5, ReplyTypes: map[simulator.ReplyType]float64{
			simulator.ReplyText: 1, simulator.ReplyEmoji: 1, simulator.ReplyReaction: 1, simulator.ReplyDocument: 1,
		}}
		s := newSimulator(t, cfg)
		run(t, s)
		a := serve(t, s)
		for n := range 30 {
			a.send(fmt.Sprintf("+3363998%04d", n), "ref")
		}
		quiet(t, s)
		for _, reply := range s.Ledger().Replies {
			all = append(all, fmt.Sprint(reply.Phone, reply.Type, reply.Text, reply.QuotedWaID != ""))
		}
		return all
	}
	assert.ElementsMatch(t, said(3), said(3))
	assert.NotEqual(t, said(3), said(4))
}

func TestTheLedgerIsServedInOrderOfArrival(t *testing.T) {
	s, a, _ := playing(t, func(c *simulator.Config) { c.Contacts.Reply = 1 })
	for n := range 10 {
		a.send(ana, fmt.Sprint(n))
	}
	quiet(t, s)
	var served simulator.Ledger
	got := a.call("GET", "/simulator/ledger", nil)
	got.decode(t, &served)
	assert.Equal(t, s.Ledger(), served)
	for n, m := range served.Messages {
		assert.Equal(t, fmt.Sprint(n), m.Reference)
		assert.Equal(t, time.UTC, m.At.Location())
	}
	var keys map[string][]object
	got.decode(t, &keys)
	assert.Contains(t, keys["messages"][0], "wa_id")
	assert.Contains(t, keys["webhooks"][0], "first_2xx_at")
	var health simulator.Health
	a.call("GET", "/simulator/health", nil).decode(t, &health)
	assert.Equal(t, simulator.Health{Status: "ok", Running: true, Messages: 10, Replies: 1, Webhooks: 21}, health)
}

// safeBuffer is what concurrent loggers may write to.
type safeBuffer struct {
	mu sync.Mutex
	bytes.Buffer
}

func (b *safeBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.Buffer.Write(p)
}

func TestNoPhoneNumberNorTextNorTokenIsLogged(t *testing.T) {
	var log safeBuffer
	r := receive(t, func(int, webhook) int { return 500 })
	cfg := config()
	cfg.WebhookURL, cfg.Delivery.GiveUpAfter = r.url, 10*time.Millisecond
	cfg.Logger = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	s := newSimulator(t, cfg)
	run(t, s)
	a := serve(t, s)
	a.send(ana, "ref")
	quiet(t, s)
	require.NoError(t, s.Close())
	a.call("POST", "/v1/messages", message(ana, "ref"))
	log.mu.Lock()
	defer log.mu.Unlock()
	require.NotEmpty(t, log.String())
	for _, private := range []string{"33639980001", "Bonjour", "hook-token", token} {
		assert.NotContains(t, log.String(), private)
	}
}

func BenchmarkSend(b *testing.B) {
	cfg := config()
	cfg.JournalPath = filepath.Join(b.TempDir(), "journal")
	cfg.Contacts = simulator.Behaviour{Read: 1, Reply: 1}
	s, err := simulator.New(cfg)
	require.NoError(b, err)
	b.Cleanup(func() { require.NoError(b, s.Close()) })
	b.ReportAllocs()
	for n := 0; b.Loop(); n++ {
		body := fmt.Sprintf(`{"phone":"+3363998%04d","message":"Bonjour","device":%q,"reference":"%d"}`, n%10000, deviceID, n)
		req := httptest.NewRequest("POST", "/v1/messages", strings.NewReader(body))
		req.Header.Set("Token", token)
		w := httptest.NewRecorder()
		s.Handler().ServeHTTP(w, req)
		if w.Code != http.StatusCreated {
			b.Fatal(w.Body)
		}
	}
}
