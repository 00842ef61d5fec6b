package rehearsal_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/relance/relance/campaign"
	"github.com/relance/relance/rehearsal"
)

// A rehearsal and the forecast of the same campaign, where the forecast leaves
// nothing to chance: everyone answers after the same delay, or nobody does.
// Counts are equal hour by hour; moments differ by the seconds in which the
// forecast takes a crowd to send.
func TestRehearsalAgreesWithTheForecastWhereNothingIsLeftToChance(t *testing.T) {
	at := func(n int, after time.Duration) (moments []time.Time) {
		for range n {
			moments = append(moments, monday.Add(after))
		}
		return moments
	}
	for name, plan := range map[string]campaign.Plan{
		"nobody answers":              {Contacts: 100},
		"everyone answers":            {Contacts: 100, ReplyRate: 1, ReplyDelay: 90 * time.Minute},
		"answers after the deadline":  {Contacts: 100, ReplyRate: 1, ReplyDelay: 23 * time.Hour},
		"answers are late":            {Contacts: 30, ReplyRate: 1, ReplyDelay: 24 * time.Hour},
		"too many":                    {Contacts: 250},
		"too many, who answer":        {Contacts: 250, ReplyRate: 1, ReplyDelay: 5 * time.Minute},
		"no limit to speak of":        {Contacts: 100, ReplyRate: 1, ReplyDelay: time.Hour, Rules: rules(func(r *campaign.Rules) { r.Quota.Limit = 1e6 })},
		"no reserve":                  {Contacts: 100, Rules: rules(func(r *campaign.Rules) { r.Quota.Reserve = 0 })},
		"no reserve, everyone waits":  {Contacts: 90, ReplyRate: 1, ReplyDelay: time.Hour, Rules: rules(func(r *campaign.Rules) { r.Quota.Reserve = 0 })},
		"a third reserved":            {Contacts: 150, Rules: rules(func(r *campaign.Rules) { r.Quota.Reserve = 0.3 })},
		"sending hours":               {Contacts: 100, Rules: rules(hours(t, "08:00-20:00 UTC"))},
		"hours that open later":       {Contacts: 100, ReplyRate: 1, ReplyDelay: time.Hour, Rules: rules(hours(t, "11:00-23:00 UTC"))},
		"hours that open too late":    {Contacts: 2, Rules: rules(hours(t, "20:00-21:00 UTC"), func(r *campaign.Rules) { r.Deadline = time.Hour })},
		"paced":                       {Contacts: 70, Rules: rules(paced)},
		"paced in sending hours":      {Contacts: 90, ReplyRate: 1, ReplyDelay: time.Hour, Rules: rules(paced, hours(t, "08:00-20:00 UTC"))},
		"half of the quota is used":   {Contacts: 40, Load: campaign.Load{SentExpire: at(50, 5*time.Hour)}},
		"windows of others are open":  {Contacts: 40, Load: campaign.Load{SentExpire: at(30, 5*time.Hour), OpenUntil: at(30, 7*time.Hour)}},
		"others are about to be sent": {Contacts: 40, Load: campaign.Load{Owed: 10, Admitted: 20}},
	} {
		t.Run(name, func(t *testing.T) {
			if plan.Rules == (campaign.Rules{}) {
				plan.Rules = rules()
			}
			plan.Start = monday
			o := campaign.Forecast(plan)
			r := rehearse(t, rehearsal.Settings{
				Rules: plan.Rules, Start: plan.Start, Contacts: plan.Contacts, Load: plan.Load,
				ReplyRate: plan.ReplyRate, ReplyAfter: rehearsal.Evenly(plan.ReplyDelay, plan.ReplyDelay),
			})
			require.Equal(t, []int{o.Message1, o.Message2, o.NotReached}, []int{r.Message1, r.Message2, r.NotReached})
			require.Equal(t, o.Hours, busyHours(r))
			requireClose(t, o.FirstMessage1At, r.FirstMessage1At)
			requireClose(t, o.LastMessage1At, r.LastMessage1At)
			requireClose(t, o.CompletesAt, &r.CompletesAt)
		})
	}
}

// rules are the owner's with a tenth of the quota, so that a tenth of the
// contacts make the same campaign.
func rules(change ...func(*campaign.Rules)) campaign.Rules {
	r := campaign.DefaultRules()
	r.Quota.Limit = 100
	for _, c := range change {
		c(&r)
	}
	return r
}

func paced(r *campaign.Rules) { r.Pace = campaign.Pace{Min: 20 * time.Second, Max: 20 * time.Second} }

func hours(t *testing.T, s string) func(*campaign.Rules) {
	h, err := campaign.ParseHours(s)
	require.NoError(t, err)
	return func(r *campaign.Rules) { r.Hours = h }
}

// busyHours are the hours in which anything left, as a forecast has them.
func busyHours(r rehearsal.Result) (hours []campaign.HourCount) {
	for _, hour := range r.Hours {
		if hour.Message1+hour.Message2 > 0 {
			hours = append(hours, campaign.HourCount{At: hour.At, Message1: hour.Message1, Message2: hour.Message2})
		}
	}
	return hours
}

func requireClose(t *testing.T, want, got *time.Time) {
	t.Helper()
	if want == nil {
		require.Nil(t, got)
		return
	}
	require.NotNil(t, got)
	require.WithinDuration(t, *want, *got, time.Minute)
}
