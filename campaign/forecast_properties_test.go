package campaign

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// somePlans are small campaigns under all kinds of rules and loads. The load
// is one that the quota lets happen.
func somePlans(t *rapid.T) Plan {
	minutes := func(name string, from, to int) time.Duration {
		return time.Duration(rapid.IntRange(from, to).Draw(t, name)) * time.Minute
	}
	plan := planFor(rapid.IntRange(0, 60).Draw(t, "contacts"))
	plan.Rules.Quota = quotas(t)
	plan.Rules.ReplyWindow = rapid.SampledFrom([]time.Duration{12 * time.Hour, 24 * time.Hour, 30 * time.Hour}).Draw(t, "reply window")
	plan.ReplyRate = rapid.SampledFrom([]float64{0, 0.1, 0.5, 0.77, 1}).Draw(t, "reply rate")
	plan.ReplyDelay = rapid.SampledFrom([]time.Duration{0, time.Minute, 100 * time.Minute, 13 * time.Hour, 29 * time.Hour}).Draw(t, "reply delay")
	if rapid.Bool().Draw(t, "paced") {
		gap := minutes("gap", 1, 90)
		plan.Rules.Pace = Pace{gap, gap}
	}
	if rapid.Bool().Draw(t, "with hours") {
		plan.Rules.Hours = someHours(t)
	}
	free := plan.Rules.Quota.Limit
	load := func(name string, places int) int {
		n := rapid.IntRange(0, free/places).Draw(t, name)
		free -= n * places
		return n
	}
	for range load("sent", 1) {
		plan.Load.SentExpire = append(plan.Load.SentExpire, monday.Add(minutes("expires", -10, 24*60)))
	}
	for range load("open", 1) {
		plan.Load.OpenUntil = append(plan.Load.OpenUntil, monday.Add(minutes("open until", -10, 24*60)))
	}
	plan.Load.Owed, plan.Load.Admitted = load("owed", 1), load("admitted", 2)
	return plan
}

func someRivals(t *rapid.T, plan *Plan) {
	if rapid.Bool().Draw(t, "scheduled") {
		plan.Now = plan.Start.Add(-time.Duration(rapid.IntRange(1, 1800).Draw(t, "minutes until the start")) * time.Minute)
	}
	for range rapid.IntRange(0, 2).Draw(t, "rivals") {
		rival := Rival{Claimant: Claimant{Waiting: rapid.IntRange(0, 40).Draw(t, "rival waiting")}}
		rival.Expire = plan.Load.SentExpire[:rapid.IntRange(0, len(plan.Load.SentExpire)).Draw(t, "rival sent")]
		rival.Used = len(rival.Expire)
		if rapid.Bool().Draw(t, "rival ends") {
			rival.Deadline = monday.Add(time.Duration(rapid.IntRange(1, 48).Draw(t, "rival deadline")) * time.Hour)
		}
		plan.Others = append(plan.Others, rival)
	}
}

type departure struct {
	at      time.Duration
	message MessageType
	n       int
}

// traced is a forecast with all that leaves the device, by all campaigns.
func traced(plan Plan) (Outlook, []departure) {
	var left []departure
	outlook := newRehearsal(plan, func(at time.Duration, message MessageType, n int) {
		left = append(left, departure{at, message, n})
	}).play()
	return outlook, left
}

func TestNoWindowOfAForecastHoldsMoreThanTheLimit(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		plan := somePlans(t)
		someRivals(t, &plan)
		_, left := traced(plan)
		window := plan.Rules.Quota.Window
		for _, expires := range plan.Load.SentExpire {
			left = append(left, departure{expires.Sub(monday) - window, Message1, 1})
		}
		for _, last := range left {
			count := 0
			for _, d := range left {
				if last.at-window < d.at && d.at <= last.at {
					count += d.n
				}
			}
			require.LessOrEqual(t, count, plan.Rules.Quota.Limit, "in the window until %s", last.at)
		}
	})
}

func TestNoAnswerOfAForecastWaitsAtFullReserve(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		plan := somePlans(t)
		someRivals(t, &plan)
		plan.Rules.Quota.Reserve, plan.ReplyRate = 1, 1
		plan.ReplyDelay = min(plan.ReplyDelay, plan.Rules.ReplyWindow-1)
		plan.Load.Owed = 0
		_, left := traced(plan)
		balance := map[time.Duration]int{}
		for _, d := range left {
			if d.message == Message1 {
				balance[d.at+plan.ReplyDelay] += d.n
			} else {
				balance[d.at] -= d.n
			}
		}
		for at, n := range balance {
			// What rivals are still owed when the campaign is finished is not played.
			require.GreaterOrEqual(t, n, 0, "Message 2s leave with the reply, not after it: %s", at)
		}
	})
}

func TestCountsOfAForecastAddUp(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		plan := somePlans(t)
		someRivals(t, &plan)
		o := Forecast(plan)
		require.Equal(t, plan.Contacts, o.Contacts)
		require.Equal(t, o.Contacts, o.Message1+o.NotReached)
		answers := 0.0
		if plan.ReplyDelay < plan.Rules.ReplyWindow {
			answers = plan.ReplyRate
		}
		require.Equal(t, int(math.Round(answers*float64(o.Message1))), o.Message2, "exact to one")

		message1, message2 := 0, 0
		for i, h := range o.Hours {
			message1, message2 = message1+h.Message1, message2+h.Message2
			require.Zero(t, h.At.Sub(plan.Start)%time.Hour)
			require.Positive(t, h.Message1+h.Message2, "empty hours are left out")
			require.True(t, i == 0 || h.At.After(o.Hours[i-1].At))
		}
		require.Equal(t, []int{o.Message1, o.Message2}, []int{message1, message2})

		deadline := plan.Start.Add(plan.Rules.Deadline)
		require.False(t, o.CompletesAt.After(deadline))
		require.True(t, o.NotReached == 0 || o.CompletesAt.Equal(deadline))
		require.Equal(t, o.Message1 > 0, o.FirstMessage1At != nil && o.LastMessage1At != nil)
		if o.Message1 > 0 {
			require.False(t, o.FirstMessage1At.Before(plan.Start))
			require.True(t, o.LastMessage1At.Before(deadline), "nothing is admitted at or after the deadline")
			require.True(t, plan.Rules.Hours.Open(*o.FirstMessage1At) && plan.Rules.Hours.Open(*o.LastMessage1At))
		}
	})
}

func TestHigherLimitNeverReachesFewer(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		plan := planFor(rapid.IntRange(0, 5000).Draw(t, "contacts"))
		plan.ReplyRate = rapid.Float64Range(0, 1).Draw(t, "reply rate")
		reached := 0
		for limit := 2; limit < 4000; limit += rapid.IntRange(1, 500).Draw(t, "more") {
			plan.Rules.Quota.Limit = limit
			now := Forecast(plan).Message1
			require.GreaterOrEqual(t, now, reached, "limit %d", limit)
			reached = now
		}
	})
}
