package store_test

import (
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/relance/relance/campaign"
	"github.com/relance/relance/store"
)

// claimed gives a campaign with one contact whose Message 1 is being sent.
func claimed(t *testing.T, change ...func(*campaign.Rules)) (bench, uuid.UUID, uuid.UUID, store.Claim) {
	t.Helper()
	b := open(t, change...)
	contacts := b.contacts(1)
	id := b.launched(contacts)
	b.admit(id, 1, 1)
	claim := b.claim(key(id, contacts[0], campaign.Message1))
	require.Equal(t, store.Granted, claim.Verdict)
	return b, id, contacts[0], claim
}

func TestWindowOpensWhenMessage1IsSettled(t *testing.T) {
	b, id, contact, claim := claimed(t)

	progress, err := b.SettleSent(t.Context(), accepted(claim))

	require.NoError(t, err)
	require.Equal(t, campaign.Message1Sent, progress.State)
	require.True(t, one[bool](b, `SELECT window_ends_at = message_1_sent_at + interval '24 hours' FROM recipients WHERE campaign_id = $1 AND contact_id = $2`, id, contact))
	require.Equal(t, "w-"+claim.MessageID.String(), one[string](b, `SELECT wa_id FROM messages WHERE id = $1`, claim.MessageID))
}

func TestAdoptedMessageTakesTheProvidersTimeWithinReason(t *testing.T) {
	for name, skew := range map[string]time.Duration{"plausible": 0, "before the claim": -time.Hour, "in the future": time.Hour} {
		t.Run(name, func(t *testing.T) {
			b, _, _, claim := claimed(t)
			acceptance := accepted(claim)
			acceptance.CreatedAt = time.Now().Add(skew)
			_, err := b.SettleSent(t.Context(), acceptance)
			require.NoError(t, err)
			require.True(t, one[bool](b, `SELECT sent_at BETWEEN claimed_at AND counted_at FROM messages WHERE id = $1`, claim.MessageID))
		})
	}
}

func TestWhoOptsOutWhileMessage1IsLeavingIsStopped(t *testing.T) {
	b, id, contact, claim := claimed(t)
	b.exec(`UPDATE contacts SET opted_out_at = relance_now() WHERE id = $1`, contact)

	_, err := b.SettleSent(t.Context(), accepted(claim))

	require.NoError(t, err)
	require.Equal(t, campaign.MessageSent, b.status(claim.MessageID))
	require.Equal(t, campaign.Stopped, b.state(id, contact))
	require.Equal(t, campaign.ReasonOptedOut, b.reason(id, contact))
}

func TestNobodyIsAdmittedWhileTheDeviceIsHalted(t *testing.T) {
	b := open(t)
	id := b.launched(b.contacts(2))
	b.exec(`UPDATE devices SET halted_at = relance_now()`)

	admission, err := b.Admit(t.Context(), id, 1, 2, 10)

	require.NoError(t, err)
	require.Empty(t, admission.Contacts)
	require.Equal(t, store.ObstacleHalted, admission.Obstacle)
	require.Positive(t, admission.AskAgain)
	b.exec(`UPDATE devices SET halted_at = NULL`)
	require.Len(t, b.admit(id, 1, 2), 2)
}

func TestRefusedMessageFailsItsRecipient(t *testing.T) {
	b, id, contact, claim := claimed(t)

	progress, err := b.SettleRefused(t.Context(), claim.MessageID, claim.Token, store.Refusal{Reason: campaign.ReasonRefused, Detail: "HTTP 400"})

	require.NoError(t, err)
	require.Equal(t, campaign.Failed, progress.State)
	require.Equal(t, campaign.Failed, b.state(id, contact))
	require.Equal(t, campaign.MessageFailed, b.status(claim.MessageID))
}

func TestNumberThatIsNotOnWhatsAppEndsAsNotSent(t *testing.T) {
	b, id, contact, claim := claimed(t)
	_, err := b.SettleRefused(t.Context(), claim.MessageID, claim.Token, store.Refusal{Reason: campaign.ReasonInvalidNumber})
	require.NoError(t, err)
	require.Equal(t, campaign.NotSent, b.state(id, contact))
	require.Equal(t, campaign.ReasonInvalidNumber, b.reason(id, contact))
}

func TestMessageFailsAfterOneAndThreeAttempts(t *testing.T) {
	b, id, contact, claim := claimed(t)
	for attempt := 1; attempt <= campaign.MaxAttempts; attempt++ {
		require.Equal(t, attempt, claim.Attempt)
		progress, err := b.Release(t.Context(), claim.MessageID, claim.Token, true, "HTTP 429")
		require.NoError(t, err)
		if attempt < campaign.MaxAttempts {
			require.Equal(t, campaign.Admitted, progress.State)
			claim = b.claim(key(id, contact, campaign.Message1))
			require.Equal(t, store.Granted, claim.Verdict)
		}
	}
	require.Equal(t, campaign.Failed, b.state(id, contact))
	require.Equal(t, campaign.ReasonAttemptsSpent, b.reason(id, contact))
}

