package cache_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/relance/relance/cache"
)

func TestManyCallersShareOneLoad(t *testing.T) {
	for name, begin := range map[string]func(*cache.Cache, *miniredis.Miniredis){
		"after a change":      func(c *cache.Cache, _ *miniredis.Miniredis) { c.Invalidate(context.Background(), cache.Contacts) },
		"when it has expired": func(_ *cache.Cache, redis *miniredis.Miniredis) { redis.FastForward(ttl + time.Second) },
	} {
		t.Run(name, func(t *testing.T) {
			redis := miniredis.RunT(t)
			c := connect(t, redis.Addr())
			var d table
			d.through(t, c)
			begin(c, redis)
			loads, misses := d.loads.Load(), asked(t, c, "contacts", "miss")

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
			assert.Eventually(t, func() bool { return asked(t, c, "contacts", "miss") == misses+50 }, time.Minute, time.Millisecond, "all have missed it")
			close(release)
			callers.Wait()
			assert.EqualValues(t, 1, d.loads.Load()-loads)
		})
	}
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
	}, time.Minute, 5*time.Millisecond)
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
