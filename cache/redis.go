package cache

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/logging"
	"github.com/redis/go-redis/v9/maintnotifications"
	"github.com/sony/gobreaker/v2"
)

const (
	// redisTimeout bounds every call, unless the address has a read_timeout: a
	// cache slower than the database is no cache.
	redisTimeout = 50 * time.Millisecond
	// dialTimeout may be longer: nobody waits for it beyond redisTimeout, and
	// the next caller finds the connection made.
	dialTimeout = time.Second
	// failuresToOpen calls in a row must fail before Redis is given up.
	failuresToOpen = 3
	// retryAfter is how long Redis is left alone before it is tried again.
	retryAfter = time.Second
)

// guardedRedis is Redis behind a circuit breaker: once given up it costs
// nothing, until a trial finds that it answers again.
type guardedRedis struct {
	client  *redis.Client
	timeout time.Duration
	breaker *gobreaker.CircuitBreaker[struct{}]
	failure atomic.Pointer[error] // the last
}

// openRedis calls changed with what was the last straw when Redis is given up,
// and with nil when it is back.
func openRedis(url string, changed func(given error)) (*guardedRedis, error) {
	options, err := redis.ParseURL(url)
	if err != nil {
		return nil, fmt.Errorf("reading the Redis address: %w", err)
	}
	logging.Disable() // the client writes to stderr; redisChanged says it once, in our log
	options.DialTimeout = dialTimeout
	options.DialerRetries = 1
	timeout := options.ReadTimeout
	if timeout <= 0 {
		timeout = redisTimeout
	}
	options.ReadTimeout, options.WriteTimeout, options.PoolTimeout = timeout, timeout, timeout
	options.ContextTimeoutEnabled = true
	options.MaxRetries = -1 // the breaker decides what follows from a failure
	options.Protocol = 2
	options.DisableIdentity = true
	options.MaintNotificationsConfig = &maintnotifications.Config{Mode: maintnotifications.ModeDisabled}
	r := &guardedRedis{client: redis.NewClient(options), timeout: timeout}
	r.breaker = gobreaker.NewCircuitBreaker[struct{}](gobreaker.Settings{
		Name:        "redis",
		Timeout:     retryAfter,
		ReadyToTrip: func(counts gobreaker.Counts) bool { return counts.ConsecutiveFailures >= failuresToOpen },
		OnStateChange: func(_ string, from, to gobreaker.State) {
			switch {
			case to == gobreaker.StateOpen && from == gobreaker.StateClosed:
				changed(*r.failure.Load())
			case to == gobreaker.StateClosed:
				changed(nil)
			}
		},
	})
	return r, nil
}

func (r *guardedRedis) close() error {
	if err := r.client.Close(); err != nil {
		return fmt.Errorf("closing Redis: %w", err)
	}
	return nil
}

// ping goes past the breaker: it is asked by people.
func (r *guardedRedis) ping(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, r.timeout)
	defer cancel()
	if err := r.client.Ping(ctx).Err(); err != nil {
		return fmt.Errorf("asking Redis: %w", explained(err))
	}
	return nil
}

// call runs one command under the breaker and the timeout. The caller's own
// impatience is no failure of Redis, so its context does not reach it.
func (r *guardedRedis) call(ctx context.Context, doing string, command func(ctx context.Context) error) error {
	_, err := r.breaker.Execute(func() (struct{}, error) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), r.timeout)
		defer cancel()
		err := command(ctx)
		if err != nil {
			r.failure.Store(&err)
		}
		return struct{}{}, err
	})
	if err != nil {
		return fmt.Errorf("%s: %w", doing, err)
	}
	return nil
}

// getTwo reads two keys in one round trip; what is missing is empty.
func (r *guardedRedis) getTwo(ctx context.Context, first, second string) (string, string, error) {
	var values [2]string
	err := r.call(ctx, "reading from Redis", func(ctx context.Context) error {
		answer, err := r.client.MGet(ctx, first, second).Result()
		if err != nil {
			return err
		}
		if len(answer) != len(values) {
			return errors.New("an answer of the wrong length")
		}
		for i := range values {
			values[i], _ = answer[i].(string)
		}
		return nil
	})
	return values[0], values[1], err
}

func (r *guardedRedis) set(ctx context.Context, key, value string, ttl time.Duration) error {
	return r.call(ctx, "writing to Redis", func(ctx context.Context) error {
		return r.client.Set(ctx, key, value, ttl).Err()
	})
}

func (r *guardedRedis) setAll(ctx context.Context, pairs ...any) error {
	return r.call(ctx, "replacing versions in Redis", func(ctx context.Context) error {
		return r.client.MSet(ctx, pairs...).Err()
	})
}
