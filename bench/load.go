package bench

import (
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

// schedule says when each act of a load is due, counted from its beginning.
type schedule []time.Duration

// steady spaces acts evenly.
func steady(perSecond float64, lasting time.Duration) schedule {
	s := make(schedule, int(perSecond*lasting.Seconds()))
	for i := range s {
		s[i] = time.Duration(float64(i) / perSecond * float64(time.Second))
	}
	return s
}

// atOnce makes all acts due at the beginning.
func atOnce(n int) schedule { return make(schedule, n) }

// load is what came of a schedule.
type load struct {
	schedule  schedule
	begun     time.Time
	lasted    time.Duration // until the last act ended
	latencies latencies     // of each act, from when it was due to its end
	errors    []error       // of the acts that failed
	cpu       cpuUse
}

// run does each act when it is due, whether or not those before it have ended,
// and returns when all have.
func (s schedule) run(act func(i int) error) load {
	l := load{schedule: s, begun: time.Now(), latencies: make(latencies, len(s))}
	used := cpuUsed()
	errs := make([]error, len(s))
	var acts sync.WaitGroup
	for i := range s {
		time.Sleep(time.Until(l.due(i)))
		acts.Go(func() {
			errs[i] = act(i)
			l.latencies[i] = time.Since(l.due(i))
		})
	}
	acts.Wait()
	l.end(used, errs)
	return l
}

// atFullSpeed does so many acts over so many connections, each of which begins
// the next as soon as its last has ended: how much is taken, not how soon. An
// act is due when it begins.
func atFullSpeed(n, connections int, act func(i int) error) load {
	l := load{schedule: make(schedule, n), begun: time.Now(), latencies: make(latencies, n)}
	used := cpuUsed()
	errs := make([]error, n)
	var next atomic.Int64
	var acts sync.WaitGroup
	for range connections {
		acts.Go(func() {
			for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
				l.schedule[i] = time.Since(l.begun)
				errs[i] = act(i)
				l.latencies[i] = time.Since(l.due(i))
			}
		})
	}
	acts.Wait()
	l.end(used, errs)
	return l
}

func (l *load) end(used cpuUse, errs []error) {
	l.lasted, l.cpu = time.Since(l.begun), cpuUsed().since(used)
	for i, err := range errs {
		if err != nil {
			l.errors = append(l.errors, fmt.Errorf("number %d: %w", i, err))
		}
	}
}

// failure tells how many acts failed, and how the first did; nil if none did.
func (l load) failure() error {
	if len(l.errors) == 0 {
		return nil
	}
	return fmt.Errorf("%d of %d failed, the first being %w", len(l.errors), len(l.schedule), l.errors[0])
}

// due is the moment at which an act had to begin.
func (l load) due(i int) time.Time { return l.begun.Add(l.schedule[i]) }

// perSecond is the rate that was really reached.
func (l load) perSecond() float64 { return float64(len(l.schedule)) / l.lasted.Seconds() }
