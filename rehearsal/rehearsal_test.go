package rehearsal_test

import (
	"context"
	"encoding/json"
	"runtime"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/relance/relance/campaign"
	"github.com/relance/relance/rehearsal"
)

var monday = time.Date(2026, 6, 1, 9, 0, 0, 0, time.UTC)

func settingsFor(contacts int, change ...func(*rehearsal.Settings)) rehearsal.Settings {
	s := rehearsal.Settings{Rules: campaign.DefaultRules(), Start: monday, Contacts: contacts, ReplyAfter: rehearsal.Usually(), Seed: 1}
	for _, c := range change {
		c(&s)
	}
	return s
}

func rehearse(t testing.TB, s rehearsal.Settings) rehearsal.Result {
	t.Helper()
	r, err := rehearsal.Run(t.Context(), s)
	require.NoError(t, err)
	return r
}

func after(d time.Duration) time.Time { return monday.Add(d) }

// Measured in processor time, which other work on the machine does not add to.
// It is about a second; alone, the rehearsal takes less than that.
func TestThousandContactsOver48HoursAreRehearsedInLessThanTenSeconds(t *testing.T) {
	began, used := time.Now(), processorTime(t)
	r := rehearse(t, settingsFor(1000, func(s *rehearsal.Settings) { s.ReplyRate = 0.3 }))
	used = processorTime(t) - used

	t.Logf("took %s, %s of it at work", time.Since(began), used)
	if !raceEnabled {
		require.Less(t, used, 10*time.Second)
	}
	require.Equal(t, 1000, r.Message1)
	require.InDelta(t, 300, r.Message2, 4*14.5, "four times the deviation of 1,000 throws")
	require.Equal(t, 500, r.Hours[0].Message1)
	require.Equal(t, 500, r.Hours[12].WaitingForQuota)
	require.Positive(t, r.Hours[24].Message1)
	require.Equal(t, after(48*time.Hour), r.CompletesAt)
	require.True(t, r.LastContactFinalAt.After(r.CompletesAt), "who was sent late lives through a window of its own")
	require.LessOrEqual(t, r.PeakQuotaUse, 1000)
}

