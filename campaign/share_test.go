package campaign

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func claimants(t *rapid.T) []Claimant {
	return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) Claimant {
		return Claimant{Used: rapid.IntRange(0, 30).Draw(t, "used"), Waiting: rapid.IntRange(0, 30).Draw(t, "waiting")}
	}), 0, 8).Draw(t, "claimants")
}

func sum(numbers []int) (total int) {
	for _, n := range numbers {
		total += n
	}
	return total
}

func TestWhoeverHasHadLeastComesFirst(t *testing.T) {
	for _, c := range []struct {
		free      int
		claimants []Claimant
		shares    []int
	}{
		{500, []Claimant{{0, 1000}}, []int{500}},
		{500, []Claimant{{0, 1000}, {0, 1000}}, []int{250, 250}},
		{500, []Claimant{{500, 1000}, {0, 1000}}, []int{0, 500}},
		{500, []Claimant{{400, 1000}, {0, 1000}}, []int{50, 450}},
		{500, []Claimant{{0, 10}, {0, 1000}}, []int{10, 490}},
		{500, []Claimant{{0, 10}, {0, 20}}, []int{10, 20}},
		{5, []Claimant{{0, 9}, {0, 9}, {1, 9}}, []int{2, 2, 1}},
		{2, []Claimant{{0, 9}, {0, 9}, {0, 9}}, []int{1, 1, 0}},
		{0, []Claimant{{0, 9}}, []int{0}},
		{-3, []Claimant{{0, 9}}, []int{0}},
		{3, []Claimant{{-5, 9}, {0, -9}}, []int{3, 0}},
		{5, nil, []int{}},
	} {
		require.Equal(t, c.shares, FairShares(c.free, c.claimants), "%d among %v", c.free, c.claimants)
	}
}

func TestSharesAreMaxMinFairAndLeaveNothingOver(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		free, all := rapid.IntRange(0, 150).Draw(t, "free"), claimants(t)
		shares := FairShares(free, all)
		waiting := 0
		for i, c := range all {
			waiting += c.Waiting
			require.GreaterOrEqual(t, shares[i], 0)
			require.LessOrEqual(t, shares[i], c.Waiting)
		}
		require.Equal(t, min(free, waiting), sum(shares), "all of free is handed out if anybody waits")
		for i, poor := range all {
			for j, rich := range all {
				if shares[i] < poor.Waiting && shares[j] > 0 {
					require.GreaterOrEqual(t, poor.Used+shares[i]+1, rich.Used+shares[j],
						"%d still waits, so nobody is raised above it by more than the remainder", i)
				}
			}
		}
	})
}

func TestOrderMattersOnlyForTheRemainder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		free, all := rapid.IntRange(0, 150).Draw(t, "free"), claimants(t)
		order := rapid.Permutation(indices(len(all))).Draw(t, "order")
		shuffled := make([]Claimant, len(all))
		for i, from := range order {
			shuffled[i] = all[from]
		}
		shares, again := FairShares(free, all), FairShares(free, shuffled)
		for i, from := range order {
			require.InDelta(t, shares[from], again[i], 1)
		}
	})
}

// Campaigns ask in any order, as often as they like and for as few places at a
// time as they like: in the end each has what it was entitled to at first.
func TestAskingFirstAndOftenTakesNothingFromAnother(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		free, all := rapid.IntRange(0, 80).Draw(t, "free"), claimants(t)
		entitled := FairShares(free, all)
		now, taken := slices.Clone(all), make([]int, len(all))
		ask := func(i, atMost int) {
			n := min(FairShares(free, now)[i], atMost)
			now[i].Used, now[i].Waiting = now[i].Used+n, now[i].Waiting-n
			free, taken[i] = free-n, taken[i]+n
		}
		for len(all) > 0 && rapid.IntRange(0, 20).Draw(t, "go on") > 0 {
			ask(rapid.SampledFrom(indices(len(all))).Draw(t, "who"), rapid.IntRange(1, 10).Draw(t, "wave"))
			for i := range all {
				require.Equal(t, entitled[i]-taken[i], FairShares(free, now)[i])
			}
		}
		for i := range all {
			ask(i, 1000)
		}
		require.Equal(t, entitled, taken)
	})
}

// A campaign that has filled the window competes with one launched after it:
// whatever comes free goes to the newcomer until both have had as much.
func TestNewCampaignIsNotStarvedByOneThatFilledTheQuota(t *testing.T) {
	big, small := Claimant{Used: 500, Waiting: 10_000}, Claimant{Waiting: 300}
	for range 300 {
		big.Used-- // one of its messages stops counting
		shares := FairShares(1, []Claimant{big, small})
		if small.Waiting > 0 && small.Used <= big.Used {
			require.Equal(t, []int{0, 1}, shares)
		}
		big.Used, big.Waiting = big.Used+shares[0], big.Waiting-shares[0]
		small.Used, small.Waiting = small.Used+shares[1], small.Waiting-shares[1]
	}
	require.InDelta(t, big.Used, small.Used, 1)
}

func indices(n int) []int {
	all := make([]int, n)
	for i := range all {
		all[i] = i
	}
	return all
}
