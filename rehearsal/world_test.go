package rehearsal

import (
	"errors"
	"runtime"
	"testing"
	"time"
	"weak"

	"github.com/stretchr/testify/require"

	"github.com/relance/relance/campaign"
)

func settings(contacts int) Settings {
	return Settings{
		Rules: campaign.DefaultRules(), Start: time.Date(2026, 6, 1, 9, 0, 0, 0, time.UTC),
		Contacts: contacts, ReplyRate: 0.5, ReplyAfter: Usually(), Seed: 1,
	}
}

// The test environment leaves timers of real time behind that hold all of it,
// if a timer of the workflows was ever the next one.
func TestARehearsalsMemoryIsFreeWhenItIsOver(t *testing.T) {
	played := func() weak.Pointer[world] {
		w := newWorld(settings(200))
		require.NoError(t, w.play())
		return weak.Make(w)
	}()
	require.Eventually(t, func() bool {
		runtime.GC()
		return played.Value() == nil
	}, 10*time.Second, time.Millisecond)
}

// In each of these moments something else is under way: freezing, sending,
// waiting for replies, the second round, contacts who outlive the campaign.
func TestARehearsalStoppedAtAnyMomentEndsAllItsWorkflows(t *testing.T) {
	before := runtime.NumGoroutine()
	for _, moment := range []time.Duration{0, 1, time.Second, time.Hour, 24*time.Hour + 10*time.Minute, 50 * time.Hour} {
		w := newWorld(settings(1000))
		w.env.RegisterDelayedCallback(func() { w.stop(errors.New("enough")) }, moment)
		require.ErrorContains(t, w.play(), "enough", moment)
		require.Less(t, w.env.Now().Sub(w.Start), moment+time.Hour)
	}
	require.Eventually(t, func() bool { return runtime.NumGoroutine() <= before+1 }, 10*time.Second, time.Millisecond)
}

func TestAPanicOfTheEnvironmentIsAnError(t *testing.T) {
	w := newWorld(settings(1))
	require.NoError(t, w.play())
	require.ErrorContains(t, w.play(), "the workflows do not run")
}

func TestNoMoreThanACrowdTakesItsTurnAtOneMoment(t *testing.T) {
	start := settings(0).Start
	turns := newTurns(grid{start: start, step: time.Second})
	at := start.Add(1500 * time.Millisecond)
	for n := range 3 * turnsAtOnce {
		require.Equal(t, start.Add(time.Duration(2+n/turnsAtOnce)*time.Second), turns.next(at))
	}
	require.Equal(t, start, turns.next(start))
}
