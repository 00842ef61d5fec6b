package campaign

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestProperty6_ReplyAtExactly24HoursIsLate(t *testing.T) {
	sent := time.Date(2026, 3, 28, 12, 0, 0, 0, time.UTC)
	ends := WindowEnd(sent, 24*time.Hour)
	require.True(t, InWindow(ends.Add(-time.Nanosecond), ends))
	require.False(t, InWindow(ends, ends))
}

func TestWindowIs24HoursOfTimeAlsoWhenClocksChange(t *testing.T) {
	paris, err := time.LoadLocation("Europe/Paris")
	require.NoError(t, err)
	sent := time.Date(2026, 3, 28, 20, 0, 0, 0, paris) // the clock jumps that night
	require.Equal(t, 21, WindowEnd(sent, 24*time.Hour).In(paris).Hour())
}

func TestProperty6_ReplyCountsExactlyWhenItComesBefore24Hours(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		sent := time.Unix(rapid.Int64Range(0, 4e9).Draw(t, "sent"), 0)
		// About one in two at the very end, where it matters.
		after := time.Duration(rapid.OneOf(rapid.Int64Range(0, int64(72*time.Hour)),
			rapid.Int64Range(int64(24*time.Hour)-2, int64(24*time.Hour)+2)).Draw(t, "after"))
		require.Equal(t, after < 24*time.Hour, InWindow(sent.Add(after), WindowEnd(sent, 24*time.Hour)))
	})
}
