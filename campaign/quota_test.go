package campaign

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func quotas(t *rapid.T) Quota {
	return Quota{
		Limit:   rapid.IntRange(2, 60).Draw(t, "limit"),
		Window:  24 * time.Hour,
		Reserve: rapid.SampledFrom([]float64{0, 0.1, 0.25, 0.3, 0.5, 0.7, 1}).Draw(t, "reserve"),
	}
}

func TestAdmittableIsTheLargestNumberThatStillFits(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		q := quotas(t)
		u := Usage{
			Sent: rapid.IntRange(0, 80).Draw(t, "sent"), Admitted: rapid.IntRange(0, 20).Draw(t, "admitted"),
			Owed: rapid.IntRange(0, 20).Draw(t, "owed"), Open: rapid.IntRange(0, 40).Draw(t, "open"),
		}
		k := q.Admittable(u)
		if k > 0 {
			require.True(t, q.fits(u, k))
		}
		require.False(t, q.fits(u, k+1))
	})
}

func TestAdmissionFollowsTheDesignsFormula(t *testing.T) {
	// (S+1) + ceil(r·(W+1)) ≤ limit, with nothing admitted or owed.
	q := Quota{Limit: 1000, Window: 24 * time.Hour, Reserve: 1}
	require.Equal(t, 500, q.Admittable(Usage{}))
	require.Equal(t, 0, q.Admittable(Usage{Sent: 500, Open: 500}))
	require.Equal(t, 1, q.Admittable(Usage{Sent: 499, Open: 499}))
	require.Equal(t, 0, q.Admittable(Usage{Sent: 499, Open: 500}))
	q.Reserve = 0.1
	require.Equal(t, 909, q.Admittable(Usage{}), "909 + ⌈90.9⌉ = 1000")
	q.Reserve = 0
	require.Equal(t, 1000, q.Admittable(Usage{}))
}

// The rule that keeps answers from starving, played on a random history: at
// reserve 1 a reply inside its window always finds room, and no window of the
// quota ever holds more than the limit.
func TestProperty5_NoReplyEverWaitsForQuotaAtFullReserve(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		q := quotas(t)
		q.Reserve = 1
		replyWindow := time.Duration(rapid.IntRange(1, 48).Draw(t, "reply window in hours")) * time.Hour
		var sent, open []time.Time // when messages left; when windows end
		admitted := 0
		now := time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)
		usage := func() Usage {
			u := Usage{Admitted: admitted}
			for _, at := range sent {
				if at.After(now.Add(-q.Window)) {
					u.Sent++
				}
			}
			for _, ends := range open {
				if InWindow(now, ends) {
					u.Open++
				}
			}
			return u
		}
		leave := func() {
			require.True(t, q.MayLeave(usage()), "%+v", usage())
			sent = append(sent, now)
		}
		t.Repeat(map[string]func(*rapid.T){
			"admit": func(t *rapid.T) {
				admitted += rapid.IntRange(0, q.Admittable(usage())).Draw(t, "admitted")
			},
			"send Message 1": func(t *rapid.T) {
				if admitted == 0 {
					t.Skip("nobody is admitted")
				}
				admitted--
				leave()
				open = append(open, WindowEnd(now, replyWindow))
			},
			"reply": func(t *rapid.T) {
				for i, ends := range open {
					if InWindow(now, ends) {
						open = append(open[:i], open[i+1:]...)
						leave()
						return
					}
				}
				t.Skip("no window is open")
			},
			"time passes": func(t *rapid.T) {
				now = now.Add(time.Duration(rapid.IntRange(1, 600).Draw(t, "minutes")) * time.Minute)
			},
			"": func(t *rapid.T) {
				require.LessOrEqual(t, usage().Sent, q.Limit)
			},
		})
	})
}

func TestWhatMayBeInFlightCountsAsSent(t *testing.T) {
	q := Quota{Limit: 10}
	require.True(t, q.MayLeave(Usage{Sent: 6, InFlight: 3}))
	require.False(t, q.MayLeave(Usage{Sent: 6, InFlight: 4}))
}

func TestLevelsFollowTheSeedsThresholds(t *testing.T) {
	q := Quota{Limit: 1000}
	for used, want := range map[int]QuotaLevel{
		0: LevelOK, 750: LevelOK, 751: LevelAttention, 900: LevelAttention,
		901: LevelDanger, 999: LevelDanger, 1000: LevelBlocked, 1200: LevelBlocked,
	} {
		require.Equal(t, want, q.Level(used), "%d used", used)
	}
}

func TestAskingAgainGathersFreedSlotsForTenMinutesOfADay(t *testing.T) {
	q := Quota{Window: 24 * time.Hour}
	require.Equal(t, 40*time.Minute, q.AskAgain(30*time.Minute))
	require.Equal(t, 70*time.Minute, q.AskAgain(20*time.Hour), "room may appear earlier than it does by itself")
	require.Equal(t, 10*time.Minute, q.AskAgain(-time.Hour))
}
