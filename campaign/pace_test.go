package campaign

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestPaceIsARangeOrOnePauseOrNone(t *testing.T) {
	for s, want := range map[string]Pace{
		"": {}, "none": {}, " none ": {},
		"20s": {20 * time.Second, 20 * time.Second}, "15s-30s": {15 * time.Second, 30 * time.Second},
		" 500ms - 1m ": {500 * time.Millisecond, time.Minute}, "0s-5s": {0, 5 * time.Second},
	} {
		p, err := ParsePace(s)
		require.NoError(t, err, s)
		require.Equal(t, want, p, s)
		again, err := ParsePace(p.String())
		require.NoError(t, err, p)
		require.Equal(t, p, again, "written as it is read")
	}
}

func TestSenselessPaceIsRefusedWithWhatIsExpected(t *testing.T) {
	for s, want := range map[string]string{
		"20": "such as 20s", "soon": "such as 20s", "-5s": "such as 20s", "15s-": "such as 20s", "15s-30s-45s": "such as 20s",
		"30s-15s": "the shorter pause first", "0s": "longer than 0", "0s-0s": "longer than 0",
	} {
		_, err := ParsePace(s)
		require.ErrorContains(t, err, want, s)
		require.Regexp(t, "^must ", err.Error(), "a variable's name goes before it")
	}
}

func TestGapLiesWithinThePace(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		low := time.Duration(rapid.Int64Range(0, int64(time.Hour)).Draw(t, "min"))
		p := Pace{Min: low, Max: low + time.Duration(rapid.Int64Range(0, int64(time.Hour)).Draw(t, "more"))}
		gap := p.Gap(rapid.Float64Range(0, 0.9999999).Draw(t, "u"))
		require.GreaterOrEqual(t, gap, p.Min)
		require.LessOrEqual(t, gap, p.Max)
		require.InDelta(t, p.Gap(0.5), p.Mean(), 1)
		require.Equal(t, p.Max == 0, p.None())
	})
}
