package cache_test

import (
	"context"
	"log/slog"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/relance/relance/cache"
)

func TestARedisThatGoesAwayAndComesBackNeverServesWhatIsOld(t *testing.T) {
	redis := miniredis.RunT(t)
	c := connect(t, redis.Addr())
	var d table
	d.trusted(t, c)

	redis.Close() // it keeps its data
	d.value.Store(1)
	c.Invalidate(t.Context(), cache.Contacts) // lost
	for range 20 {
		assert.EqualValues(t, 1, d.through(t, c))
	}
	assert.Error(t, c.Healthy(t.Context()))

	require.NoError(t, redis.Restart())
	for range 20 {
		assert.EqualValues(t, 1, d.through(t, c))
	}
	d.trusted(t, c)
	assert.EqualValues(t, 1, d.through(t, c))
	assert.NoError(t, c.Healthy(t.Context()))
}

func TestAnInvalidationThatWasLostReachesOthersWhenRedisIsBack(t *testing.T) {
	redis := miniredis.RunT(t)
	line := newLine(t, redis.Addr())
	cutOff, other := connect(t, line.address()), connect(t, redis.Addr())
	var d table
	d.trusted(t, cutOff)
	d.trusted(t, other)

	line.cut()
	d.value.Store(1)
	cutOff.Invalidate(t.Context(), cache.Contacts)
	assert.EqualValues(t, 1, d.through(t, cutOff), "who could not tell Redis does not believe it")
	line.mend()
	// Nobody asks the process that was cut off anything: it heals by itself.
	assert.Eventually(t, func() bool { return d.through(t, other) == 1 }, time.Minute, 10*time.Millisecond)
}

func TestADeadRedisIsKeptOffTheHotPathAndTriedAgainByItself(t *testing.T) {
	redis := miniredis.RunT(t)
	line := newLine(t, redis.Addr())
	c := connect(t, line.address())
	var d table
	d.trusted(t, c)
	line.cut()
	for range 100 {
		d.through(t, c)
	}
	tried := line.tries()
	for range 1000 {
		d.through(t, c)
	}
	assert.LessOrEqual(t, line.tries()-tried, int64(10), "only the trials of the breaker reach Redis")
	line.mend()
	// Nobody asks anything meanwhile: it is tried again by itself.
	require.Eventually(t, func() bool { return breakerState(t, c) == "closed" }, time.Minute, 10*time.Millisecond)
	d.trusted(t, c)
}

// A process may have missed more than its own changes: another's, which died of
// the same outage and tells nobody any more.
func TestWhoFoundRedisAwayBelievesNothingThatWasKeptBefore(t *testing.T) {
	redis := miniredis.RunT(t)
	c := connect(t, redis.Addr())
	dying, err := cache.New("redis://"+redis.Addr()+"?read_timeout=10s", slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	var d table
	d.trusted(t, c)

	redis.Close() // it keeps its data
	d.value.Store(1)
	dying.Invalidate(t.Context(), cache.Contacts)
	require.NoError(t, dying.Close())
	for range 20 {
		assert.EqualValues(t, 1, d.through(t, c))
	}
	require.NoError(t, redis.Restart())
	d.trusted(t, c)
}

func TestASlowRedisIsLeftOutQuickly(t *testing.T) {
	c := connectTo(t, "redis://"+silent(t))
	var d table
	began := time.Now()
	for range 1000 {
		d.through(t, c)
	}
	took := time.Since(began)
	t.Logf("1000 answers beside a silent Redis took %s", took)
	assert.EqualValues(t, 1000, d.loads.Load())
	waited := gathered(t, c, "relance_cache_errors_total", "contacts")
	assert.Positive(t, waited)
	assert.LessOrEqual(t, waited, 10+took.Seconds(), "until it is given up, and once a second")
	c.Invalidate(t.Context(), cache.Contacts)
}

// silent is a Redis that takes connections and never says a word.
func silent(t *testing.T) (address string) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, listener.Close()) })
	go func() {
		for {
			if _, err := listener.Accept(); err != nil {
				return
			}
		}
	}()
	return listener.Addr().String()
}

func TestARedisThatAnswersNonsenseIsLeftOut(t *testing.T) {
	babbling, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, babbling.Close()) })
	go func() {
		for {
			conn, err := babbling.Accept()
			if err != nil {
				return
			}
			_, _ = conn.Write([]byte("HTTP/1.1 400 Bad Request\r\n\r\n$99\r\n*-7\r\n"))
		}
	}()
	c := connect(t, babbling.Addr().String())
	var d table
	for i := range int64(100) {
		d.value.Store(i)
		c.Invalidate(t.Context(), cache.Contacts)
		assert.Equal(t, i, d.through(t, c))
	}
}

