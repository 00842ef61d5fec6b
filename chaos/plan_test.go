package main

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestAPlanFollowsFromItsSeedAlone(t *testing.T) {
	for seed := range uint64(50) {
		assert.Equal(t, newPlan(seed, 2*time.Minute), newPlan(seed, 2*time.Minute))
	}
	assert.NotEqual(t, newPlan(1, 2*time.Minute).acts, newPlan(2, 2*time.Minute).acts)
}

func TestOnlyOneThingIsDoneToAVictimAtATimeAndAllIsOverInTheEnd(t *testing.T) {
	for seed := range uint64(50) {
		until := map[string]time.Duration{}
		for _, a := range newPlan(seed, time.Minute).acts {
			require.GreaterOrEqual(t, a.at, until[a.victim], "%s", a)
			until[a.victim] = a.at + a.length
			require.LessOrEqual(t, until[a.victim], time.Minute, "%s", a)
		}
	}
}

// Whatever a run can do, some seed among a few does, to everything that it can be
// done to.
func TestTwentySeedsDoEverythingToEverybody(t *testing.T) {
	type deed struct {
		victim string
		what   what
	}
	done := map[deed]bool{}
	for seed := range uint64(20) {
		for _, a := range newPlan(seed, 2*time.Minute).acts {
			done[deed{a.victim, a.what}] = true
		}
	}
	tempers := map[string]temper{
		thePostgres: ofPostgres, theTemporal: ofTemporal, theRedis: ofRedis, theProvider: ofProvider, theConduct: ofConduct, theAdmin: ofAdmin, theWhole: ofTheWhole,
	}
	for _, name := range relanceProcesses {
		tempers[name] = ofRelance
		for _, server := range servers {
			tempers[linkName(name, server)] = ofLinks
		}
	}
	for victim, t1 := range tempers {
		for _, w := range t1.what {
			assert.True(t, done[deed{victim, w}], "%s: %s", victim, w)
		}
	}
}

// A message that arrives, or shows in a look-up, more than SEND_SETTLE late may be
// doubled: that is not promised otherwise (docs/guarantees.md), so nothing here does it.
func TestNoDelayIsAsLongAsLookUpsMustFindNothing(t *testing.T) {
	for seed := range uint64(50) {
		for _, a := range newPlan(seed, 2*time.Minute).acts {
			require.Less(t, a.amount, sendSettle)
		}
	}
	require.Less(t, conductOf(blind, nil).LookUpLag.Max, sendSettle)
}
