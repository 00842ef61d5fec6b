package campaign

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestOnlyTransitionOutOfAFinalStateIsNoInteractionToLateInteraction(t *testing.T) {
	for _, from := range RecipientStates {
		for _, to := range RecipientStates {
			if from.Final() && from.CanBecome(to) {
				require.Equal(t, [2]RecipientState{NoInteraction, LateInteraction}, [2]RecipientState{from, to})
			}
		}
	}
}

func TestEveryRecipientCanReachAFinalStateAndNoStateLeadsBack(t *testing.T) {
	order := map[RecipientState]int{}
	for i, s := range RecipientStates {
		order[s] = i
	}
	for _, from := range RecipientStates {
		finals := 0
		for _, to := range RecipientStates {
			if !from.CanBecome(to) {
				continue
			}
			require.Greater(t, order[to], order[from], "%s → %s", from, to)
			if to.Final() {
				finals++
			}
		}
		if !from.Final() {
			require.Positive(t, finals, "%s never ends", from)
		}
	}
}

func TestMessage2IsOnlySentToWhoReplied(t *testing.T) {
	for _, from := range RecipientStates {
		require.Equal(t, from == Replied, from.CanBecome(Message2Sent), "%s", from)
	}
}

func TestFailureIsProvisionalOnlyWhileTheOutcomeIsUnknown(t *testing.T) {
	require.True(t, Failed.CanSettleAs(ReasonMessage1Unknown, NoInteraction))
	require.True(t, Failed.CanSettleAs(ReasonMessage1Unknown, LateInteraction))
	require.True(t, Failed.CanSettleAs(ReasonMessage2Unknown, Message2Sent))
	require.False(t, Failed.CanSettleAs(ReasonMessage1Unknown, Message2Sent))
	for _, to := range RecipientStates {
		require.False(t, Failed.CanSettleAs(ReasonRefused, to))
		require.False(t, NoInteraction.CanSettleAs(ReasonMessage1Unknown, to))
	}
}

func TestCampaignRunsPausesAndEndsOnlyAsDesigned(t *testing.T) {
	allowed := map[[2]Status]bool{
		{Draft, Scheduled}: true, {Scheduled, Draft}: true, {Scheduled, Running}: true, {Scheduled, Cancelled}: true,
		{Running, Paused}: true, {Running, Completed}: true, {Running, Cancelled}: true,
		{Paused, Running}: true, {Paused, Completed}: true, {Paused, Cancelled}: true,
	}
	for _, from := range Statuses {
		for _, to := range Statuses {
			require.Equal(t, allowed[[2]Status{from, to}], from.CanBecome(to), "%s → %s", from, to)
		}
		require.Equal(t, from == Completed || from == Cancelled, from.Final())
	}
}

func TestMessageStatusNeverGoesBackwardsWhateverTheOrderOfAcks(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		acks := rapid.SliceOf(rapid.SampledFrom([]MessageStatus{MessageSent, MessageDelivered, MessageRead, MessageFailed})).Draw(t, "acks")
		status, highest := MessageSent, MessageSent.rank()
		for _, ack := range acks {
			next := status.After(ack)
			require.GreaterOrEqual(t, next.rank(), status.rank())
			status, highest = next, max(highest, ack.rank())
		}
		require.Equal(t, highest, status.rank(), "the furthest acknowledgement wins")
	})
}

func TestDeliveryAfterAFailureReportWins(t *testing.T) {
	require.Equal(t, MessageDelivered, MessageFailed.After(MessageDelivered))
	require.Equal(t, MessageDelivered, MessageDelivered.After(MessageFailed))
	require.Equal(t, MessageNoInteraction, MessageNoInteraction.After(MessageRead))
}
