package cache_test

import (
	"context"
	"errors"
	"fmt"
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

const (
	key = cache.Contacts + "list:all"
	ttl = time.Minute
)

// table stands for the database: it changes and counts who asks.
type table struct {
	value atomic.Int64
	loads atomic.Int64
}

func (d *table) load(context.Context) (answer, error) {
	d.loads.Add(1)
	return answer{Value: d.value.Load()}, nil
}

type answer struct{ Value int64 }

func connect(t testing.TB, address string) *cache.Cache {
	t.Helper()
	c, err := cache.New("redis://"+address, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, c.Close()) })
	return c
}

func (d *table) through(t testing.TB, c *cache.Cache) int64 {
	t.Helper()
	got, err := cache.Through(context.Background(), c, key, ttl, d.load)
	require.NoError(t, err)
	return got.Value
}

// trusted waits until the cache answers without asking the database. What it
// answers meanwhile must be right as well.
func (d *table) trusted(t testing.TB, c *cache.Cache) {
	t.Helper()
	require.Eventually(t, func() bool {
		assert.Equal(t, d.value.Load(), d.through(t, c))
		before := d.loads.Load()
		assert.Equal(t, d.value.Load(), d.through(t, c))
		return d.loads.Load() == before
	}, 10*time.Second, 10*time.Millisecond)
}

func TestAnAnswerIsLoadedOnceUntilItExpires(t *testing.T) {
	redis := miniredis.RunT(t)
	c := connect(t, redis.Addr())
	var d table
	for range 3 {
		assert.Zero(t, d.through(t, c))
	}
	assert.EqualValues(t, 1, d.loads.Load())
	d.value.Store(7)
	redis.FastForward(ttl + time.Second)
	assert.EqualValues(t, 7, d.through(t, c))
}

func TestAChangeIsSeenAtOnceByEveryProcess(t *testing.T) {
	redis := miniredis.RunT(t)
	one, two := connect(t, redis.Addr()), connect(t, redis.Addr())
	var d table
	for change := range int64(10) {
		assert.Equal(t, change, d.through(t, one))
		assert.Equal(t, change, d.through(t, two))
		d.value.Add(1)
		one.Invalidate(t.Context(), cache.Contacts, cache.Categories)
	}
	assert.EqualValues(t, 10, d.loads.Load(), "each change is loaded once")
}

func TestAChangeElsewhereLeavesOtherPrefixesAlone(t *testing.T) {
	c := connect(t, miniredis.RunT(t).Addr())
	var d table
	d.through(t, c)
	c.Invalidate(t.Context(), cache.Stats)
	d.through(t, c)
	assert.EqualValues(t, 1, d.loads.Load())
}

func TestWithoutRedisEveryAnswerIsLoaded(t *testing.T) {
	off, err := cache.New("", slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	for _, c := range []*cache.Cache{off, nil} {
		var d table
		d.through(t, c)
		c.Invalidate(t.Context(), cache.Contacts)
		d.through(t, c)
		assert.EqualValues(t, 2, d.loads.Load())
		assert.ErrorIs(t, c.Healthy(t.Context()), cache.ErrOff)
		assert.NoError(t, c.Close())
	}
	_, err = cache.New("http://not-redis", slog.New(slog.DiscardHandler))
	assert.Error(t, err)
}

func TestKeysOfOthersAreNeverTouched(t *testing.T) {
	redis := miniredis.RunT(t)
	c := connect(t, redis.Addr())
	var d table
	for _, refused := range []string{"whatsapp:1", "campaign:1", "celery", "celery-task-meta-1", "lock:message2:1", "cache:other:1", "", cache.Stats + "version"} {
		for range 2 {
			_, err := cache.Through(t.Context(), c, refused, ttl, d.load)
			assert.NoError(t, err)
		}
	}
	assert.EqualValues(t, 16, d.loads.Load())
	c.Invalidate(t.Context(), "campaign:", "celery")
	assert.Empty(t, redis.Keys())
}

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
	assert.Eventually(t, func() bool { return d.through(t, other) == 1 }, 10*time.Second, 10*time.Millisecond)
}

// A process may have missed more than its own changes: another's, which died of
// the same outage and tells nobody any more.
func TestWhoFoundRedisAwayBelievesNothingThatWasKeptBefore(t *testing.T) {
	redis := miniredis.RunT(t)
	c := connect(t, redis.Addr())
	dying, err := cache.New("redis://"+redis.Addr(), slog.New(slog.DiscardHandler))
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
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, silent.Close()) })
	go func() {
		for {
			if _, err := silent.Accept(); err != nil { // and never a word
				return
			}
		}
	}()
	c := connect(t, silent.Addr().String())
	var d table
	began := time.Now()
	for range 1000 {
		d.through(t, c)
	}
	t.Logf("1000 answers beside a silent Redis took %s", time.Since(began))
	assert.EqualValues(t, 1000, d.loads.Load())
	// Were each of them to wait for Redis, it would be 50 s.
	assert.Less(t, time.Since(began), 10*time.Second)
	c.Invalidate(t.Context(), cache.Contacts)
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

