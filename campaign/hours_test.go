package campaign

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// hoursOf is the Hours that an environment variable would give.
func hoursOf(t require.TestingT, s string) Hours {
	h, err := ParseHours(s)
	require.NoError(t, err)
	return h
}

func paris(t require.TestingT, clock string) time.Time {
	place, err := time.LoadLocation("Europe/Paris")
	require.NoError(t, err)
	at, err := time.ParseInLocation("2006-01-02 15:04:05", clock, place)
	require.NoError(t, err)
	return at
}

func TestHoursOpenAtTheFirstMinuteAndCloseAtTheLast(t *testing.T) {
	h := hoursOf(t, "08:00-20:00 Europe/Paris")
	for clock, open := range map[string]bool{
		"2026-06-01 07:59:59": false, "2026-06-01 08:00:00": true,
		"2026-06-01 19:59:59": true, "2026-06-01 20:00:00": false, "2026-06-01 00:00:00": false,
	} {
		at := paris(t, clock)
		require.Equal(t, open, h.Open(at), clock)
		require.Equal(t, open, h.Open(at.UTC()), "whatever the location of the moment is")
	}
	require.Equal(t, 30*time.Minute, h.UntilClose(paris(t, "2026-06-01 19:30:00")))
	require.Equal(t, 12*time.Hour, h.UntilOpen(paris(t, "2026-06-01 20:00:00")))
	require.Zero(t, h.UntilOpen(paris(t, "2026-06-01 19:30:00")))
	require.Zero(t, h.UntilClose(paris(t, "2026-06-01 20:00:00")))
}

func TestHoursMaySpanMidnight(t *testing.T) {
	h := hoursOf(t, "20:00-06:00 Europe/Paris")
	require.True(t, h.Open(paris(t, "2026-06-01 23:00:00")))
	require.True(t, h.Open(paris(t, "2026-06-01 05:59:59")))
	require.False(t, h.Open(paris(t, "2026-06-01 06:00:00")))
	require.Equal(t, 7*time.Hour, h.UntilClose(paris(t, "2026-06-01 23:00:00")))
	require.Equal(t, 8*time.Hour, h.UntilOpen(paris(t, "2026-06-01 12:00:00")))
}

func TestWithoutHoursItIsAlwaysOpen(t *testing.T) {
	for _, h := range []Hours{{}, hoursOf(t, ""), hoursOf(t, " always ")} {
		at := paris(t, "2026-06-01 03:00:00")
		require.True(t, h.Open(at))
		require.Zero(t, h.UntilOpen(at))
		require.Equal(t, time.Duration(math.MaxInt64), h.UntilClose(at))
	}
}

// On 29 March 2026 Paris goes from 02:00 to 03:00, on 25 October back from
// 03:00 to 02:00.
func TestHoursAreThoseOfTheWallClockWhenItChanges(t *testing.T) {
	day := hoursOf(t, "08:00-20:00 Europe/Paris")
	require.Equal(t, 11*time.Hour, day.UntilOpen(paris(t, "2026-03-28 20:00:00")), "a short night")
	require.Equal(t, 13*time.Hour, day.UntilOpen(paris(t, "2026-10-24 20:00:00")), "a long night")
	night := hoursOf(t, "22:00-06:00 Europe/Paris")
	require.Equal(t, 7*time.Hour, night.UntilClose(paris(t, "2026-03-28 22:00:00")))
	require.Equal(t, 9*time.Hour, night.UntilClose(paris(t, "2026-10-24 22:00:00")))
}

func TestLocalTimesThatDoNotExistOpenNothing(t *testing.T) {
	skipped := hoursOf(t, "02:15-02:45 Europe/Paris")
	require.Equal(t, paris(t, "2026-03-30 02:15:00"), paris(t, "2026-03-28 03:00:00").Add(skipped.UntilOpen(paris(t, "2026-03-28 03:00:00"))))
	begins := hoursOf(t, "02:30-05:00 Europe/Paris")
	require.Equal(t, time.Minute, begins.UntilOpen(paris(t, "2026-03-29 01:59:00")), "from 02:00 the clock shows 03:00")
	ends := hoursOf(t, "00:00-02:30 Europe/Paris")
	require.Equal(t, time.Minute, ends.UntilClose(paris(t, "2026-03-29 01:59:00")))
}

func TestLocalTimesThatOccurTwiceOpenTwice(t *testing.T) {
	h := hoursOf(t, "02:30-05:00 Europe/Paris")
	first := paris(t, "2026-10-25 01:30:00").Add(time.Hour)
	require.Equal(t, time.Hour, h.UntilOpen(first.Add(-time.Hour)))
	require.Equal(t, 30*time.Minute, h.UntilClose(first), "at 03:00 it is 02:00 again")
	require.Equal(t, 30*time.Minute, h.UntilOpen(first.Add(30*time.Minute)))
	require.Equal(t, 150*time.Minute, h.UntilClose(first.Add(time.Hour)))
}

