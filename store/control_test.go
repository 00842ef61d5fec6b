package store_test

import (
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/relance/relance/campaign"
	"github.com/relance/relance/store"
)

func TestResumeLiftsTheDevicesHalt(t *testing.T) {
	b, id, contact, claim := claimed(t)
	_, err := b.HaltDevice(t.Context(), claim.MessageID, claim.Token, "HTTP 401")
	require.NoError(t, err)

	require.NoError(t, b.Resume(t.Context(), id))

	require.Equal(t, "running", one[string](b, `SELECT status FROM campaigns`))
	require.Equal(t, store.Granted, b.claim(key(id, contact, campaign.Message1)).Verdict)
	held, err := b.HeldUp(t.Context(), id)
	require.NoError(t, err)
	require.Equal(t, []store.Recipient{{CampaignID: id, ContactID: contact}}, held)
}

func TestDecisionsAreNotedUntilTheWorkflowKnows(t *testing.T) {
	b, id, _, _ := claimed(t)
	require.NoError(t, b.Pause(t.Context(), id, "paused by an admin"))
	require.NoError(t, b.Pause(t.Context(), id, "again"), "pausing twice is no mistake")
	due, err := b.ControlsDue(t.Context(), 0, 10)
	require.NoError(t, err)
	require.Len(t, due, 1)

	require.NoError(t, b.Resume(t.Context(), id))
	require.NoError(t, b.ControlDelivered(t.Context(), id, due[0].DecidedAt))
	again, err := b.ControlsDue(t.Context(), 0, 10)
	require.NoError(t, err)
	require.Len(t, again, 1, "the newer decision has not been told")
	require.NoError(t, b.ControlDelivered(t.Context(), id, again[0].DecidedAt))
	none, err := b.ControlsDue(t.Context(), 0, 10)
	require.NoError(t, err)
	require.Empty(t, none)
}

func TestCancelledCampaignEndsEveryoneAndNothingMoreLeaves(t *testing.T) {
	b := open(t)
	contacts := b.contacts(5)
	id := b.launched(contacts)
	b.admit(id, 1, 4)
	b.send(key(id, contacts[0], campaign.Message1)) // waits for a reply
	b.send(key(id, contacts[1], campaign.Message1)) // is owed an answer
	b.reply(1, "reply")
	leaving := b.claim(key(id, contacts[2], campaign.Message1)) // may just be leaving

	require.NoError(t, b.Cancel(t.Context(), id))

	require.Equal(t, campaign.Stopped, b.state(id, contacts[0]))
	require.Equal(t, campaign.Stopped, b.state(id, contacts[1]))
	require.Equal(t, campaign.NotSent, b.state(id, contacts[3]))
	require.Equal(t, campaign.NotSent, b.state(id, contacts[4]))
	for i, messageType := range []campaign.MessageType{campaign.Message2, campaign.Message2, campaign.Message1} {
		require.NotEqual(t, store.Granted, b.claim(key(id, contacts[i], messageType)).Verdict)
	}
	require.Equal(t, store.Recorded, b.claim(key(id, contacts[3], campaign.Message1)).Verdict)
	require.ElementsMatch(t, []uuid.UUID{contacts[0], contacts[1], contacts[3]}, b.stopped(id),
		"they have workflows that must hear of it; the third has not ended, the fifth was never admitted")

	_, err := b.SettleSent(t.Context(), accepted(leaving))
	require.NoError(t, err)
	require.Equal(t, campaign.Stopped, b.state(id, contacts[2]), "it had left")
	require.NoError(t, b.FoldStats(t.Context()), "which the dispatcher does every second")
	c, err := b.Campaign(t.Context(), id)
	require.NoError(t, err)
	require.Equal(t, []any{campaign.Cancelled, int64(3)}, []any{c.Status, c.SentCount})
	require.ErrorIs(t, b.Resume(t.Context(), id), store.ErrConflict)
}

// stopped takes them two at a time.
func (b bench) stopped(id uuid.UUID) (all []uuid.UUID) {
	b.t.Helper()
	for behind := -1; ; {
		some, last, err := b.Stopped(b.t.Context(), id, behind, 2)
		require.NoError(b.t, err)
		if len(some) == 0 {
			return all
		}
		all, behind = append(all, some...), last
	}
}

func TestOpenCampaignIsFoundOnceEveryoneInItIsFinal(t *testing.T) {
	b := open(t)
	contacts := b.contacts(2)
	id := b.launched(contacts)
	b.admit(id, 1, 2)
	found := func(age time.Duration) []uuid.UUID {
		ids, err := b.OpenWithoutNeed(t.Context(), age, 10)
		require.NoError(t, err)
		return ids
	}
	for _, contact := range contacts {
		require.Empty(t, found(time.Hour))
		b.send(key(id, contact, campaign.Message1))
	}
	b.ahead(25 * time.Hour)
	for _, contact := range contacts {
		require.Empty(t, found(time.Hour))
		_, err := b.CloseWindow(t.Context(), id, contact)
		require.NoError(t, err)
	}
	require.Equal(t, []uuid.UUID{id}, found(time.Hour))
	b.ahead(26 * time.Hour)
	require.Empty(t, found(time.Minute), "that was an hour ago")
	require.Equal(t, []uuid.UUID{id}, found(2*time.Hour))
	closing, err := b.CloseCampaign(t.Context(), id)
	require.NoError(t, err)
	require.True(t, closing.Closed)
	require.Empty(t, found(2*time.Hour))
}

func TestRetryFailedGivesFailedMessage1sAnotherChanceAndNoOthers(t *testing.T) {
	b := open(t)
	contacts := b.contacts(3)
	id := b.launched(contacts)
	b.admit(id, 1, 3)
	refused := b.claim(key(id, contacts[0], campaign.Message1))
	_, err := b.SettleRefused(t.Context(), refused.MessageID, refused.Token, store.Refusal{Reason: campaign.ReasonRefused})
	require.NoError(t, err)
	b.send(key(id, contacts[1], campaign.Message1))
	undelivered := one[uuid.UUID](b, `SELECT id FROM messages WHERE contact_id = $1`, contacts[1])
	b.ack(campaign.MessageFailed, time.Now(), campaign.Event{Reference: undelivered.String()})
	unknown := b.claim(key(id, contacts[2], campaign.Message1))
	b.ahead(25 * time.Hour)
	_, _, err = b.GiveUp(t.Context(), unknown.MessageID, unknown.Token)
	require.NoError(t, err)

	retried, err := b.RetryFailed(t.Context(), id)

	require.NoError(t, err)
	require.EqualValues(t, 1, retried, "one that left, and one that may have, are not sent again")
	require.Equal(t, campaign.Pending, b.state(id, contacts[0]))
	require.Equal(t, contacts[:1], b.admit(id, 2, 3))
	b.send(key(id, contacts[0], campaign.Message1))
	require.Equal(t, campaign.Message1Sent, b.state(id, contacts[0]))
}

func TestDraftIsLaunchedOnce(t *testing.T) {
	b := open(t)
	c := store.Campaign{Name: "Draft", Status: campaign.Draft, Message1: "a", Message2: "b", ContactIDs: b.contacts(1)}
	require.NoError(t, b.CreateCampaign(t.Context(), &c))
	require.NoError(t, b.Launch(t.Context(), c.ID, nil))
	require.ErrorIs(t, b.Launch(t.Context(), c.ID, nil), store.ErrConflict)
	due, err := b.CampaignsToStart(t.Context(), 10)
	require.NoError(t, err)
	require.Equal(t, []uuid.UUID{c.ID}, due)
}
