package cache_test

import (
	"log/slog"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/relance/relance/cache"
)

func TestAnAnswerIsHeldByOneAtATimeForFiveMinutesAtMost(t *testing.T) {
	redis := miniredis.RunT(t)
	one, two := connect(t, redis.Addr()), connect(t, redis.Addr())
	campaign, contact := uuid.New(), uuid.New()
	name := "lock:message2:" + campaign.String() + ":" + contact.String()
	held := func(c *cache.Cache, contact uuid.UUID) (func(), bool) {
		return c.HoldAnswer(t.Context(), campaign, contact)
	}

	release, taken := held(one, contact)
	require.False(t, taken)
	assert.Equal(t, 300*time.Second, redis.TTL(name))
	notMine, taken := held(two, contact)
	require.True(t, taken)
	notMine()
	_, taken = held(two, contact)
	require.True(t, taken, "who does not hold it cannot release it")
	_, taken = held(two, uuid.New())
	require.False(t, taken, "another contact's is free")

	release()
	assert.False(t, redis.Exists(name))
	late, taken := held(two, contact)
	require.False(t, taken)
	redis.FastForward(301 * time.Second) // its holder has died, or takes very long
	_, taken = held(one, contact)
	require.False(t, taken)
	late()
	assert.True(t, redis.Exists(name), "a late release takes nothing from the next holder")
}

func TestWhenInDoubtAnAnswerIsNotTaken(t *testing.T) {
	off, err := cache.New("", slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	for name, c := range map[string]*cache.Cache{
		"nil": nil, "off": off, "away": connect(t, "127.0.0.1:1"), "silent": connectTo(t, "redis://"+silent(t)),
	} {
		campaign, contact := uuid.New(), uuid.New()
		for range 5 {
			release, taken := c.HoldAnswer(t.Context(), campaign, contact)
			assert.False(t, taken, name)
			release()
		}
	}
}
