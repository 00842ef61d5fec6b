// Package cache keeps answers of the database in Redis for a while. It is a
// convenience, never a dependency: with Redis absent, away, slow or answering
// nonsense, callers get what their own loader says, and no error.
//
// What is stored under a prefix is valid for one version of that prefix. A
// change to the underlying data replaces the version, so that nothing has to be
// searched for and deleted. Whoever cannot replace the version (Redis does not
// answer) stops trusting the cache until it could.
package cache

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"strings"
	"time"

	"golang.org/x/sync/singleflight"
)

// The prefixes under which answers are kept. Everything else in Redis but the
// locks of [Cache.HoldAnswer] belongs to somebody else ("whatsapp:", "campaign:",
// "celery"…) and is refused.
const (
	Stats      = "cache:stats:"
	Categories = "cache:categories:"
	Contacts   = "cache:contacts:"
)

// How long answers are kept.
const (
	CategoriesTTL = 120 * time.Second
	ContactsTTL   = 60 * time.Second
	// StatsTTL is far below the seed's 60 s: statistics change without passing
	// through the API (sends, acknowledgements, replies), nothing invalidates
	// them yet, and they must never be more than 5 s behind (Property 15).
	StatsTTL = 2 * time.Second
)

// loadTimeout bounds a load that several callers wait for: it must not end with
// the one request that happened to begin it.
const loadTimeout = 10 * time.Second

// Cache is safe for concurrent use. A nil Cache keeps nothing.
type Cache struct {
	redis    *guardedRedis // nil when there is no Redis
	sections []*section
	flights  singleflight.Group
	logger   *slog.Logger
	healer   healer
	metrics  *metrics
}

// New makes a cache in the Redis at url; an empty url makes one that keeps
// nothing. It does not wait for Redis: only a senseless url is an error.
func New(url string, logger *slog.Logger) (*Cache, error) {
	c := &Cache{logger: logger, metrics: newMetrics()}
	if url == "" {
		return c, nil
	}
	for _, prefix := range []string{Stats, Categories, Contacts} {
		s := &section{prefix: prefix, versionKey: prefix + "version"}
		c.sections = append(c.sections, s)
		c.metrics.watch(s.name())
	}
	c.healer.begin()
	redis, err := openRedis(url, c.redisChanged)
	if err != nil {
		return nil, err
	}
	c.redis = redis
	return c, nil
}

// Close ends the connections to Redis.
func (c *Cache) Close() error {
	if c.off() {
		return nil
	}
	c.healer.end()
	return c.redis.close()
}

// ErrOff is what Healthy says of a cache without a Redis.
var ErrOff = errors.New("no Redis is configured")

// Healthy tells whether Redis answers. Whatever it says, the cache may be used.
func (c *Cache) Healthy(ctx context.Context) error {
	if c.off() {
		return ErrOff
	}
	return c.redis.ping(ctx)
}

func (c *Cache) off() bool { return c == nil || c.redis == nil }

// Through answers from the cache, or else from load, whose answer it then keeps
// for ttl under key. Callers that miss the same key together share one load and
// its value, which they must not modify. An error is always load's own, or that
// the caller's context ended.
func Through[T any](ctx context.Context, c *Cache, key string, ttl time.Duration, load func(context.Context) (T, error)) (T, error) {
	if c.off() {
		return load(ctx)
	}
	s := c.sectionOf(key)
	if s == nil {
		c.logger.ErrorContext(ctx, "A cache key outside the cache's own prefixes was refused.", "key", key)
		return load(ctx)
	}
	version, kept, trusted := c.look(ctx, s, key)
	if !trusted {
		c.metrics.asked(s, bypass)
		return load(ctx)
	}
	if value, ok := decode[T](kept, version); ok {
		c.metrics.asked(s, hit)
		return value, nil
	}
	c.metrics.asked(s, miss)
	// The version is part of the flight: whoever comes after a change does not
	// join a load that began before it.
	flight := c.flights.DoChan(key+"\n"+version, func() (any, error) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), loadTimeout)
		defer cancel()
		value, err := guard(ctx, load)
		if err == nil {
			c.keep(ctx, s, key, version, value, ttl)
		}
		return value, err
	})
	select {
	case <-ctx.Done():
		var none T
		return none, ctx.Err()
	case landed := <-flight:
		value, _ := landed.Val.(T)
		return value, landed.Err
	}
}

// guard turns a panic into an error: in a flight's own goroutine nobody else
// could stop it from ending the process.
func guard[T any](ctx context.Context, load func(context.Context) (T, error)) (value T, err error) {
	defer func() {
		if caught := recover(); caught != nil {
			err = fmt.Errorf("loading panicked: %v\n%s", caught, debug.Stack())
		}
	}()
	return load(ctx)
}

// look reads what is kept under key. Not trusted: Redis cannot tell, or must not
// be believed at the moment.
func (c *Cache) look(ctx context.Context, s *section, key string) (version, kept string, trusted bool) {
	if s.suspect() {
		return "", "", false
	}
	version, kept, err := c.redis.getTwo(ctx, s.versionKey, key)
	c.metrics.failed(s, err)
	if err != nil {
		return "", "", false
	}
	if version == "" {
		// Nobody has used the prefix yet, or Redis has forgotten: begin anew.
		version, err = c.replaceVersions(ctx, []*section{s})
		return version, "", err == nil
	}
	return version, kept, true
}

// keep stores a value. That it fails costs a load later, nothing else.
func (c *Cache) keep(ctx context.Context, s *section, key, version string, value any, ttl time.Duration) {
	encoded, err := json.Marshal(value)
	if err != nil {
		c.logger.ErrorContext(ctx, "An answer cannot be kept.", "key", key, "error", err)
		return
	}
	c.metrics.failed(s, c.redis.set(ctx, key, version+"\n"+string(encoded), ttl))
}

// decode reads a kept value if it belongs to the version. Nobody else's garbage
// carries the version's random name.
func decode[T any](kept, version string) (T, bool) {
	var value T
	encoded, ok := strings.CutPrefix(kept, version+"\n")
	if !ok || json.Unmarshal([]byte(encoded), &value) != nil {
		var none T
		return none, false
	}
	return value, true
}

// newVersion is never used twice, unlike a counter, which starts again when
// Redis evicts it or is emptied.
func newVersion() string { return rand.Text() }
