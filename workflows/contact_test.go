package workflows

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/relance/relance/campaign"
	"github.com/relance/relance/store"
)

func TestContactWhoRepliesGetsMessage2Once(t *testing.T) {
	w := newWorld(t, 1)
	who := w.order[0]
	w.env.SetStartWorkflowOptions(startAs(ContactID(w.campaign, who)))
	for range 5 {
		w.replies(who, 3*time.Hour, true)
	}

	require.Equal(t, campaign.Message2Sent, w.runContact(t, who))

	require.Len(t, w.sent(who, campaign.Message1), 1)
	answers := w.sent(who, campaign.Message2)
	require.Len(t, answers, 1)
	require.WithinDuration(t, w.recipients[who].sentAt.Add(3*time.Hour), answers[0], 5*time.Second)
}

func TestContactWhoseWakeUpWasLostGetsMessage2AtTheEndOfTheWindow(t *testing.T) {
	w := newWorld(t, 1)
	who := w.order[0]
	w.replies(who, 3*time.Hour, false)

	require.Equal(t, campaign.Message2Sent, w.runContact(t, who))

	answers := w.sent(who, campaign.Message2)
	require.Len(t, answers, 1)
	require.WithinDuration(t, w.recipients[who].endsAt, answers[0], time.Minute)
}

func TestContactWhoNeverRepliesEndsAsNoInteractionWhenTheWindowCloses(t *testing.T) {
	w := newWorld(t, 1)
	who := w.order[0]
	start := w.env.Now()

	require.Equal(t, campaign.NoInteraction, w.runContact(t, who))

	require.Empty(t, w.sent(who, campaign.Message2))
	require.WithinDuration(t, start.Add(24*time.Hour), w.env.Now(), time.Minute)
}

func TestReplyOneSecondBeforeTheWindowClosesEarnsMessage2(t *testing.T) {
	w := newWorld(t, 1)
	who := w.order[0]
	w.env.SetStartWorkflowOptions(startAs(ContactID(w.campaign, who)))
	w.replies(who, 24*time.Hour-time.Second, true)

	require.Equal(t, campaign.Message2Sent, w.runContact(t, who))
	require.Len(t, w.sent(who, campaign.Message2), 1)
}

func TestWakeUpWithoutAReplyKeepsTheContactWaiting(t *testing.T) {
	w := newWorld(t, 1)
	who := w.order[0]
	w.env.RegisterDelayedCallback(func() { w.env.SignalWorkflow(InteractionSignal, nil) }, time.Hour)

	require.Equal(t, campaign.NoInteraction, w.runContact(t, who))
	require.Empty(t, w.sent(who, campaign.Message2))
}

func TestCancellingAContactsWorkflowDoesNotEndItsStory(t *testing.T) {
	w := newWorld(t, 1)
	who := w.order[0]
	w.env.SetStartWorkflowOptions(startAs(ContactID(w.campaign, who)))
	w.env.RegisterDelayedCallback(w.env.CancelWorkflow, time.Hour)
	w.replies(who, 2*time.Hour, true)

	require.Equal(t, campaign.Message2Sent, w.runContact(t, who))
	require.Len(t, w.sent(who, campaign.Message2), 1)
}

func TestHeldUpMessageLeavesWhenTheContactIsWoken(t *testing.T) {
	w := newWorld(t, 1)
	who := w.order[0]
	w.obstacle = store.ObstacleHalted
	start := w.env.Now()
	w.env.RegisterDelayedCallback(func() {
		w.mu.Lock()
		w.obstacle = ""
		w.mu.Unlock()
		w.env.SignalWorkflow(InteractionSignal, nil)
	}, 90*time.Second)

	require.Equal(t, campaign.NoInteraction, w.runContact(t, who))

	first := w.sent(who, campaign.Message1)
	require.Len(t, first, 1)
	require.WithinDuration(t, start.Add(90*time.Second), first[0], 2*time.Second)
}

func TestContactStartedAnewFindsWhatWasDone(t *testing.T) {
	w := newWorld(t, 1)
	who := w.order[0]
	now := w.env.Now()
	*w.recipients[who] = person{
		state: campaign.Replied, sentAt: now.Add(-time.Hour), endsAt: now.Add(23 * time.Hour),
		message: map[campaign.MessageType]time.Time{campaign.Message1: now.Add(-time.Hour)},
	}
	w.env.ExecuteWorkflow(ContactV2, ContactInput{CampaignID: w.campaign, ContactID: who})

	require.NoError(t, w.env.GetWorkflowError())
	require.Empty(t, w.sent(who, campaign.Message1))
	require.Len(t, w.sent(who, campaign.Message2), 1)
}
