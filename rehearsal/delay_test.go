package rehearsal

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestDelaysAreReadAsTheyAreWritten(t *testing.T) {
	for _, s := range []string{"5m-6h", "0s-1m30s", "20m", "0s", "median 30m spread 4", "median 1h30m spread 1.5"} {
		d, err := ParseDelay(s)
		require.NoError(t, err)
		require.Equal(t, s, d.String())
	}
}

func TestSenselessDelaysAreRefusedWithASentence(t *testing.T) {
	for s, want := range map[string]string{
		"":                       "must be a range such as 5m-6h",
		"soon":                   "must be a range such as 5m-6h",
		"5m-":                    "must be a range such as 5m-6h",
		"-5m":                    "must be a range such as 5m-6h",
		"6h-5m":                  "must name the shorter delay first",
		"median soon spread 4":   "must be a range such as 5m-6h",
		"median 0s spread 4":     "must have a median longer than 0",
		"median 30m spread 0.5":  "a spread between 1 and 100",
		"median 30m spread NaN":  "a spread between 1 and 100",
		"median 30m spread 1000": "a spread between 1 and 100",
	} {
		_, err := ParseDelay(s)
		require.ErrorContains(t, err, want, s)
	}
}

func TestDelaysAreDrawnAsTheirNameSays(t *testing.T) {
	draw := func(s string) []time.Duration {
		d, err := ParseDelay(s)
		require.NoError(t, err)
		chance, drawn := rand.New(rand.NewPCG(1, 2)), make([]time.Duration, 10_000)
		for i := range drawn {
			drawn[i] = d.draw(chance)
		}
		slices.Sort(drawn)
		return drawn
	}
	evenly := draw("5m-6h")
	require.GreaterOrEqual(t, evenly[0], 5*time.Minute)
	require.LessOrEqual(t, evenly[9999], 6*time.Hour)
	require.InDelta(t, 182.5, evenly[5000].Minutes(), 8)

	around := draw("median 30m spread 4")
	require.InDelta(t, 30, around[5000].Minutes(), 2)
	require.InDelta(t, 7.5, around[1587].Minutes(), 1)
	require.InDelta(t, 120, around[8413].Minutes(), 8)
	require.LessOrEqual(t, draw("median 1000h spread 100")[9999], longestDelay)
}
