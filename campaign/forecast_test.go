package campaign

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

var monday = time.Date(2026, 6, 1, 9, 0, 0, 0, time.UTC)

func planFor(contacts int, change ...func(*Plan)) Plan {
	plan := Plan{Rules: DefaultRules(), Start: monday, Contacts: contacts}
	for _, c := range change {
		c(&plan)
	}
	return plan
}

// repeated is n times the moment that lies the given time after the start.
func repeated(n int, after time.Duration) []time.Time {
	moments := make([]time.Time, n)
	for i := range moments {
		moments[i] = monday.Add(after)
	}
	return moments
}

// requireOutlook checks the counts and, since the plan's start, the first and
// last Message 1 and the completion.
func requireOutlook(t *testing.T, plan Plan, message1, message2 int, first, last, completes time.Duration) Outlook {
	t.Helper()
	o := Forecast(plan)
	require.Equal(t, plan.Contacts, o.Contacts)
	require.Equal(t, message1, o.Message1, "Message 1s")
	require.Equal(t, message2, o.Message2, "Message 2s")
	require.Equal(t, plan.Contacts-message1, o.NotReached)
	require.Equal(t, plan.Start.Add(first), *o.FirstMessage1At, "first Message 1")
	require.Equal(t, plan.Start.Add(last), *o.LastMessage1At, "last Message 1")
	require.Equal(t, plan.Start.Add(completes), *o.CompletesAt, "completion")
	return o
}

// gathered is how long freed slots are gathered before a refused campaign asks again.
const gathered = 10 * time.Minute

func TestThousandContactsTakeTwoRoundsADayApart(t *testing.T) {
	o := requireOutlook(t, planFor(1000), 1000, 0, 0, 24*time.Hour+gathered, 48*time.Hour)
	require.Equal(t, []HourCount{
		{At: monday, Message1: 500}, {At: monday.Add(24 * time.Hour), Message1: 500},
	}, o.Hours)
}

func TestThousandContactsWhoAllAnswerAtOnceTakeTwoRoundsToo(t *testing.T) {
	o := requireOutlook(t, planFor(1000, func(p *Plan) { p.ReplyRate = 1 }), 1000, 1000,
		0, 24*time.Hour+gathered, 24*time.Hour+gathered)
	require.Equal(t, []HourCount{
		{At: monday, Message1: 500, Message2: 500}, {At: monday.Add(24 * time.Hour), Message1: 500, Message2: 500},
	}, o.Hours)
}

func TestWithTheLimitLiftedAllLeaveAtOnce(t *testing.T) {
	requireOutlook(t, planFor(1000, func(p *Plan) { p.Rules.Quota.Limit = 1_000_000 }), 1000, 0, 0, 0, 24*time.Hour)
}

func TestWithoutReserveAThousandLeaveAtOnceButAnswersWait(t *testing.T) {
	o := requireOutlook(t, planFor(1000, func(p *Plan) { p.Rules.Quota.Reserve, p.ReplyRate = 0, 0.3 }), 1000, 300, 0, 0, 24*time.Hour)
	require.Equal(t, HourCount{At: monday.Add(24 * time.Hour), Message2: 300}, o.Hours[1])
}

func TestMoreContactsThanTwoRoundsHoldAreNotAllReached(t *testing.T) {
	o := requireOutlook(t, planFor(2500), 1000, 0, 0, 24*time.Hour+gathered, 48*time.Hour)
	require.Equal(t, 1500, o.NotReached)
}

func TestAnswersComeAfterTheirDelayAndHoldTheirPlaceLonger(t *testing.T) {
	plan := planFor(1000, func(p *Plan) { p.ReplyRate, p.ReplyDelay = 0.5, 90*time.Minute })
	// The 250 who answered hold two places until 25:30, the 250 others until 24:00.
	o := requireOutlook(t, plan, 1000, 500, 0, 25*time.Hour+30*time.Minute+gathered, 48*time.Hour)
	require.Equal(t, []HourCount{
		{At: monday, Message1: 500}, {At: monday.Add(time.Hour), Message2: 250},
		{At: monday.Add(24 * time.Hour), Message1: 375}, {At: monday.Add(25 * time.Hour), Message1: 125, Message2: 188},
		{At: monday.Add(27 * time.Hour), Message2: 62},
	}, o.Hours)
}

func TestLateAnswersEarnNoMessage2(t *testing.T) {
	late := planFor(400, func(p *Plan) { p.ReplyRate, p.ReplyDelay = 1, 24*time.Hour })
	requireOutlook(t, late, 400, 0, 0, 0, 24*time.Hour)
	late.ReplyDelay--
	requireOutlook(t, late, 400, 400, 0, 0, 24*time.Hour-1)
}

