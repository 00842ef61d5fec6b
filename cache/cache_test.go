package cache_test

import (
	"context"
	"fmt"
	"log/slog"
	"sync/atomic"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

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

// connect gives Redis the time that a busy machine may take, so that it is away
// only when a test says so.
func connect(t testing.TB, address string) *cache.Cache {
	t.Helper()
	return connectTo(t, "redis://"+address+"?read_timeout=10s")
}

func connectTo(t testing.TB, url string) *cache.Cache {
	t.Helper()
	c, err := cache.New(url, slog.New(slog.DiscardHandler))
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
	}, time.Minute, 10*time.Millisecond)
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

	for _, theirs := range []string{"whatsapp:1", "campaign:1", "celery"} {
		require.NoError(t, redis.Set(theirs, "theirs"))
	}
	d.through(t, c)
	c.Invalidate(t.Context(), cache.Stats, cache.Categories, cache.Contacts)
	for _, theirs := range []string{"whatsapp:1", "campaign:1", "celery"} {
		redis.CheckGet(t, theirs, "theirs")
	}
}

func TestWhatIsKeptIsGoneAfterItsTime(t *testing.T) {
	assert.Equal(t, 120*time.Second, cache.CategoriesTTL)
	assert.Equal(t, 60*time.Second, cache.ContactsTTL)
	assert.LessOrEqual(t, cache.StatsTTL, 5*time.Second, "Property 15")
	redis := miniredis.RunT(t)
	c := connect(t, redis.Addr())
	var d table
	for key, lasts := range map[string]time.Duration{
		cache.Stats + "campaign:1": cache.StatsTTL, cache.Categories + "list": cache.CategoriesTTL, cache.Contacts + "list": cache.ContactsTTL,
	} {
		_, err := cache.Through(t.Context(), c, key, lasts, d.load)
		require.NoError(t, err)
		assert.Equal(t, lasts, redis.TTL(key), key)
	}
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

func ExampleThrough() {
	c, _ := cache.New("", slog.New(slog.DiscardHandler))
	count, err := cache.Through(context.Background(), c, cache.Stats+"campaign:1", cache.StatsTTL,
		func(context.Context) (int, error) { return 42, nil })
	fmt.Println(count, err)
	// Output: 42 <nil>
}