func TestManyCallersShareOneLoad(t *testing.T) {
	c := connect(t, miniredis.RunT(t).Addr())
	var d table
	d.through(t, c)
	c.Invalidate(t.Context(), cache.Contacts)
	before := d.loads.Load()

	release := make(chan struct{})
	var callers sync.WaitGroup
	for range 50 {
		callers.Go(func() {
			_, err := cache.Through(context.Background(), c, key, ttl, func(ctx context.Context) (answer, error) {
				<-release
				return d.load(ctx)
			})
			assert.NoError(t, err)
		})
	}
	time.AfterFunc(100*time.Millisecond, func() { close(release) })
	callers.Wait()
	assert.EqualValues(t, 1, d.loads.Load()-before)
}

func TestWhoComesAfterAChangeDoesNotGetALoadFromBefore(t *testing.T) {
	c := connect(t, miniredis.RunT(t).Addr())
	var d table
	loading, release := make(chan struct{}), make(chan struct{})
	var first sync.WaitGroup
	first.Go(func() {
		_, err := cache.Through(context.Background(), c, key, ttl, func(ctx context.Context) (answer, error) {
			got, err := d.load(ctx)
			close(loading)
			<-release
			return got, err
		})
		assert.NoError(t, err)
	})
	<-loading
	d.value.Store(1)
	c.Invalidate(t.Context(), cache.Contacts)
	assert.EqualValues(t, 1, d.through(t, c))
	close(release)
	first.Wait()
	assert.EqualValues(t, 1, d.through(t, c), "nor is it kept")
}

func TestACallerWhoGivesUpDoesNotEndTheLoadOfOthers(t *testing.T) {
	c := connect(t, miniredis.RunT(t).Addr())
	ctx, cancel := context.WithCancel(context.Background())
	loading, release := make(chan struct{}), make(chan struct{})
	load := func(ctx context.Context) (answer, error) {
		close(loading)
		<-release
		return answer{Value: 3}, ctx.Err()
	}
	var impatient sync.WaitGroup
	impatient.Go(func() {
		_, err := cache.Through(ctx, c, key, ttl, load)
		assert.ErrorIs(t, err, context.Canceled)
	})
	<-loading
	cancel()
	impatient.Wait()
	close(release)
	require.Eventually(t, func() bool {
		got, err := cache.Through(t.Context(), c, key, ttl, func(context.Context) (answer, error) { return answer{Value: -1}, errors.New("not kept yet") })
		return err == nil && got.Value == 3
	}, 5*time.Second, 5*time.Millisecond)
}

func TestALoadersErrorsAndPanicsAreTheCallersAndAreNotKept(t *testing.T) {
	c := connect(t, miniredis.RunT(t).Addr())
	broken := errors.New("the database is away")
	_, err := cache.Through(t.Context(), c, key, ttl, func(context.Context) (answer, error) { return answer{}, broken })
	assert.ErrorIs(t, err, broken)
	_, err = cache.Through(t.Context(), c, key, ttl, func(context.Context) (answer, error) { panic("oh") })
	assert.ErrorContains(t, err, "oh")
	_, err = cache.Through(t.Context(), c, key+"/unkeepable", ttl, func(context.Context) (chan int, error) { return make(chan int), nil })
	assert.NoError(t, err)
	var d table
	assert.Zero(t, d.through(t, c))
}

// Property 2, and more than it asks: whatever happens to Redis, a process sees
// its own changes at once and never an error.
func TestProperty2_WhateverHappensToRedisAnswersAreRightAndFresh(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		redis, err := miniredis.Run()
		require.NoError(t, err)
		up := true
		defer func() { redis.Close() }()
		c, err := cache.New("redis://"+redis.Addr(), slog.New(slog.DiscardHandler))
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
			"wait": func(*rapid.T) { time.Sleep(time.Millisecond) },
		})
	})
}

func BenchmarkThrough(b *testing.B) {
	redis := miniredis.RunT(b)
	warm := connect(b, redis.Addr())
	gone := connect(b, "127.0.0.1:1")
	for name, c := range map[string]*cache.Cache{"warm": warm, "Redis gone": gone, "off": nil} {
		b.Run(name, func(b *testing.B) {
			var d table
			for b.Loop() {
				_, _ = cache.Through(context.Background(), c, key, ttl, d.load)
			}
		})
	}
}

// line is a connection to Redis that can be cut and mended.
type line struct {
	t        *testing.T
	to       string
	listener net.Listener
	mutex    sync.Mutex
	open     []net.Conn
	isCut    bool
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

func (l *line) join(from net.Conn) {
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

func ExampleThrough() {
	c, _ := cache.New("", slog.New(slog.DiscardHandler))
	count, err := cache.Through(context.Background(), c, cache.Stats+"campaign:1", cache.StatsTTL,
		func(context.Context) (int, error) { return 42, nil })
	fmt.Println(count, err)
	// Output: 42 <nil>
}