func TestAnswersAfterTheDeadlineStillGetTheirMessage2(t *testing.T) {
	plan := planFor(1000, func(p *Plan) { p.ReplyRate, p.ReplyDelay = 1, 23*time.Hour })
	o := requireOutlook(t, plan, 1000, 1000, 0, 47*time.Hour+gathered, 48*time.Hour)
	require.Equal(t, monday.Add(70*time.Hour), o.Hours[len(o.Hours)-1].At)
}

func TestForecastKeepsToSendingHours(t *testing.T) {
	inHours := func(start string) Plan {
		return planFor(1000, func(p *Plan) {
			p.Start = paris(t, start)
			p.Rules.Hours = hoursOf(t, "08:00-20:00 Europe/Paris")
		})
	}
	requireOutlook(t, inHours("2026-06-01 19:30:00"), 1000, 0, 0, 24*time.Hour+gathered, 48*time.Hour)
	requireOutlook(t, inHours("2026-06-01 19:55:00"), 1000, 0, 0, 36*time.Hour+5*time.Minute, 48*time.Hour)
	// Asked while closed, the second round is told to come back at 08:00, when the room is there.
	requireOutlook(t, inHours("2026-06-01 20:30:00"), 1000, 0, 11*time.Hour+30*time.Minute, 35*time.Hour+30*time.Minute, 48*time.Hour)

	paced := inHours("2026-06-01 19:30:00")
	paced.Rules.Pace = Pace{20 * time.Second, 20 * time.Second}
	o := Forecast(paced)
	require.Equal(t, []HourCount{
		{At: paced.Start, Message1: 90},
		{At: paced.Start.Add(12 * time.Hour), Message1: 90}, // from 08:00
		{At: paced.Start.Add(13 * time.Hour), Message1: 180},
	}, o.Hours[:3], "nothing leaves between 20:00 and 08:00")
}

func TestHoursThatDoNotOpenBeforeTheDeadlineReachNobody(t *testing.T) {
	o := Forecast(planFor(10, func(p *Plan) {
		p.Rules.Deadline, p.Rules.Hours = time.Hour, hoursOf(t, "20:00-21:00 UTC")
	}))
	require.Equal(t, 10, o.NotReached)
	require.Nil(t, o.FirstMessage1At)
	require.Nil(t, o.LastMessage1At)
	require.Equal(t, monday.Add(time.Hour), *o.CompletesAt)
	require.Empty(t, o.Hours)
}

func TestPaceOf20SecondsLetsOnly4320LeaveADay(t *testing.T) {
	plan := planFor(10_000, func(p *Plan) {
		p.Rules.Quota.Limit, p.Rules.Pace = 1_000_000, Pace{15 * time.Second, 25 * time.Second}
		p.ReplyRate = 1
	})
	o := requireOutlook(t, plan, 8640, 8640, 0, 48*time.Hour-20*time.Second, 48*time.Hour)
	day := 0
	for _, h := range o.Hours[:24] {
		require.Equal(t, 180, h.Message1)
		require.Equal(t, 180, h.Message2, "Message 2 is not paced")
		day += h.Message1
	}
	require.Equal(t, 4320, day)
}

func TestShortPaceIsExactInItsCountsAlthoughPlayedInBatches(t *testing.T) {
	plan := planFor(1_000_000, func(p *Plan) {
		p.Rules.Quota.Limit, p.Rules.Pace = 10_000_000, Pace{700 * time.Millisecond, 700 * time.Millisecond}
		p.Rules.Deadline = time.Hour + 350*time.Millisecond
	})
	require.Equal(t, 5144, Forecast(plan).Message1, "the first at 0 s, the last at 5143 · 0.7 = 3600.1 s")
}

func TestPresentUsageIsWaitedFor(t *testing.T) {
	plan := planFor(600, func(p *Plan) {
		p.Load = Load{SentExpire: append(repeated(400, 2*time.Hour), monday), OpenUntil: repeated(100, 5*time.Hour)}
	})
	o := requireOutlook(t, plan, 600, 0, 0, 24*time.Hour+gathered, 48*time.Hour)
	require.Equal(t, []HourCount{
		{At: monday, Message1: 250},                     // 400 + 100 + 2·250 = 1000
		{At: monday.Add(2 * time.Hour), Message1: 200},  // 2·250 + 100 + 2·200 = 1000
		{At: monday.Add(5 * time.Hour), Message1: 50},   // 2·450 + 2·50 = 1000
		{At: monday.Add(24 * time.Hour), Message1: 100}, // the first 250 stop counting
	}, o.Hours)
}

func TestWhatIsOwedAndAdmittedLeavesFirst(t *testing.T) {
	plan := planFor(500, func(p *Plan) { p.Load = Load{Owed: 100, Admitted: 150} })
	o := requireOutlook(t, plan, 500, 0, 0, 24*time.Hour+gathered, 48*time.Hour)
	require.Equal(t, 300, o.Hours[0].Message1, "100 + 2·150 + 2·300 = 1000")
}

