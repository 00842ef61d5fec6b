package devstack

import (
	"fmt"
	"sync"
	"time"

	"github.com/alicebob/miniredis/v2"
)

// redisTick is how late a key may expire.
const redisTick = 250 * time.Millisecond

// Redis is a Redis server inside this process. Nothing it holds is kept on disk.
type Redis struct {
	server *miniredis.Miniredis
	stop   chan struct{}
	once   sync.Once
	ended  chan struct{}
}

// StartRedis starts one on addr ("host:port"), or on a free port of 127.0.0.1
// when addr is empty. Keys expire in real time, at most a quarter of a second
// late.
func StartRedis(addr string) (*Redis, error) {
	if addr == "" {
		addr = address(0)
	}
	server := miniredis.NewMiniRedis()
	if err := server.StartAddr(addr); err != nil {
		return nil, fmt.Errorf("start Redis on %s: %w", addr, err)
	}
	r := &Redis{server: server, stop: make(chan struct{}), ended: make(chan struct{})}
	go r.passTime()
	return r, nil
}

// passTime moves the clock of miniredis, which stands still by itself.
func (r *Redis) passTime() {
	defer close(r.ended)
	ticker := time.NewTicker(redisTick)
	defer ticker.Stop()
	last := time.Now()
	for {
		select {
		case <-r.stop:
			return
		case now := <-ticker.C:
			r.server.FastForward(now.Sub(last))
			last = now
		}
	}
}

// URL is for REDIS_URL.
func (r *Redis) URL() string { return "redis://" + r.server.Addr() + "/0" }

// Stop closes the server and its connections. It can be called more than once.
func (r *Redis) Stop() {
	r.once.Do(func() {
		close(r.stop)
		<-r.ended
		r.server.Close()
	})
}
