package rehearsal

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strconv"
	"strings"
	"time"
)

// Delay is how long after Message 1 a reply comes: drawn evenly between two
// bounds, or log-normally around a median, which is how people answer: most
// soon, a few much later. The zero value is at once.
type Delay struct {
	min, max time.Duration // evenly, unless there is a median
	median   time.Duration
	spread   float64
}

// Usually is how contacts are taken to answer where nobody says otherwise: two
// thirds between 7 minutes and 2 hours, one in 400 later than a day.
func Usually() Delay { return Delay{median: 30 * time.Minute, spread: 4} }

// Evenly is any delay from least to most with equal chance.
func Evenly(least, most time.Duration) Delay { return Delay{min: least, max: most} }

const delayExpected = "must be a range such as 5m-6h, one delay such as 20m, or such as median 30m spread 4, not %q"

// ParseDelay reads a delay as [Delay.String] writes it: 5m-6h for evenly
// between the two, 20m for always the same, or "median 30m spread 4": half of
// the replies come within 30 minutes, two thirds between a quarter and four
// times of that. The error is one sentence about what is expected, to be put
// after the name of the flag or field.
func ParseDelay(s string) (Delay, error) {
	if words := strings.Fields(s); len(words) == 4 && words[0] == "median" && words[2] == "spread" {
		median, errMedian := time.ParseDuration(words[1])
		spread, errSpread := strconv.ParseFloat(words[3], 64)
		if errMedian != nil || errSpread != nil {
			return Delay{}, fmt.Errorf(delayExpected, s)
		}
		if median <= 0 || !(spread >= 1 && spread <= maxSpread) {
			return Delay{}, fmt.Errorf("must have a median longer than 0 and a spread between 1 and %d, not %q", maxSpread, s)
		}
		return Delay{median: median, spread: spread}, nil
	}
	least, most, isRange := strings.Cut(s, "-")
	if !isRange {
		most = least
	}
	low, errLow := time.ParseDuration(strings.TrimSpace(least))
	high, errHigh := time.ParseDuration(strings.TrimSpace(most))
	switch {
	case errLow != nil || errHigh != nil || low < 0:
		return Delay{}, fmt.Errorf(delayExpected, s)
	case high < low:
		return Delay{}, fmt.Errorf("must name the shorter delay first, such as 5m-6h, not %q", s)
	}
	return Evenly(low, high), nil
}

const (
	maxSpread = 100
	// longestDelay keeps the far end of a wide spread within what a date can be.
	longestDelay = 365 * 24 * time.Hour
)

func (d Delay) draw(chance *rand.Rand) time.Duration {
	if d.median == 0 {
		return d.min + time.Duration(chance.Float64()*float64(d.max-d.min))
	}
	factor := math.Exp(math.Log(d.spread) * chance.NormFloat64())
	return time.Duration(min(float64(d.median)*factor, float64(longestDelay)))
}

// String writes the delay as [ParseDelay] reads it.
func (d Delay) String() string {
	switch {
	case d.median > 0:
		return fmt.Sprintf("median %s spread %g", Brief(d.median), d.spread)
	case d.min == d.max:
		return Brief(d.min)
	}
	return Brief(d.min) + "-" + Brief(d.max)
}

// Brief writes 6h for what Go writes as 6h0m0s.
func Brief(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}
