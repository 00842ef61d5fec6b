package campaign

import (
	"slices"
	"time"
)

// tally counts what ends at known moments, such as messages that stop counting
// against the quota. Moments are durations since one common beginning. Adding
// in the order of time, and letting time pass, cost nothing to speak of.
type tally struct {
	total   int
	batches []batch // by moment; those before first have ended
	first   int
}

type batch struct {
	ends time.Duration
	n    int
}

func (t *tally) add(ends time.Duration, n int) {
	if n <= 0 {
		return
	}
	t.total += n
	place := len(t.batches)
	for place > t.first && t.batches[place-1].ends > ends {
		place--
	}
	if place > t.first && t.batches[place-1].ends == ends {
		t.batches[place-1].n += n
		return
	}
	t.batches = slices.Insert(t.batches, place, batch{ends, n})
}

// pass lets the moment come and tells how many have ended by it.
func (t *tally) pass(moment time.Duration) int {
	ended := 0
	for t.first < len(t.batches) && t.batches[t.first].ends <= moment {
		ended += t.batches[t.first].n
		t.first++
	}
	t.total -= ended
	return ended
}

// next is when the next one ends, or never.
func (t *tally) next() time.Duration {
	if t.total == 0 {
		return never
	}
	return t.batches[t.first].ends
}
