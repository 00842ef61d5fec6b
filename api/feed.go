package api

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/relance/relance/store"
)

// feeds keep what streams show fresh: one look a second for each thing that
// anybody watches, however many watch it. The database is looked at, so it does
// not matter which process changed something.
type feeds struct {
	look  time.Duration
	mutex sync.Mutex
	of    map[string]*feed
	users map[uuid.UUID]int // how many streams each of them watches
	ended chan struct{}     // closed when no stream may go on
}

// mostStreams is how many streams one user may watch on one process. Each takes
// some ten kilobytes for ten minutes, which a program that never closes them
// would not notice.
const mostStreams = 100

func newFeeds() *feeds {
	return &feeds{look: time.Second, of: map[string]*feed{}, users: map[uuid.UUID]int{}, ended: make(chan struct{})}
}

// full tells whether a user watches as much as one may.
func (f *feeds) full(user uuid.UUID) bool {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	return f.users[user] >= mostStreams
}

// feed is one watched thing.
type feed struct {
	viewers int
	stop    context.CancelFunc

	mutex   sync.Mutex
	latest  event
	seenAt  time.Time     // when it was last looked at with success
	changed chan struct{} // closed when latest is replaced
	gone    chan struct{} // closed when there is nothing to watch any more
}

// event is one state of a thing. Its id is that of its content: whoever comes
// back with it, to whichever process, has missed nothing.
type event struct {
	id       string
	data     []byte
	lookedAt time.Time // it is true of this moment or a later one
}

func newEvent(value any, lookedAt time.Time) (event, error) {
	data, err := json.Marshal(value)
	if err != nil {
		return event{}, err
	}
	sum := sha256.Sum256(data)
	return event{id: hex.EncodeToString(sum[:8]), data: data, lookedAt: lookedAt}, nil
}

// watch begins to keep a thing fresh, or joins those who do. first is its state
// now. Whoever watches must leave.
func (f *feeds) watch(user uuid.UUID, key string, first event, load func(context.Context) (event, error), failed func(error)) (*feed, func()) {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	watched := f.of[key]
	if watched == nil {
		ctx, cancel := context.WithCancel(context.Background())
		watched = &feed{stop: cancel, changed: make(chan struct{}), gone: make(chan struct{})}
		f.of[key] = watched
		go watched.keepFresh(ctx, f.look, load, failed)
	}
	watched.viewers++
	f.users[user]++
	watched.show(first)
	return watched, func() { f.leave(user, key, watched) }
}

func (f *feeds) leave(user uuid.UUID, key string, watched *feed) {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	if f.users[user]--; f.users[user] == 0 {
		delete(f.users, user)
	}
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
		switch {
		case errors.Is(err, store.ErrNotFound):
			close(w.gone)
			return
		case err != nil:
			failed(err)
		default:
			w.show(now)
		}
	}
}

func (w *feed) show(now event) {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	if now.lookedAt.Before(w.seenAt) {
		return // whoever looked was slower than the one after them
	}
	w.seenAt = now.lookedAt
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
