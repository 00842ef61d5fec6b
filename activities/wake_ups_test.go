package activities_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/testsuite"

	"github.com/relance/relance/activities"
)

// deafAtFirst is a Temporal that does not take the first wake-ups.
type deafAtFirst struct {
	woken
	refusals *atomic.Int32
}

func (d deafAtFirst) Wake(ctx context.Context, campaignID, contactID uuid.UUID) error {
	if d.refusals.Add(-1) >= 0 {
		return errors.New("Temporal is away")
	}
	return d.woken.Wake(ctx, campaignID, contactID)
}

func TestWakeUpAfterAnAnswerIsRepeatedUntilTemporalTakesIt(t *testing.T) {
	s := newSender(t)
	recipient := s.replied()
	a := s.sendingAhead()
	answers, wakeUps := s.answeringThrough(a, func(w woken) activities.Waker {
		refusals := new(atomic.Int32)
		refusals.Store(2)
		return &deafAtFirst{w, refusals}
	})

	require.True(t, answers.Owe(t.Context(), recipient))

	s.requireWoken(wakeUps, recipient)
	require.Len(t, s.simulator.Ledger().Messages, 2)
}

func TestWakingTheStoppedGoesOnBehindThoseWhoWereWokenBeforeACrash(t *testing.T) {
	s := newSender(t)
	require.NoError(t, s.store.Cancel(t.Context(), s.in.CampaignID))
	wakeUps := make(woken, 10)
	a := s.worker(nil)
	a.Workflows = wakeUps
	attempt := func(behind *int) (last int) {
		var suite testsuite.WorkflowTestSuite
		env := suite.NewTestActivityEnvironment()
		env.RegisterActivity(a.WakeStopped)
		last = -1
		env.SetOnActivityHeartbeatListener(func(_ *activity.Info, details converter.EncodedValues) {
			require.NoError(t, details.Get(&last))
		})
		if behind != nil {
			env.SetHeartbeatDetails(*behind)
		}
		_, err := env.ExecuteActivity(a.WakeStopped, s.in.CampaignID)
		require.NoError(t, err)
		return last
	}

	last := attempt(nil)
	require.Len(t, wakeUps, 1)
	require.GreaterOrEqual(t, last, 0)
	attempt(&last)
	require.Len(t, wakeUps, 1, "nobody is left to be woken")
}
