package store_test

import (
	"errors"
	"fmt"
	"net/netip"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/relance/relance/store"
)

var (
	home  = netip.MustParseAddr("192.0.2.1")
	away  = netip.MustParseAddr("192.0.2.2")
	home6 = netip.MustParseAddr("2001:db8::1")
)

// refusedFor is how long a login is refused; 0 when it may be tried.
func (b bench) refusedFor(email string, from netip.Addr) time.Duration {
	b.t.Helper()
	err := b.AttemptLogin(b.t.Context(), email, from)
	var throttled *store.ThrottledError
	if errors.As(err, &throttled) {
		return throttled.Wait
	}
	require.NoError(b.t, err)
	return 0
}

func TestEachFailureAfterTheFifthDoublesTheWaitUpToAQuarterOfAnHour(t *testing.T) {
	b := open(t)
	for range 5 {
		require.Zero(t, b.refusedFor("a@example.com", home))
	}
	var ahead time.Duration
	for _, wait := range []time.Duration{30 * time.Second, time.Minute, 2 * time.Minute, 4 * time.Minute, 8 * time.Minute, 15 * time.Minute, 15 * time.Minute} {
		assert.InDelta(t, wait.Seconds(), b.refusedFor(" A@example.com", home).Seconds(), 5)
		assert.Zero(t, b.refusedFor(fmt.Sprint(wait, "@example.com"), home), "another address")
		assert.Zero(t, b.refusedFor(fmt.Sprint(wait, ahead, "@example.com"), away), "another place")
		ahead += wait
		b.ahead(ahead)
		require.Zero(t, b.refusedFor("a@example.com", home), "after %s", wait)
	}
	b.ahead(ahead + 61*time.Minute)
	for range 5 {
		assert.Zero(t, b.refusedFor("a@example.com", home), "forgotten after an hour")
	}
}

func TestASuccessForgetsTheFailuresOfAnAddress(t *testing.T) {
	b := open(t)
	for range 3 {
		for range 4 {
			require.Zero(t, b.refusedFor("a@example.com", home))
		}
		require.NoError(t, b.LoginSucceeded(t.Context(), "A@example.com", home))
	}
}

func TestAttemptsAtOnceAllCount(t *testing.T) {
	b := open(t)
	var let atomic.Int64
	var trying sync.WaitGroup
	for range 20 {
		trying.Go(func() {
			var throttled *store.ThrottledError
			if err := b.AttemptLogin(t.Context(), "a@example.com", home); err == nil {
				let.Add(1)
			} else {
				assert.ErrorAs(t, err, &throttled)
			}
		})
	}
	trying.Wait()
	assert.EqualValues(t, 5, let.Load())
}

func TestOnePlaceCannotTryOnePasswordOnManyAddressesForLong(t *testing.T) {
	b := open(t)
	b.clockStands(b.now()) // a place waits for a second only
	tried := 0
	for b.refusedFor(fmt.Sprintf("%d@example.com", tried), home) == 0 {
		tried++
		require.LessOrEqual(t, tried, 100)
	}
	assert.Equal(t, 100, tried)
	assert.Zero(t, b.refusedFor("a@example.com", away))
	stored := one[string](b, `SELECT string_agg(t::text, '') FROM login_attempts t`)
	assert.NotContains(t, stored, "example")
	assert.NotContains(t, stored, home.String())
}

func TestAnIPv6NetworkIsOnePlace(t *testing.T) {
	b := open(t)
	at := home6
	for range 5 {
		require.Zero(t, b.refusedFor("a@example.com", at))
		at = at.Next()
	}
	assert.Positive(t, b.refusedFor("a@example.com", at))
	assert.Zero(t, b.refusedFor("a@example.com", netip.MustParseAddr("2001:db8:0:1::1")))
	for range 5 {
		require.Zero(t, b.refusedFor("a@example.com", netip.MustParseAddr("::ffff:192.0.2.1")))
	}
	assert.Positive(t, b.refusedFor("a@example.com", home), "written in either way")
}
