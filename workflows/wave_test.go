package workflows

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/relance/relance/activities"
	"github.com/relance/relance/campaign"
)

func TestContactsOfAWaveThatFailedToSendAheadSendForThemselves(t *testing.T) {
	w := newWorld(t, 30)
	tries := 0
	w.ahead = func(context.Context, activities.SendWaveInput) (activities.SendWaveResult, error) {
		tries++
		return activities.SendWaveResult{}, errors.New("its worker died")
	}

	w.runCampaign(t)

	require.Equal(t, 1, tries, "what it left undone is the contacts' to do")
	require.Equal(t, campaign.Completed, w.status)
	for _, who := range w.order {
		require.Len(t, w.sent(who, campaign.Message1), 1)
	}
}

func TestContactWhomTheProviderTurnedAwayAheadRestsBeforeItsOwnAttempt(t *testing.T) {
	w := newWorld(t, 2)
	start := w.env.Now()
	w.ahead = func(_ context.Context, in activities.SendWaveInput) (activities.SendWaveResult, error) {
		return activities.SendWaveResult{Rests: map[uuid.UUID]time.Duration{in.Contacts[0]: 20 * time.Minute}}, nil
	}

	w.runCampaign(t)

	require.WithinDuration(t, start.Add(20*time.Minute), w.sent(w.order[0], campaign.Message1)[0], time.Minute)
	require.WithinDuration(t, start, w.sent(w.order[1], campaign.Message1)[0], time.Minute)
}

// Somebody may reply, and be answered, before their workflow has been started.
func TestContactWhoWasAnsweredBeforeItsWorkflowBeganIsSentNothingMore(t *testing.T) {
	w := newWorld(t, 1)
	who := w.order[0]
	w.ahead = func(context.Context, activities.SendWaveInput) (activities.SendWaveResult, error) {
		w.mu.Lock()
		defer w.mu.Unlock()
		now := w.env.Now()
		w.ledger = append(w.ledger, delivery{who, campaign.Message1, now}, delivery{who, campaign.Message2, now})
		w.recipients[who].state = campaign.Message2Sent
		return activities.SendWaveResult{}, nil
	}

	w.runCampaign(t)

	require.Equal(t, campaign.Completed, w.status)
	require.Len(t, w.ledger, 2)
	require.Less(t, w.completedAt.Sub(w.ledger[0].at), time.Minute, "its window is not waited for")
}
