package activities_test

import (
	"context"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/relance/relance/activities"
	"github.com/relance/relance/campaign"
	"github.com/relance/relance/store"
	"github.com/relance/relance/wassenger/simulator"
)

// sendingAhead is a worker that sends ahead.
func (s sender) sendingAhead() *activities.Activities {
	s.t.Helper()
	a := s.worker(nil)
	a.Ahead = true
	return a
}

func (s sender) wave() activities.SendWaveInput {
	return activities.SendWaveInput{CampaignID: s.in.CampaignID, Contacts: []uuid.UUID{s.in.ContactID}}
}

func TestWhatAWaveSentAheadIsNotSentByItsContact(t *testing.T) {
	s := newSender(t)
	result, err := s.sendingAhead().SendWave(t.Context(), s.wave())
	require.NoError(t, err)
	require.Empty(t, result.Rests)
	require.Len(t, s.simulator.Ledger().Messages, 1)

	require.Equal(t, campaign.Message1Sent, s.untilDone(s.worker(nil)).State)
	require.Len(t, s.simulator.Ledger().Messages, 1)
}

func TestNothingIsSentAheadWhereThatIsSwitchedOff(t *testing.T) {
	s := newSender(t)
	_, err := s.worker(nil).SendWave(t.Context(), s.wave())
	require.NoError(t, err)
	require.Empty(t, s.simulator.Ledger().Messages)
}

// Whatever goes wrong ahead is made up for by the contact, and nothing leaves twice.
func TestProperty10_WhatGoesWrongAheadIsPutRightByTheContact(t *testing.T) {
	for fault, rests := range map[simulator.Fault]bool{
		simulator.RateLimited: true, simulator.ErrorBeforeAccept: true, simulator.ErrorAfterAccept: true, simulator.ResetAfterAccept: true,
		simulator.ResetBeforeAccept: true, simulator.TimeoutAfterAccept: true, simulator.Halted: false,
	} {
		t.Run(string(fault), func(t *testing.T) {
			s := newSender(t)
			require.NoError(t, s.simulator.FailNext(fault, 1))
			result, err := s.sendingAhead().SendWave(t.Context(), s.wave())
			require.NoError(t, err)
			require.Equal(t, rests, result.Rests[s.in.ContactID] > 0, "whether the provider wants to be left alone")
			if fault == simulator.Halted {
				require.NoError(t, s.store.Resume(t.Context(), s.in.CampaignID))
			}

			require.Equal(t, campaign.Message1Sent, s.untilDone(s.worker(nil)).State)
			require.Len(t, s.simulator.Ledger().Messages, 1)
		})
	}
}

func TestProperty10_AWaveAndItsContactsAtTheSameMomentSendOnce(t *testing.T) {
	s := newSender(t)
	var all sync.WaitGroup
	for range 3 {
		all.Go(func() {
			_, err := s.sendingAhead().SendWave(t.Context(), s.wave())
			assert.NoError(t, err)
		})
		all.Go(func() { assert.Equal(t, campaign.Message1Sent, s.untilDone(s.worker(nil)).State) })
	}
	all.Wait()
	require.Len(t, s.simulator.Ledger().Messages, 1)
}

// woken counts the wake-ups of recipients.
type woken chan store.Recipient

func (w woken) Wake(_ context.Context, campaignID, contactID uuid.UUID) error {
	w <- store.Recipient{CampaignID: campaignID, ContactID: contactID}
	return nil
}

func (w woken) Revive(context.Context, uuid.UUID, uuid.UUID) error { return nil }

// answering runs a queue of answers until the test ends.
func (s sender) answering(a *activities.Activities) (*activities.Answers, woken) {
	s.t.Helper()
	return s.answeringThrough(a, func(w woken) activities.Waker { return w })
}

// answeringThrough does so through a Temporal of the test's own.
func (s sender) answeringThrough(a *activities.Activities, temporal func(woken) activities.Waker) (*activities.Answers, woken) {
	s.t.Helper()
	wakeUps := make(woken, 10)
	a.Workflows = temporal(wakeUps)
	answers := activities.NewAnswers(a, slog.New(slog.DiscardHandler))
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		answers.Run(ctx)
	}()
	s.t.Cleanup(func() {
		cancel()
		<-ended
	})
	return answers, wakeUps
}

func (s sender) replied() store.Recipient {
	s.t.Helper()
	require.Equal(s.t, campaign.Message1Sent, s.untilDone(s.worker(nil)).State)
	s.reply()
	s.in.Type = campaign.Message2
	return store.Recipient{CampaignID: s.in.CampaignID, ContactID: s.in.ContactID}
}

const wokenWithin = 30 * time.Second

func (s sender) requireWoken(wakeUps woken, recipient store.Recipient) {
	s.t.Helper()
	select {
	case got := <-wakeUps:
		require.Equal(s.t, recipient, got)
	case <-time.After(wokenWithin):
		s.t.Fatal("its workflow was not woken")
	}
}

func TestOwedAnswerLeavesOnceAndThenItsWorkflowIsWoken(t *testing.T) {
	s := newSender(t)
	recipient := s.replied()
	answers, wakeUps := s.answering(s.sendingAhead())

	for range 5 {
		require.True(t, answers.Owe(t.Context(), recipient))
	}

	s.requireWoken(wakeUps, recipient)
	messages := s.simulator.Ledger().Messages
	require.Len(t, messages, 2)
	s.in.Type = campaign.Message2
	require.Equal(t, campaign.Message2Sent, s.untilDone(s.worker(nil)).State, "the workflow finds it sent")
	require.Len(t, s.simulator.Ledger().Messages, 2)
}

func TestWorkflowIsWokenForAnAnswerThatCouldNotLeave(t *testing.T) {
	s := newSender(t)
	recipient := s.replied()
	require.NoError(t, s.simulator.FailNext(simulator.ErrorBeforeAccept, 1))
	answers, wakeUps := s.answering(s.sendingAhead())

	require.True(t, answers.Owe(t.Context(), recipient))

	s.requireWoken(wakeUps, recipient)
	require.Len(t, s.simulator.Ledger().Messages, 1)
	s.in.Type = campaign.Message2
	require.Equal(t, campaign.Message2Sent, s.untilDone(s.worker(nil)).State)
	require.Len(t, s.simulator.Ledger().Messages, 2)
}

func TestAnswersThatFindNoPlaceAreLeftToTheirWorkflows(t *testing.T) {
	s := newSender(t)
	answers := activities.NewAnswers(s.sendingAhead(), slog.New(slog.DiscardHandler)) // and nobody runs it
	taken := 0
	for answers.Owe(t.Context(), store.Recipient{CampaignID: s.in.CampaignID, ContactID: uuid.New()}) {
		taken++
		require.Less(t, taken, 1_000_000, "it has no end")
	}
	require.Positive(t, taken)
}
