package simulator_test

import (
	"context"
	"net/http"
	"sync"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/relance/relance/wassenger/simulator"
)

// open serves a simulator on its own port.
func open(t *testing.T, s *simulator.Simulator) (a *api, stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- s.Serve(ctx, "127.0.0.1:0") }()
	require.Eventually(t, func() bool { return s.Addr() != "" }, soon, tick)
	stop = sync.OnceFunc(func() {
		cancel()
		require.NoError(t, <-ended)
	})
	t.Cleanup(stop)
	return &api{t: t, url: "http://" + s.Addr(), client: newClient(t)}, stop
}

func TestAClosedPortRefusesConnectionsAndOpensAgain(t *testing.T) {
	s := newSimulator(t, config())
	a, _ := open(t, s)
	a.send(ana, "before")
	for range 3 {
		require.NoError(t, s.Refuse(true))
		assert.True(t, s.Faults().RefuseConnections)
		for range 3 {
			_, err := a.try("POST", "/v1/messages", message(ana, "during"))
			require.Error(t, err, "the connection that was open has been closed too")
		}
		_, err := (&api{t: t, url: a.url, client: newClient(t)}).try("POST", "/v1/messages", message(ana, "during"))
		assert.ErrorIs(t, err, syscall.ECONNREFUSED)
		require.NoError(t, s.Refuse(false))
		assert.False(t, s.Faults().RefuseConnections)
	}
	_, _ = a.try("GET", "/simulator/health", nil) // may meet the connection that was closed
	a.send(ana, "after")
	ledger := s.Ledger()
	require.Len(t, ledger.Messages, 2)
	assert.Equal(t, "after", ledger.Messages[1].Reference)
}

func TestTheAdminPortStaysOpenWhileConnectionsAreRefused(t *testing.T) {
	cfg := config()
	cfg.AdminAddr = "127.0.0.1:0"
	s := newSimulator(t, cfg)
	a, _ := open(t, s)
	admin := &api{t: t, url: "http://" + s.AdminAddr(), client: newClient(t)}
	require.Equal(t, http.StatusOK, admin.call("PUT", "/simulator/faults", `{"refuse_connections":true}`).status)
	_, err := a.try("GET", "/v1/devices", nil)
	assert.ErrorIs(t, err, syscall.ECONNREFUSED)
	assert.Equal(t, http.StatusOK, admin.call("GET", "/simulator/ledger", nil).status)
	assert.Equal(t, http.StatusNotFound, admin.call("GET", "/v1/devices", nil).status)
	require.Equal(t, http.StatusOK, admin.call("PUT", "/simulator/faults", `{}`).status)
	assert.Equal(t, http.StatusOK, a.call("GET", "/v1/devices", nil).status)
}

func TestThePortCanBeClosedThroughItself(t *testing.T) {
	s := newSimulator(t, config())
	a, _ := open(t, s)
	require.Equal(t, http.StatusOK, a.call("PUT", "/simulator/faults", `{"refuse_connections":true}`).status)
	_, err := a.try("GET", "/v1/devices", nil)
	require.Error(t, err)
	require.NoError(t, s.SetFaults(simulator.Faults{}))
	assert.Equal(t, http.StatusOK, a.call("GET", "/v1/devices", nil).status)
}

func TestARequestUnderWayIsStillAnsweredWhenThePortCloses(t *testing.T) {
	release := make(chan struct{})
	r := receive(t, func(int, webhook) int { <-release; return 200 })
	cfg := config()
	cfg.WebhookURL, cfg.Delivery.AckBeforeResponse = r.url, 1 // the answer waits for the receiver
	s := newSimulator(t, cfg)
	run(t, s)
	a, _ := open(t, s)
	answered := make(chan answer, 1)
	go func() {
		got, _ := a.try("POST", "/v1/messages", message(ana, "ref"))
		answered <- got
	}()
	require.Eventually(t, func() bool { return len(s.Ledger().Messages) == 1 }, soon, tick)
	require.NoError(t, s.Refuse(true))
	close(release)
	assert.Equal(t, http.StatusCreated, (<-answered).status)
}

func TestServeEndsRequestsThatHangAndEveryGoroutine(t *testing.T) {
	before := goleak.IgnoreCurrent()
	s := newSimulator(t, config())
	a, stop := open(t, s)
	require.NoError(t, s.FailNext(simulator.TimeoutAfterAccept, 1))
	failed := make(chan error, 1)
	go func() {
		_, err := a.try("POST", "/v1/messages", message(ana, "ref"))
		failed <- err
	}()
	require.Eventually(t, func() bool { return len(s.Ledger().Messages) == 1 }, soon, tick)
	stop()
	require.Error(t, <-failed)
	assert.Empty(t, s.Addr())
	a.client.CloseIdleConnections()
	goleak.VerifyNone(t, before)
}

func TestOnlyAServedPortCanRefuse(t *testing.T) {
	s := newSimulator(t, config())
	require.Error(t, s.Refuse(true))
	assert.False(t, s.Faults().RefuseConnections)
	_, stop := open(t, s)
	require.Error(t, s.Serve(context.Background(), "127.0.0.1:0"), "one port at a time")
	require.NoError(t, s.Refuse(true))
	stop()
	require.Error(t, s.Refuse(false))
}
