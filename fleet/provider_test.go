package fleet

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/relance/relance/wassenger/simulator"
)

const (
	device        = "64a1b2c3d4e5f60718293a4b"
	providerToken = "a-key-of-the-provider"
)

// provider is the simulated provider.
type provider struct {
	t         testing.TB
	simulator books
	url       string

	// everybodyReads every message, so that the ledger tells how many were read.
	everybodyReads bool

	door atomic.Pointer[frontDoor]
}

// books are what a simulator has of what truly happened, wherever it runs.
type books interface {
	Ledger() simulator.Ledger
	Health() simulator.Health
}

func startProvider(t testing.TB, contacts simulator.Behaviour, latency simulator.Delay) *provider {
	t.Helper()
	p := &provider{t: t, everybodyReads: contacts.Read == 1}
	hooks := httptest.NewServer(p)
	t.Cleanup(hooks.Close)
	s, err := simulator.New(simulator.Config{
		Token: providerToken, DeviceID: device, DevicePhone: "+33639989999", WebhookURL: hooks.URL,
		Seed: 1, Contacts: contacts, Faults: simulator.Faults{Latency: latency},
		Delivery: simulator.Delivery{Reorder: 0.2, AckBeforeResponse: 0.1, RetryBase: 50 * time.Millisecond, RetryMax: time.Second},
	})
	require.NoError(t, err)
	background(t, func(ctx context.Context) error { return s.Serve(ctx, "127.0.0.1:0") })
	t.Cleanup(func() { require.NoError(t, s.Close()) }) // lets hanging requests go
	background(t, s.Run)
	require.Eventually(t, func() bool { return s.Addr() != "" }, patience, time.Millisecond)
	p.simulator, p.url = s, "http://"+s.Addr()+"/v1"
	return p
}

// callAt tells the provider where webhooks go. It has none before that.
func (p *provider) callAt(door *frontDoor) { p.door.Store(door) }

// ServeHTTP is what the simulator calls.
func (p *provider) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if err := p.door.Load().take(r); err != nil {
		http.Error(w, err.Error(), http.StatusServiceUnavailable)
	}
}

// awaitMessages waits until so many have left.
func (p *provider) awaitMessages(n int) {
	p.t.Helper()
	await(p.t, fmt.Sprintf("%d messages", n), func() error {
		if sent := p.simulator.Health().Messages; sent < n {
			return fmt.Errorf("%d have left", sent)
		}
		return nil
	})
}

// awaitSilence waits until nothing is to come any more: whatever Relance had to
// do is done, and no contact has anything to say that was not taken in.
func (p *provider) awaitSilence(done func() error) {
	p.t.Helper()
	await(p.t, "the end", func() error {
		if err := done(); err != nil {
			return err
		}
		if h := p.simulator.Health(); h.Planned > 0 || h.Unacknowledged > 0 {
			return fmt.Errorf("%d events are to come, %d are not acknowledged", h.Planned, h.Unacknowledged)
		}
		return nil
	})
}

// letters is what left to one contact.
type letters struct{ first, second []simulator.Message }

// letters are all messages that left, by phone.
func (p *provider) letters() map[string]letters {
	p.t.Helper()
	all := map[string]letters{}
	for _, m := range p.simulator.Ledger().Messages {
		to := all[m.Phone]
		switch {
		case strings.HasPrefix(m.Text, message1):
			to.first = append(to.first, m)
		case strings.HasPrefix(m.Text, message2):
			to.second = append(to.second, m)
		default:
			require.Failf(p.t, "a message of nobody's", "%q", m.Text)
		}
		all[m.Phone] = to
	}
	return all
}