func TestGarbageUnderOurKeysIsLoadedOver(t *testing.T) {
	redis := miniredis.RunT(t)
	c := connect(t, redis.Addr())
	d := table{}
	d.value.Store(5)
	d.trusted(t, c)
	version, err := redis.Get(cache.Contacts + "version")
	require.NoError(t, err)

	for _, garbage := range []string{"", "{}", `{"Value":9}`, version, version + "\n", version + "\n[]", "other\n{\"Value\":9}", "\x00\xff"} {
		require.NoError(t, redis.Set(key, garbage))
		assert.EqualValues(t, 5, d.through(t, c), "%q", garbage)
	}
	redis.Del(key)
	_, err = redis.Push(key, "a list")
	require.NoError(t, err)
	assert.EqualValues(t, 5, d.through(t, c))

	redis.Del(cache.Contacts + "version")
	_, err = redis.Push(cache.Contacts+"version", "a list")
	require.NoError(t, err)
	assert.EqualValues(t, 5, d.through(t, c))
	d.trusted(t, c)
}

func TestAVersionThatRedisForgetsIsNotUsedAgain(t *testing.T) {
	redis := miniredis.RunT(t)
	c := connect(t, redis.Addr())
	var d table
	d.trusted(t, c)
	old, err := redis.Get(key)
	require.NoError(t, err)
	redis.FlushAll()
	d.value.Store(1)
	d.trusted(t, c)
	require.NoError(t, redis.Set(key, old))
	assert.EqualValues(t, 1, d.through(t, c))
}

// Property 2, and more than it asks: whatever happens to Redis, a process sees
// its own changes at once and never an error.
func TestProperty2_WhateverHappensToRedisAnswersAreRightAndFresh(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		redis, err := miniredis.Run()
		require.NoError(t, err)
		up := true
		defer func() { redis.Close() }()
		c, err := cache.New("redis://"+redis.Addr()+"?read_timeout=10s", slog.New(slog.DiscardHandler))
		require.NoError(t, err)
		defer func() { require.NoError(t, c.Close()) }()
		var d table
		r.Repeat(map[string]func(*rapid.T){
			"read": func(*rapid.T) { require.Equal(t, d.value.Load(), d.through(t, c)) },
			"change": func(*rapid.T) {
				d.value.Add(1)
				c.Invalidate(context.Background(), cache.Contacts)
				require.Equal(t, d.value.Load(), d.through(t, c))
			},
			"change unheard": func(r *rapid.T) {
				if !up {
					r.Skip()
				}
				redis.SetError("")
				d.through(t, c) // into the cache
				redis.SetError("OOM command not allowed")
				d.value.Add(1)
				c.Invalidate(context.Background(), cache.Contacts)
				redis.SetError("")
				require.Equal(t, d.value.Load(), d.through(t, c))
			},
			"expire": func(*rapid.T) { redis.FastForward(ttl) },
			"forget": func(*rapid.T) { redis.FlushAll() },
			"spoil": func(r *rapid.T) {
				_ = redis.Set(rapid.SampledFrom([]string{key, cache.Contacts + "version"}).Draw(r, "key"), rapid.String().Draw(r, "garbage"))
			},
			"fail": func(r *rapid.T) {
				redis.SetError(rapid.SampledFrom([]string{"", "LOADING Redis is loading", "OOM command not allowed"}).Draw(r, "error"))
			},
			"stop": func(r *rapid.T) {
				if !up {
					r.Skip()
				}
				redis.Close()
				up = false
			},
			"start": func(r *rapid.T) {
				if up {
					r.Skip()
				}
				require.NoError(t, redis.Restart())
				up = true
			},
			"crowd": func(*rapid.T) {
				var readers sync.WaitGroup
				for range 8 {
					readers.Go(func() { assert.Equal(t, d.value.Load(), d.through(t, c)) })
				}
				readers.Wait()
			},
		})
	})
}

// line is a connection to Redis that can be cut and mended.
type line struct {
	t        *testing.T
	to       string
	listener net.Listener
	mutex    sync.Mutex
	open     []net.Conn
	isCut    bool
	joined   atomic.Int64
}

func newLine(t *testing.T, to string) *line {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	l := &line{t: t, to: to, listener: listener}
	t.Cleanup(func() { _ = listener.Close(); l.cut() })
	go func() {
		for {
			from, err := listener.Accept()
			if err != nil {
				return
			}
			l.join(from)
		}
	}()
	return l
}

func (l *line) address() string { return l.listener.Addr().String() }

// tries is how often somebody has tried to connect.
func (l *line) tries() int64 { return l.joined.Load() }

func (l *line) join(from net.Conn) {
	l.joined.Add(1)
	l.mutex.Lock()
	defer l.mutex.Unlock()
	to, err := net.Dial("tcp", l.to)
	if l.isCut || err != nil {
		_ = from.Close()
		return
	}
	l.open = append(l.open, from, to)
	pipe := func(a, b net.Conn) {
		buffer := make([]byte, 4096)
		for {
			n, err := a.Read(buffer)
			if err != nil {
				return
			}
			if _, err := b.Write(buffer[:n]); err != nil {
				return
			}
		}
	}
	go pipe(from, to)
	go pipe(to, from)
}

func (l *line) cut() {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	l.isCut = true
	for _, conn := range l.open {
		_ = conn.Close()
	}
	l.open = nil
}

func (l *line) mend() {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	l.isCut = false
}