var places = []string{
	"UTC", "Europe/Paris", "America/New_York", "Asia/Kathmandu", "Africa/Casablanca", "America/St_Johns",
	"Australia/Lord_Howe", // changes by 30 minutes
	"Antarctica/Troll",    // by 2 hours
	"Pacific/Apia",
}

func someHours(t *rapid.T) Hours {
	clock := func(name string) string {
		return time.Time{}.Add(time.Duration(rapid.IntRange(0, 287).Draw(t, name)) * 5 * time.Minute).Format("15:04")
	}
	from, to := clock("from"), clock("to")
	if from == to {
		t.Skip("no hours")
	}
	return hoursOf(t, from+"-"+to+" "+rapid.SampledFrom(places).Draw(t, "place"))
}

// momentIn2026 is any second of the year, with those about changes of clocks
// drawn more often.
func momentIn2026(t *rapid.T) time.Time {
	if rapid.Bool().Draw(t, "about a change") {
		change := rapid.SampledFrom([]time.Time{
			time.Date(2026, 3, 29, 1, 0, 0, 0, time.UTC), time.Date(2026, 10, 25, 1, 0, 0, 0, time.UTC), // Europe
			time.Date(2026, 3, 8, 7, 0, 0, 0, time.UTC), time.Date(2026, 11, 1, 6, 0, 0, 0, time.UTC), // New York
			time.Date(2026, 4, 4, 15, 0, 0, 0, time.UTC), time.Date(2026, 10, 3, 15, 30, 0, 0, time.UTC), // Lord Howe
		}).Draw(t, "change")
		return change.Add(time.Duration(rapid.IntRange(-86400, 86400).Draw(t, "seconds")) * time.Second)
	}
	return time.Unix(rapid.Int64Range(1767225600, 1798761600).Draw(t, "at"), 0)
}

func TestUntilOpenEndsAtTheFirstOpenMoment(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		h, at := someHours(t), momentIn2026(t)
		wait := h.UntilOpen(at)
		require.Equal(t, h.Open(at), wait == 0)
		require.True(t, h.Open(at.Add(wait)))
		require.LessOrEqual(t, wait, 50*time.Hour)
		for moment := at; moment.Before(at.Add(wait)); moment = moment.Add(time.Minute) {
			require.False(t, h.Open(moment), "%s", moment)
		}
		require.True(t, wait == 0 || !h.Open(at.Add(wait-1)))
	})
}

func TestUntilCloseEndsAtTheFirstClosedMoment(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		h, at := someHours(t), momentIn2026(t)
		left := h.UntilClose(at)
		require.Equal(t, h.Open(at), left > 0)
		require.False(t, h.Open(at.Add(left)))
		for moment := at; moment.Before(at.Add(left)); moment = moment.Add(time.Minute) {
			require.True(t, h.Open(moment), "%s", moment)
		}
		require.True(t, left == 0 || h.Open(at.Add(left-1)))
	})
}

func TestHoursAreWrittenAsTheyAreRead(t *testing.T) {
	require.Equal(t, "08:00-20:00 Europe/Paris", hoursOf(t, " 8:00 - 20:00   Europe/Paris ").String())
	require.Equal(t, "always", Hours{}.String())
	rapid.Check(t, func(t *rapid.T) {
		h := someHours(t)
		require.Equal(t, h.String(), hoursOf(t, h.String()).String())
	})
}

func TestSenselessHoursAreRefusedWithWhatIsExpected(t *testing.T) {
	for s, want := range map[string]string{
		"08:00-20:00":               "such as 08:00-20:00 Europe/Paris",
		"Europe/Paris":              "such as 08:00-20:00 Europe/Paris",
		"08:00 Europe/Paris":        "such as 08:00-20:00 Europe/Paris",
		"8-20 Europe/Paris":         "such as 08:00-20:00 Europe/Paris",
		"08:00-24:00 Europe/Paris":  "such as 08:00-20:00 Europe/Paris",
		"08:60-20:00 Europe/Paris":  "such as 08:00-20:00 Europe/Paris",
		"08:00-20:00 Europe/Pariss": `a time zone such as Europe/Paris, not "Europe/Pariss"`,
		"08:00-20:00 Local":         "a time zone",
		"08:00-08:00 Europe/Paris":  "different times",
	} {
		_, err := ParseHours(s)
		require.ErrorContains(t, err, want, s)
		require.Regexp(t, "^must ", err.Error(), "a variable's name goes before it")
	}
}