func TestRequestThatNeverReachedTheProviderUsesNoAttempt(t *testing.T) {
	b, id, contact, claim := claimed(t)
	for range 3 * campaign.MaxAttempts {
		_, err := b.Release(t.Context(), claim.MessageID, claim.Token, false, "connection refused")
		require.NoError(t, err)
		claim = b.claim(key(id, contact, campaign.Message1))
		require.Equal(t, store.Granted, claim.Verdict)
		require.Equal(t, 1, claim.Attempt)
	}
}

func TestForgottenAttemptCannotUndoWhatANewerOneDid(t *testing.T) {
	b, id, contact, old := claimed(t)
	_, err := b.Release(t.Context(), old.MessageID, old.Token, true, "HTTP 429")
	require.NoError(t, err)
	newer := b.claim(key(id, contact, campaign.Message1))
	require.Equal(t, store.Granted, newer.Verdict)

	// The first attempt wakes up and believes that it still holds the message.
	_, err = b.SettleRefused(t.Context(), old.MessageID, old.Token, store.Refusal{Reason: campaign.ReasonRefused})
	require.NoError(t, err)
	_, err = b.Release(t.Context(), old.MessageID, old.Token, false, "gone")
	require.NoError(t, err)

	require.Equal(t, campaign.MessageSending, b.status(old.MessageID))
	require.Equal(t, campaign.Admitted, b.state(id, contact))
}

func TestLookUpsMustFindNothingForTheWholeSettleTimeBeforeAnotherAttempt(t *testing.T) {
	b, id, contact, claim := claimed(t)
	absent := func() time.Duration {
		_, wait, err := b.LookedUpAbsent(t.Context(), claim.MessageID, claim.Token, 0)
		require.NoError(t, err)
		return wait
	}
	began := b.now()
	b.clockStands(began)
	require.Positive(t, absent())
	b.clockStands(began.Add(59 * time.Second))
	require.Positive(t, absent())
	require.Equal(t, store.Unsettled, b.claim(key(id, contact, campaign.Message1)).Verdict)

	b.clockStands(began.Add(60 * time.Second))
	require.Zero(t, absent())

	again := b.claim(key(id, contact, campaign.Message1))
	require.Equal(t, store.Granted, again.Verdict)
	require.Equal(t, 2, again.Attempt)
	require.Zero(t, one[int](b, `SELECT count(*) FROM messages WHERE absent_since IS NOT NULL`), "a new claim is looked up anew")
}

func TestOutcomeThatNobodyCanTellIsUnknownOnceTheWindowHasPassed(t *testing.T) {
	b, id, contact, claim := claimed(t)
	_, gaveUp, err := b.GiveUp(t.Context(), claim.MessageID, claim.Token)
	require.NoError(t, err)
	require.False(t, gaveUp)

	b.ahead(24*time.Hour + time.Second)
	_, gaveUp, err = b.GiveUp(t.Context(), claim.MessageID, claim.Token)
	require.NoError(t, err)
	require.True(t, gaveUp)
	require.Equal(t, campaign.MessageUnknown, b.status(claim.MessageID))
	require.Equal(t, campaign.ReasonMessage1Unknown, b.reason(id, contact))
	stats, err := b.CampaignStats(t.Context(), id)
	require.NoError(t, err)
	require.EqualValues(t, 1, stats.Messages.Unknown)

	usage, err := b.Usage(t.Context())
	require.NoError(t, err)
	require.Equal(t, 1, usage.Sent, "it may have left, so the quota counts it")
}

func TestUnknownMessageIsSettledWhenAWebhookTells(t *testing.T) {
	b, id, contact, claim := claimed(t)
	b.ahead(24*time.Hour + time.Second)
	_, _, err := b.GiveUp(t.Context(), claim.MessageID, claim.Token)
	require.NoError(t, err)

	b.ack(campaign.MessageDelivered, time.Now(), campaign.Event{Reference: claim.MessageID.String()})

	require.Equal(t, campaign.MessageDelivered, b.status(claim.MessageID))
	require.Equal(t, campaign.NoInteraction, b.state(id, contact))
	b.reply(0, "late")
	require.Equal(t, campaign.LateInteraction, b.state(id, contact))
}

func TestUnknownMessagesAreTakenForLookUpOneAtATime(t *testing.T) {
	b, _, _, claim := claimed(t)
	b.ahead(24*time.Hour + time.Second)
	_, _, err := b.GiveUp(t.Context(), claim.MessageID, claim.Token)
	require.NoError(t, err)

	first, err := b.UnknownMessages(t.Context(), 10)
	require.NoError(t, err)
	require.Equal(t, []store.UnknownMessage{{ID: claim.MessageID}}, first)
	again, err := b.UnknownMessages(t.Context(), 10)
	require.NoError(t, err)
	require.Empty(t, again, "it has just been looked up")
	b.ahead(26 * time.Hour)
	later, err := b.UnknownMessages(t.Context(), 10)
	require.NoError(t, err)
	require.Len(t, later, 1)
}
