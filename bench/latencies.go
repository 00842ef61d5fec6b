package bench

import (
	"math"
	"slices"
	"time"
)

// latencies are kept one by one, so that percentiles are exact.
type latencies []time.Duration

// summary is what a table shows of them.
type summary struct{ p50, p99, longest time.Duration }

func (l latencies) summary() summary {
	sorted := slices.Sorted(slices.Values(l))
	return summary{p50: percentile(sorted, 50), p99: percentile(sorted, 99), longest: percentile(sorted, 100)}
}

// percentile is the shortest of the sorted times that p percent of all do not exceed.
func percentile(sorted []time.Duration, p float64) time.Duration {
	if len(sorted) == 0 {
		return 0
	}
	rank := int(math.Ceil(p / 100 * float64(len(sorted))))
	return sorted[max(rank, 1)-1]
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
