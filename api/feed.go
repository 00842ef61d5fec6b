package api

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"sync"
	"time"
)

// feeds keep what streams show fresh: one look a second for each thing that
// anybody watches, however many watch it. The database is looked at, so it does
// not matter which process changed something.
type feeds struct {
	look  time.Duration
	mutex sync.Mutex
	of    map[string]*feed
	ended chan struct{} // closed when no stream may go on
}

func newFeeds() *feeds {
	return &feeds{look: time.Second, of: map[string]*feed{}, ended: make(chan struct{})}
}

// feed is one watched thing.
type feed struct {
	viewers int
	stop    context.CancelFunc

	mutex   sync.Mutex
	latest  event
	seenAt  time.Time     // when it was last looked at with success
	changed chan struct{} // closed when latest is replaced
}

// event is one state of a thing. Its id is that of its content: whoever comes
// back with it, to whichever process, has missed nothing.
type event struct {
	id   string
	data []byte
}

func newEvent(value any) (event, error) {
	data, err := json.Marshal(value)
	if err != nil {
		return event{}, err
	}
	sum := sha256.Sum256(data)
	return event{id: hex.EncodeToString(sum[:8]), data: data}, nil
}

// watch begins to keep a thing fresh, or joins those who do. first is its state
// now. Whoever watches must leave.
func (f *feeds) watch(key string, first event, load func(context.Context) (event, error), failed func(error)) (*feed, func()) {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	watched := f.of[key]
	if watched == nil {
		ctx, cancel := context.WithCancel(context.Background())
		watched = &feed{stop: cancel, changed: make(chan struct{})}
		f.of[key] = watched
		go watched.keepFresh(ctx, f.look, load, failed)
	}
	watched.viewers++
	watched.show(first)
	return watched, func() { f.leave(key, watched) }
}

func (f *feeds) leave(key string, watched *feed) {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	if watched.viewers--; watched.viewers == 0 {
		watched.stop()
		delete(f.of, key)
	}
}

// end ends all streams, now and later. It may be called once.
func (f *feeds) end() { close(f.ended) }

func (w *feed) keepFresh(ctx context.Context, every time.Duration, load func(context.Context) (event, error), failed func(error)) {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		now, err := load(ctx)
		if ctx.Err() != nil {
			return
		}
		if err != nil {
			failed(err)
			continue
		}
		w.show(now)
	}
}

func (w *feed) show(now event) {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	w.seenAt = time.Now()
	if now.id == w.latest.id {
		return
	}
	w.latest = now
	close(w.changed)
	w.changed = make(chan struct{})
}

// state is the newest state, and what tells of the next.
func (w *feed) state() (latest event, changed <-chan struct{}) {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	return w.latest, w.changed
}

// lookedAt is when the newest state was last known to be so.
func (w *feed) lookedAt() time.Time {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	return w.seenAt
}