func TestCampaignsThatCompeteGetHalfEach(t *testing.T) {
	plan := planFor(1000, func(p *Plan) { p.Others = []Rival{{Claimant: Claimant{Waiting: 1000}}} })
	o := requireOutlook(t, plan, 500, 0, 0, 24*time.Hour+gathered, 48*time.Hour)
	require.Equal(t, []HourCount{{At: monday, Message1: 250}, {At: monday.Add(24 * time.Hour), Message1: 250}}, o.Hours)
}

func TestRivalThatHasUsedTheQuotaGivesWayUntilBothHaveHadAsMuch(t *testing.T) {
	sent := append(repeated(100, 2*time.Hour), repeated(400, 12*time.Hour)...)
	plan := planFor(1000, func(p *Plan) {
		p.Load = Load{SentExpire: sent, OpenUntil: sent}
		p.Others = []Rival{{Claimant: Claimant{Used: 500, Waiting: 1000}, Expire: sent}}
	})
	o := Forecast(plan)
	require.Equal(t, []HourCount{
		{At: monday.Add(2 * time.Hour), Message1: 100},  // the rival has 400 still
		{At: monday.Add(12 * time.Hour), Message1: 150}, // 250 each
		{At: monday.Add(26 * time.Hour), Message1: 100}, // all that comes free: 150 + 100 against 250
		{At: monday.Add(36 * time.Hour), Message1: 150}, // 100 + 150 against 250
	}, o.Hours)
}

func TestRivalNoLongerCompetesAfterItsOwnDeadline(t *testing.T) {
	plan := planFor(1000, func(p *Plan) {
		p.Others = []Rival{{Claimant: Claimant{Waiting: 1000}, Deadline: monday.Add(20 * time.Hour)}}
	})
	require.Equal(t, 750, Forecast(plan).Message1, "250 against the rival, then 500 alone")
}

func TestCampaignScheduledForLaterFindsWhatRivalsHaveLeftBy(t *testing.T) {
	plan := planFor(1000, func(p *Plan) {
		p.Now, p.Start = monday, monday.Add(12*time.Hour)
		p.Others = []Rival{{Claimant: Claimant{Waiting: 600}}}
	})
	o := Forecast(plan)
	require.Equal(t, plan.Start.Add(12*time.Hour+gathered), *o.FirstMessage1At, "the rival took the quota 12 hours before")
	require.Equal(t, []HourCount{
		{At: plan.Start.Add(12 * time.Hour), Message1: 400}, // the rival's other 100 beside it
		{At: plan.Start.Add(36 * time.Hour), Message1: 500},
	}, o.Hours)
}

func TestForecastOfShrunkRulesIsTheSameInShort(t *testing.T) {
	plan := planFor(60, func(p *Plan) {
		p.Rules.Quota.Limit, p.Rules.Quota.Window = 50, 10*time.Second
		p.Rules.ReplyWindow, p.Rules.Deadline = 10*time.Second, 24*time.Second
		p.ReplyRate = 1
	})
	asked := 10*time.Second + 10*time.Second/144
	o := requireOutlook(t, plan, 60, 60, 0, 2*asked, 2*asked)
	require.Equal(t, []HourCount{
		{At: monday, Message1: 25, Message2: 25},
		{At: monday.Add(10 * time.Second), Message1: 25, Message2: 25}, // buckets of half a second
		{At: monday.Add(20 * time.Second), Message1: 10, Message2: 10},
	}, o.Hours)
}

func TestCampaignWithoutContactsIsCompleteAtItsStart(t *testing.T) {
	o := Forecast(planFor(0))
	require.Equal(t, monday, *o.CompletesAt)
	require.Nil(t, o.FirstMessage1At)
	require.Zero(t, o.Message1+o.Message2+o.NotReached)
}

func BenchmarkForecast(b *testing.B) {
	for name, plan := range map[string]Plan{
		"100000 contacts":                  planFor(100_000, func(p *Plan) { p.ReplyRate, p.ReplyDelay = 0.3, time.Hour }),
		"1000000 contacts without a limit": planFor(1_000_000, func(p *Plan) { p.Rules.Quota.Limit, p.ReplyRate = 1e9, 0.3 }),
		"100000 contacts paced": planFor(100_000, func(p *Plan) {
			p.Rules.Quota.Limit, p.ReplyRate, p.ReplyDelay = 1e6, 0.3, time.Hour
			p.Rules.Pace, p.Rules.Hours = Pace{time.Second, 2 * time.Second}, hoursOf(b, "08:00-20:00 Europe/Paris")
		}),
		"100000 contacts against rivals under load": planFor(100_000, func(p *Plan) {
			p.ReplyRate, p.ReplyDelay = 0.3, time.Hour
			for i := range 900 {
				p.Load.SentExpire = append(p.Load.SentExpire, monday.Add(time.Duration(i)*90*time.Second))
			}
			p.Others = []Rival{{Claimant: Claimant{Used: 500, Waiting: 5000}}, {Claimant: Claimant{Waiting: 50}}}
		}),
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				Forecast(plan)
			}
		})
	}
}