func processorTime(t *testing.T) time.Duration {
	t.Helper()
	var usage syscall.Rusage
	require.NoError(t, syscall.Getrusage(syscall.RUSAGE_SELF, &usage))
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

func TestRepliesAfterTheWindowAreLateAndEarnNothing(t *testing.T) {
	r := rehearse(t, settingsFor(20, func(s *rehearsal.Settings) {
		s.ReplyRate, s.ReplyAfter = 1, rehearsal.Evenly(24*time.Hour, 24*time.Hour)
	}))
	require.Equal(t, rehearsal.States{campaign.LateInteraction: 20}, r.FinalStates)
	require.Equal(t, 20, r.LateReplies)
	require.Zero(t, r.Message2)

	muchLater := rehearse(t, settingsFor(20, func(s *rehearsal.Settings) {
		s.ReplyRate, s.ReplyAfter = 1, rehearsal.Evenly(90*time.Hour, 100*time.Hour)
	}))
	require.Equal(t, rehearsal.States{campaign.LateInteraction: 20}, muchLater.FinalStates, "when every workflow has ended")
	require.Equal(t, rehearsal.States{campaign.NoInteraction: 20}, muchLater.Hours[len(muchLater.Hours)-1].FinalStates)
	require.Len(t, muchLater.Hours, 25)
}

func TestReplyAfterTheDeadlineButInsideItsOwnWindowEarnsMessage2(t *testing.T) {
	r := rehearse(t, settingsFor(4, func(s *rehearsal.Settings) {
		s.Rules.Quota.Limit = 4 // two contacts a day
		s.ReplyRate, s.ReplyAfter = 1, rehearsal.Evenly(23*time.Hour, 23*time.Hour)
	}))
	require.Equal(t, rehearsal.States{campaign.Message2Sent: 4}, r.FinalStates)
	require.Equal(t, after(48*time.Hour), r.CompletesAt)
	require.True(t, r.LastContactFinalAt.After(after(48*time.Hour)))
}

func TestWhoIsNotReachedBeforeTheDeadlineIsCounted(t *testing.T) {
	r := rehearse(t, settingsFor(30, func(s *rehearsal.Settings) { s.Rules.Quota.Limit = 10 }))
	require.Equal(t, 20, r.NotReached)
	require.Equal(t, rehearsal.States{campaign.NoInteraction: 10, campaign.NotSent: 20}, r.FinalStates)
	require.Equal(t, 25, r.Hours[0].WaitingForQuota)
	require.Positive(t, r.RefusedForQuota)
	require.Zero(t, r.Hours[len(r.Hours)-1].WaitingForQuota)
}

func TestWithoutReserveAnswersWaitForTheQuota(t *testing.T) {
	r := rehearse(t, settingsFor(50, func(s *rehearsal.Settings) {
		s.Rules.Quota.Limit, s.Rules.Quota.Reserve = 50, 0
		s.ReplyRate, s.ReplyAfter = 1, rehearsal.Evenly(time.Hour, 2*time.Hour)
	}))
	require.Equal(t, 50, r.Hours[0].Message1)
	require.Equal(t, 50, r.Hours[2].WaitingForQuota)
	require.Equal(t, 50, r.Hours[24].Message2)
	require.Zero(t, r.Hours[24].FinalStates[campaign.NoInteraction])
}

func TestEmptyAudienceCompletesAtOnce(t *testing.T) {
	r := rehearse(t, settingsFor(0))
	require.Equal(t, monday, r.CompletesAt)
	require.Len(t, r.Hours, 1)
	require.Nil(t, r.FirstMessage1At)
}

func TestTheSameSeedGivesTheSameResult(t *testing.T) {
	tight := settingsFor(80, func(s *rehearsal.Settings) {
		s.Rules.Quota = campaign.Quota{Limit: 60, Window: 12 * time.Hour, Reserve: 0.4}
		s.ReplyRate = 0.7
	})
	paced := tight
	paced.Rules.Pace = campaign.Pace{Min: 15 * time.Second, Max: 90 * time.Second}
	for _, s := range []rehearsal.Settings{tight, paced} {
		first := written(t, rehearse(t, s))
		require.Equal(t, first, written(t, rehearse(t, s)))
		s.Seed++
		require.NotEqual(t, first, written(t, rehearse(t, s)))
	}
}

func TestRehearsalsAtTheSameTimeDoNotDisturbEachOther(t *testing.T) {
	var all sync.WaitGroup
	results := make([]string, 6)
	settings := func(i int) rehearsal.Settings {
		return settingsFor(20*(i+1), func(s *rehearsal.Settings) { s.Rules.Quota.Limit, s.ReplyRate, s.Seed = 50, 0.5, uint64(i) })
	}
	for i := range results {
		all.Go(func() {
			r, err := rehearsal.Run(t.Context(), settings(i))
			assert.NoError(t, err)
			results[i] = written(t, r)
		})
	}
	all.Wait()
	for i, together := range results {
		require.Equal(t, written(t, rehearse(t, settings(i))), together)
	}
}

func written(t testing.TB, r rehearsal.Result) string {
	t.Helper()
	encoded, err := json.MarshalIndent(r, "", " ")
	assert.NoError(t, err)
	return string(encoded)
}

func TestARehearsalThatIsGivenUpSaysSoAndLeavesNoGoroutineBehind(t *testing.T) {
	before := runtime.NumGoroutine()
	over, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := rehearsal.Run(over, settingsFor(10))
	require.ErrorIs(t, err, context.Canceled)

	soon, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	_, err = rehearsal.Run(soon, settingsFor(3000, func(s *rehearsal.Settings) {
		s.Rules.Quota.Limit, s.ReplyRate = 10_000, 0.5
	}))
	require.ErrorIs(t, err, context.DeadlineExceeded)
	require.NotContains(t, err.Error(), "\n")
	require.Eventually(t, func() bool { return runtime.NumGoroutine() <= before+1 }, 30*time.Second, 10*time.Millisecond)
}

func TestSenselessSettingsAreRefused(t *testing.T) {
	for what, change := range map[string]func(*rehearsal.Settings){
		"contacts":   func(s *rehearsal.Settings) { s.Contacts = -1 },
		"reply rate": func(s *rehearsal.Settings) { s.ReplyRate = 1.1 },
		"SEND_LIMIT": func(s *rehearsal.Settings) { s.Rules.Quota.Limit = 0 },
	} {
		_, err := rehearsal.Run(t.Context(), settingsFor(1, change))
		require.ErrorContains(t, err, what)
	}
}

// Whatever the settings, no window of the quota holds more than the limit and
// everyone comes to an end that adds up.
func TestNoRehearsalExceedsTheQuotaOrLosesAnybody(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		minutes := func(name string, most int) time.Duration {
			return time.Duration(rapid.IntRange(1, most).Draw(rt, name)) * time.Minute
		}
		s := settingsFor(rapid.IntRange(0, 30).Draw(rt, "contacts"), func(s *rehearsal.Settings) {
			s.Rules.Quota = campaign.Quota{
				Limit: rapid.IntRange(2, 40).Draw(rt, "limit"), Window: 600*time.Minute + minutes("quota window", 2000),
				Reserve: rapid.Float64Range(0, 1).Draw(rt, "reserve"),
			}
			s.Rules.ReplyWindow, s.Rules.Deadline = minutes("reply window", 2000), minutes("deadline", 3000)
			if rapid.Bool().Draw(rt, "paced") {
				s.Rules.Pace = campaign.Pace{Min: minutes("pause", 5), Max: 10 * time.Minute}
			}
			s.ReplyRate, s.Seed = rapid.Float64Range(0, 1).Draw(rt, "rate"), rapid.Uint64().Draw(rt, "seed")
			s.ReplyAfter = rehearsal.Evenly(0, minutes("delay", 3000))
		})
		r, err := rehearsal.Run(t.Context(), s)
		require.NoError(rt, err)
		require.LessOrEqual(rt, r.PeakQuotaUse, s.Rules.Quota.Limit)
		ended := 0
		for state, n := range r.FinalStates {
			require.True(rt, state.Final(), state)
			ended += n
		}
		require.Equal(rt, s.Contacts, ended)
		require.Equal(rt, r.NotReached, r.FinalStates[campaign.NotSent])
		require.Equal(rt, r.Message2, r.FinalStates[campaign.Message2Sent])
		require.Equal(rt, r.Replies-r.LateReplies, r.Message2, "every reply in time is answered")
		require.False(rt, r.CompletesAt.After(after(s.Rules.Deadline)))
		sent1, sent2 := 0, 0
		for _, hour := range r.Hours {
			sent1, sent2 = sent1+hour.Message1, sent2+hour.Message2
		}
		require.Equal(rt, []int{r.Message1, r.Message2}, []int{sent1, sent2})
	})
}
