package cache

import (
	"context"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// section is what is kept under one prefix.
type section struct {
	prefix     string
	versionKey string
	// missed counts the times that the version had to be replaced, healed how
	// many of them a replacement has covered. In between, what is kept may be
	// older than the data and is not used by this process.
	missed, healed atomic.Uint64
}

func (s *section) suspect() bool { return s.healed.Load() < s.missed.Load() }

func (s *section) heal(upTo uint64) {
	for {
		healed := s.healed.Load()
		if healed >= upTo || s.healed.CompareAndSwap(healed, upTo) {
			return
		}
	}
}

// sectionOf finds the section of a key; nil for a key that is not the cache's.
func (c *Cache) sectionOf(key string) *section {
	for _, s := range c.sections {
		if strings.HasPrefix(key, s.prefix) && key != s.versionKey {
			return s
		}
	}
	return nil
}

// Invalidate forgets everything under the given prefixes; call it when a change
// has been committed. If Redis does not answer, this process goes to the
// database until it does, and other processes serve what they have for at most
// its TTL: each replaces the versions itself when it finds that Redis was away.
func (c *Cache) Invalidate(ctx context.Context, prefixes ...string) {
	if c.off() {
		return
	}
	var stale []*section
	for _, s := range c.sections {
		if slices.Contains(prefixes, s.prefix) {
			s.missed.Add(1)
			stale = append(stale, s)
		}
	}
	if len(stale) != len(prefixes) {
		c.logger.ErrorContext(ctx, "A prefix that is not the cache's own was refused.", "prefixes", prefixes)
	}
	if len(stale) == 0 {
		return
	}
	if _, err := c.replaceVersions(ctx, stale); err != nil {
		c.logger.WarnContext(ctx, "Redis missed a change; answers come from the database until it has been told.", "error", err)
		c.healer.start(c)
	}
}

// replaceVersions gives the sections a new version, all the same.
func (c *Cache) replaceVersions(ctx context.Context, sections []*section) (string, error) {
	// Read before the replacement: it covers what was missed until now, not
	// what is missed while it is under way.
	missed := make([]uint64, len(sections))
	version := newVersion()
	pairs := make([]any, 0, 2*len(sections))
	for i, s := range sections {
		missed[i] = s.missed.Load()
		pairs = append(pairs, s.versionKey, version)
	}
	if err := c.redis.setAll(ctx, pairs...); err != nil {
		for _, s := range sections {
			c.metrics.failed(s, err)
		}
		return "", err
	}
	for i, s := range sections {
		s.heal(missed[i])
	}
	return version, nil
}

// redisChanged hears when Redis is given up, and why, and when it is back. While it was
// away anybody's invalidation may have been lost, so nothing kept is trusted
// until the versions have been replaced.
func (c *Cache) redisChanged(cause error) {
	if cause == nil {
		c.logger.Info("Redis answers again.")
		return
	}
	c.logger.Warn("Redis does not answer; answers come from the database until it does.", "error", explained(cause))
	for _, s := range c.sections {
		s.missed.Add(1)
	}
	c.healer.start(c)
}

// healInterval is how often the healer tries. While Redis is given up that
// costs nothing: the breaker answers.
const healInterval = 200 * time.Millisecond

// healer replaces versions that could not be replaced, away from any request.
type healer struct {
	mutex   sync.Mutex
	running bool
	ended   chan struct{}
	done    sync.WaitGroup
}

func (h *healer) begin() { h.ended = make(chan struct{}) }

func (h *healer) end() {
	h.mutex.Lock()
	select {
	case <-h.ended:
	default:
		close(h.ended)
	}
	h.mutex.Unlock()
	h.done.Wait()
}

func (h *healer) start(c *Cache) {
	h.mutex.Lock()
	defer h.mutex.Unlock()
	select {
	case <-h.ended:
		return
	default:
	}
	if h.running {
		return
	}
	h.running = true
	h.done.Go(func() { h.run(c) })
}

func (h *healer) run(c *Cache) {
	ticker := time.NewTicker(healInterval)
	defer ticker.Stop()
	for {
		select {
		case <-h.ended:
			return
		case <-ticker.C:
		}
		suspects := slices.DeleteFunc(slices.Clone(c.sections), func(s *section) bool { return !s.suspect() })
		if len(suspects) > 0 {
			_, _ = c.replaceVersions(context.Background(), suspects)
			continue
		}
		h.mutex.Lock()
		// Looked at again under the lock: whoever missed a change after that
		// starts a new run.
		if !slices.ContainsFunc(c.sections, (*section).suspect) {
			h.running = false
			h.mutex.Unlock()
			return
		}
		h.mutex.Unlock()
	}
}
