package activities_test

import (
	"io"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/relance/relance/activities"
)

// silent is a provider that breaks off every request, after it was held up, if it is.
type silent struct {
	asked  atomic.Int32
	letGo  chan struct{}
	holdUp atomic.Bool
}

func (s *silent) RoundTrip(*http.Request) (*http.Response, error) {
	s.asked.Add(1)
	if s.holdUp.Load() {
		<-s.letGo
	}
	return nil, io.ErrUnexpectedEOF
}

// brokenOff is a worker that has asked five times and got no answer; after rest it
// may ask again.
func brokenOff(t *testing.T, rest time.Duration) (sender, *activities.Activities, *silent) {
	t.Helper()
	s := newSender(t)
	provider := &silent{letGo: make(chan struct{})}
	a := s.worker(provider)
	rules := s.store.Rules()
	rules.SendBackoff = rest / 2
	a.Breaker = activities.NewBreaker(rules)
	for range 5 {
		_, err := a.SendMessage(t.Context(), s.in)
		require.Error(t, err)
	}
	require.EqualValues(t, 5, provider.asked.Load())
	return s, a, provider
}

func TestAfterFiveCallsWithoutAnAnswerTheProviderIsLeftAlone(t *testing.T) {
	s, a, provider := brokenOff(t, time.Hour)
	for range 10 {
		_, err := a.SendMessage(t.Context(), s.in)
		require.Error(t, err)
	}
	require.EqualValues(t, 5, provider.asked.Load())
}

func TestThreeAtATimeFindOutWhetherTheProviderIsBack(t *testing.T) {
	s, a, provider := brokenOff(t, 2*time.Nanosecond)
	provider.holdUp.Store(true)
	const all, probes = 10, 3
	failed := make(chan error, all)
	for range all {
		go func() {
			_, err := a.SendMessage(t.Context(), s.in)
			failed <- err
		}()
	}
	for range all - probes {
		require.Error(t, <-failed)
	}
	require.EqualValues(t, 5+probes, provider.asked.Load())
	close(provider.letGo)
	for range probes {
		require.Error(t, <-failed)
	}
}
