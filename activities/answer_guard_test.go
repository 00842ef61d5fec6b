package activities_test

import (
	"fmt"
	"log/slog"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/alicebob/miniredis/v2/server"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/relance/relance/cache"
	"github.com/relance/relance/campaign"
)

// redisAt is the cache in a Redis, as cmd/relance makes it.
func redisAt(t *testing.T, url string) *cache.Cache {
	t.Helper()
	c, err := cache.New(url, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, c.Close()) })
	return c
}

// lyingRedis is one that answers every attempt to take a lock in the same way.
func lyingRedis(t *testing.T, answer func(*server.Peer)) string {
	t.Helper()
	lying, err := server.NewServer("127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(lying.Close)
	for _, command := range []string{"SET", "EVAL"} {
		require.NoError(t, lying.Register(command, func(peer *server.Peer, _ string, _ []string) { answer(peer) }))
	}
	return "redis://" + lying.Addr().String()
}

// silentRedis takes connections and never says a word.
func silentRedis(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, listener.Close()) })
	return "redis://" + listener.Addr().String()
}

// lockOutlived is far more than an answer takes on a busy machine, and far less
// than the five minutes of a lock.
const lockOutlived = 30 * time.Second

// Losing the lock changes nothing: whatever Redis says of it, of several attempts
// at one answer exactly one lets it leave, and in time (Properties 8 and 10).
func TestProperty10_OneAnswerLeavesInTimeWhateverRedisSaysOfItsLock(t *testing.T) {
	for name, url := range map[string]func(*testing.T) string{
		"no Redis":     func(*testing.T) string { return "" },
		"right":        func(t *testing.T) string { return "redis://" + miniredis.RunT(t).Addr() },
		"away":         func(*testing.T) string { return "redis://127.0.0.1:1" },
		"always taken": func(t *testing.T) string { return lyingRedis(t, (*server.Peer).WriteNull) },
		"always free":  func(t *testing.T) string { return lyingRedis(t, (*server.Peer).WriteOK) },
		"nonsense":     func(t *testing.T) string { return lyingRedis(t, func(p *server.Peer) { p.WriteInt(-7) }) },
		"silent":       silentRedis,
	} {
		t.Run(name, func(t *testing.T) {
			s := newSender(t)
			require.Equal(t, campaign.Message1Sent, s.untilDone(s.worker(nil)).State)
			s.reply()
			s.in.Type = campaign.Message2
			guard := redisAt(t, url(t))

			began := time.Now()
			var attempts sync.WaitGroup
			for range 4 {
				worker := s.worker(nil)
				worker.Answers = guard
				attempts.Go(func() { assert.Equal(t, campaign.Message2Sent, s.untilDone(worker).State) })
			}
			attempts.Wait()

			assert.Less(t, time.Since(began), lockOutlived)
			require.Len(t, s.simulator.Ledger().Messages, 2, "Message 1 and one Message 2")
		})
	}
}

func TestAnAttemptThatDiedWithTheLockDelaysTheNextByAMomentOnly(t *testing.T) {
	s := newSender(t)
	require.Equal(t, campaign.Message1Sent, s.untilDone(s.worker(nil)).State)
	s.reply()
	s.in.Type = campaign.Message2
	redis := miniredis.RunT(t)
	lock := fmt.Sprintf("lock:message2:%s:%s", s.in.CampaignID, s.in.ContactID)
	require.NoError(t, redis.Set(lock, "a process that is gone"))
	worker := s.worker(nil)
	worker.Answers = redisAt(t, "redis://"+redis.Addr())

	began := time.Now()
	require.Equal(t, campaign.Message2Sent, s.untilDone(worker).State)

	assert.Less(t, time.Since(began), lockOutlived)
	redis.CheckGet(t, lock, "a process that is gone")
}

func TestTheLockIsTakenForMessage2OnlyAndGivenBack(t *testing.T) {
	s := newSender(t)
	redis := miniredis.RunT(t)
	worker := s.worker(nil)
	worker.Answers = redisAt(t, "redis://"+redis.Addr())
	require.Equal(t, campaign.Message1Sent, s.untilDone(worker).State)
	assert.Zero(t, redis.CommandCount())

	s.reply()
	s.in.Type = campaign.Message2
	require.Equal(t, campaign.Message2Sent, s.untilDone(worker).State)
	assert.Positive(t, redis.CommandCount())
	assert.Empty(t, redis.Keys())
}
