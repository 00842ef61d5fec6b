package main

import (
	"hash/fnv"
	"math/rand/v2"
	"time"
)

// dice are random numbers that depend on nothing but the seed and the lot that
// they are thrown for: what is drawn for one lot leaves all others as they were.
type dice struct{ *rand.Rand }

func throw(seed uint64, lot string) dice {
	h := fnv.New64a()
	_, _ = h.Write([]byte(lot))                         // a hash takes everything
	return dice{rand.New(rand.NewPCG(seed, h.Sum64()))} //nolint:gosec // not a secret
}

// between gives a whole number from low to high, both included.
func (d dice) between(low, high int) int { return low + d.IntN(high-low+1) }

// span gives a length of time from low to high, in whole milliseconds.
func (d dice) span(low, high time.Duration) time.Duration {
	return (low + time.Duration(d.Int64N(int64(high-low)+1))).Round(time.Millisecond)
}

func (d dice) chance(p float64) bool { return d.Float64() < p }

func pick[T any](d dice, from []T) T { return from[d.IntN(len(from))] }
