package devstack

import (
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

func TestRedisKeysExpireInRealTime(t *testing.T) {
	server, err := StartRedis("")
	require.NoError(t, err)
	defer server.Stop()
	options, err := redis.ParseURL(server.URL())
	require.NoError(t, err)
	connection := redis.NewClient(options)
	defer connection.Close()

	require.NoError(t, connection.Set(t.Context(), "short", "1", 300*time.Millisecond).Err())
	require.NoError(t, connection.Set(t.Context(), "long", "1", time.Hour).Err())
	require.Eventually(t, func() bool {
		return connection.Exists(t.Context(), "short").Val() == 0
	}, patience, tick)
	assert.EqualValues(t, 1, connection.Exists(t.Context(), "long").Val())
}

func TestRedisLeavesNothingRunning(t *testing.T) {
	before := goleak.IgnoreCurrent()
	server, err := StartRedis("")
	require.NoError(t, err)
	server.Stop()
	server.Stop()
	goleak.VerifyNone(t, before)
}
