package cache

import (
	"context"
	"crypto/rand"
	"time"

	"github.com/google/uuid"
)

// answerLockTTL bounds how long a process that died can leave its lock behind.
const answerLockTTL = 5 * time.Minute

// unlock deletes a lock only if it is still the holder's own.
const unlock = `if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end return 0`

// HoldAnswer takes the lock "lock:message2:{campaign_id}:{contact_id}" for at most
// five minutes. taken: somebody else holds it. With Redis absent, away, slow or
// answering nonsense it is not taken: nothing that must hold may depend on this
// lock. release gives an own lock back, and does nothing about another's.
func (c *Cache) HoldAnswer(ctx context.Context, campaignID, contactID uuid.UUID) (release func(), taken bool) {
	release = func() {}
	if c.off() {
		return release, false
	}
	key := "lock:message2:" + campaignID.String() + ":" + contactID.String()
	holder := rand.Text()
	set, err := c.redis.setIfAbsent(ctx, key, holder, answerLockTTL)
	if err != nil || !set {
		return release, err == nil
	}
	return func() { _ = c.redis.deleteIf(ctx, key, holder) }, false
}

func (r *guardedRedis) setIfAbsent(ctx context.Context, key, value string, ttl time.Duration) (set bool, err error) {
	err = r.call(ctx, "locking in Redis", func(ctx context.Context) error {
		set, err = r.client.SetNX(ctx, key, value, ttl).Result()
		return err
	})
	return set, err
}

func (r *guardedRedis) deleteIf(ctx context.Context, key, value string) error {
	return r.call(ctx, "unlocking in Redis", func(ctx context.Context) error {
		return r.client.Eval(ctx, unlock, []string{key}, value).Err()
	})
}
