package api

import (
	"context"
	"sync"
	"time"
)

const (
	// freshFor is how long what was seen is shown without looking again,
	freshFor = 3 * time.Second
	// shownFor how long it is still shown while somebody looks again,
	shownFor = 30 * time.Second
	// firstLook how long an answer waits when there is nothing to show,
	firstLook = 500 * time.Millisecond
	// and lookLimit how long a look itself may take.
	lookLimit = 5 * time.Second
)

// lookout keeps what was last seen of something that may be slow to answer, so
// that whoever asks often never waits for it. At most one look is under way.
type lookout[T any] struct {
	see func(ctx context.Context) T
	// unknown is shown when a first look takes too long.
	unknown T

	mutex   sync.Mutex
	seen    T
	at      time.Time
	looking chan struct{} // closed when the look under way has ended; nil while there is none
}

// look tells what there is to see, or was half a minute ago at most.
func (l *lookout[T]) look(ctx context.Context) T {
	seen, age, looking := l.last()
	if age < shownFor {
		return seen
	}
	select {
	case <-looking:
		seen, _, _ = l.last()
		return seen
	case <-time.After(firstLook):
	case <-ctx.Done():
	}
	return l.unknown
}

// last is what was last seen and how old that is. If that is not fresh, a look is
// under way afterwards.
func (l *lookout[T]) last() (seen T, age time.Duration, looking <-chan struct{}) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	age = time.Since(l.at)
	if age >= freshFor && l.looking == nil {
		l.looking = make(chan struct{})
		go l.renew(l.looking)
	}
	return l.seen, age, l.looking
}

// renew looks once. It is no single request's look, and so has none's context; it
// ends by its own limit.
func (l *lookout[T]) renew(done chan struct{}) {
	ctx, cancel := context.WithTimeout(context.Background(), lookLimit)
	defer cancel()
	seen := l.see(ctx)
	l.mutex.Lock()
	l.seen, l.at, l.looking = seen, time.Now(), nil
	l.mutex.Unlock()
	close(done)
}
