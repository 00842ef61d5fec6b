package campaign

import "sort"

// Claimant is a campaign that competes with others for the free places of one
// device's quota.
type Claimant struct {
	// Used is how many of its Message 1s count in the present window of the
	// quota or are admitted.
	Used int
	// Waiting is how many of its recipients wait for admission.
	Waiting int
}

// FairShares divides free places among claimants so that whoever has had least
// comes first: the shares raise all who wait to the same level of Used + share,
// as far as free reaches and never beyond what they wait for (max-min fairness).
//
// What the level leaves over goes one each to the first claimants at the level,
// in the order given; so the order must be the same for everyone who asks, such
// as that of the campaigns' starts. Then it does not matter who asks first, how
// often, or for how much at a time: taking part of one's own share leaves the
// rest of it, and everyone else's, as they were. Nobody can take what another is
// entitled to, and nobody starves, since each window frees what was used in it.
//
// All of free is given out if as many wait. Negative numbers count as 0.
func FairShares(free int, claimants []Claimant) []int {
	waiting := 0
	for _, c := range claimants {
		waiting += max(c.Waiting, 0)
	}
	free = max(0, min(free, waiting))
	level := waterLevel(free, claimants)
	shares := make([]int, len(claimants))
	for i, c := range claimants {
		shares[i] = c.upTo(level)
		free -= shares[i]
	}
	for i, c := range claimants {
		if free > 0 && c.upTo(level+1) > shares[i] {
			shares[i]++
			free--
		}
	}
	return shares
}

// waterLevel is the highest level to which free places raise everyone who waits.
func waterLevel(free int, claimants []Claimant) int {
	highest := 0
	for _, c := range claimants {
		highest = max(highest, c.Used)
	}
	// As free is at most what all wait for, raising everyone by free above the
	// highest either takes more than free or serves all.
	return sort.Search(highest+free, func(level int) bool { return !affordable(level+1, free, claimants) })
}

func affordable(level, free int, claimants []Claimant) bool {
	for _, c := range claimants {
		if free -= c.upTo(level); free < 0 {
			return false
		}
	}
	return true
}

// upTo is how many places raise the claimant to a level, if as many wait.
func (c Claimant) upTo(level int) int {
	return max(0, min(c.Waiting, level-max(c.Used, 0)))
}
