package store_test

import (
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/relance/relance/campaign"
	"github.com/relance/relance/store"
)

func TestMessageIsGrantedToOneOfManyClaims(t *testing.T) {
	b := open(t)
	contacts := b.contacts(1)
	id := b.launched(contacts)
	b.admit(id, 1, 1)

	verdicts := make([]store.Verdict, 20)
	var claims sync.WaitGroup
	for i := range verdicts {
		claims.Go(func() {
			claim, err := b.Claim(t.Context(), key(id, contacts[0], campaign.Message1))
			if err == nil {
				verdicts[i] = claim.Verdict
			}
		})
	}
	claims.Wait()

	granted := 0
	for _, verdict := range verdicts {
		if verdict == store.Granted {
			granted++
		} else {
			require.Equal(t, store.Unsettled, verdict)
		}
	}
	require.Equal(t, 1, granted)
}

func TestGrantedMessageIsRenderedWithTheFrozenVariables(t *testing.T) {
	b := open(t)
	contacts := b.contacts(1)
	id := b.launched(contacts)
	b.exec(`UPDATE contacts SET name = 'Changed', phone = '+33639989998'`)
	b.admit(id, 1, 1)

	claim := b.claim(key(id, contacts[0], campaign.Message1))

	require.Equal(t, "Hello Contact 0", claim.Text)
	require.Equal(t, phone(0), claim.Phone)
	require.Equal(t, 1, claim.Attempt)
}

func TestSentMessageIsNotGrantedAgain(t *testing.T) {
	b := open(t)
	id, contacts := b.messaged(1)

	claim := b.claim(key(id, contacts[0], campaign.Message1))

	require.Equal(t, store.Recorded, claim.Verdict)
	require.Equal(t, campaign.Message1Sent, claim.Progress.State)
	require.InDelta(t, (24 * time.Hour).Seconds(), claim.Progress.WindowLeft.Seconds(), 60)
}

func TestMessage2IsNotGrantedToWhoHasNotReplied(t *testing.T) {
	b := open(t)
	id, contacts := b.messaged(1)
	require.Equal(t, store.Recorded, b.claim(key(id, contacts[0], campaign.Message2)).Verdict)
}

func TestClaimWaitsWhenTheQuotaIsFullAndTellsUntilWhen(t *testing.T) {
	b := open(t, func(r *campaign.Rules) { r.Quota.Limit, r.Quota.Reserve = 2, 0 })
	contacts := b.contacts(3)
	id := b.launched(contacts)
	require.Len(t, b.admit(id, 1, 3), 2)
	b.send(key(id, contacts[0], campaign.Message1))
	b.send(key(id, contacts[1], campaign.Message1))
	// as if the limit had been higher when the third was admitted
	b.exec(`UPDATE recipients SET state = 'admitted', wave = 2 WHERE contact_id = $1`, contacts[2])

	claim := b.claim(key(id, contacts[2], campaign.Message1))

	require.Equal(t, store.Wait, claim.Verdict)
	require.Equal(t, store.ObstacleQuota, claim.Obstacle)
	require.InDelta(t, (24 * time.Hour).Seconds(), claim.Wait.Seconds(), 60)

	b.ahead(24*time.Hour - time.Minute)
	require.Equal(t, store.Wait, b.claim(key(id, contacts[2], campaign.Message1)).Verdict)
	b.ahead(24*time.Hour + time.Second)
	require.Equal(t, store.Granted, b.claim(key(id, contacts[2], campaign.Message1)).Verdict)
}

func TestProperty5_WhatMayHaveLeftCountsAgainstTheQuota(t *testing.T) {
	b := open(t, func(r *campaign.Rules) { r.Quota.Limit, r.Quota.Reserve = 2, 0 })
	contacts := b.contacts(3)
	id := b.launched(contacts)
	b.admit(id, 1, 2)
	b.claim(key(id, contacts[0], campaign.Message1)) // its worker dies here
	b.claim(key(id, contacts[1], campaign.Message1))
	// as if the limit had been higher when the third was admitted
	b.exec(`UPDATE recipients SET state = 'admitted', wave = 2 WHERE contact_id = $1`, contacts[2])

	require.Equal(t, store.ObstacleQuota, b.claim(key(id, contacts[2], campaign.Message1)).Obstacle)

	usage, err := b.Usage(t.Context())
	require.NoError(t, err)
	require.Equal(t, 2, usage.InFlight)
	require.False(t, b.Rules().Quota.MayLeave(usage))
}

func TestProperty5_NoMoreIsGrantedOrAdmittedAtOnceThanTheQuotaHolds(t *testing.T) {
	b := open(t, func(r *campaign.Rules) { r.Quota.Limit = 10 })
	contacts := b.contacts(40)
	var all sync.WaitGroup
	for n := range 4 {
		id := b.launched(contacts[10*n : 10*n+10])
		for wave := range 5 {
			all.Go(func() {
				_, err := b.Admit(t.Context(), id, wave, 1, 100)
				require.NoError(t, err)
			})
		}
	}
	all.Wait()
	require.LessOrEqual(t, one[int](b, `SELECT count(*) FROM recipients WHERE state = 'admitted'`), 5)

	// as if the limit had been higher when they were admitted
	b.exec(`UPDATE recipients SET state = 'admitted', wave = 9 WHERE state = 'pending'`)
	for i, contact := range contacts {
		all.Go(func() {
			_, err := b.Claim(t.Context(), key(one[uuid.UUID](b, `SELECT campaign_id::text FROM recipients WHERE phone = $1`, phone(i)), contact, campaign.Message1))
			require.NoError(t, err)
		})
	}
	all.Wait()
	require.Equal(t, 10, one[int](b, `SELECT count(*) FROM messages WHERE status = 'sending'`))
}

func TestPausedCampaignHoldsMessage1AndStillAnswers(t *testing.T) {
	b := open(t)
	contacts := b.contacts(2)
	id := b.launched(contacts)
	b.admit(id, 1, 2)
	b.send(key(id, contacts[0], campaign.Message1))
	b.reply(0, "reply")
	b.exec(`UPDATE campaigns SET status = 'paused'`)

	held := b.claim(key(id, contacts[1], campaign.Message1))
	require.Equal(t, store.Wait, held.Verdict)
	require.Equal(t, store.ObstaclePaused, held.Obstacle)
	require.Equal(t, store.Granted, b.claim(key(id, contacts[0], campaign.Message2)).Verdict)
}

func TestNothingLeavesAHaltedDevice(t *testing.T) {
	b := open(t)
	contacts := b.contacts(2)
	id := b.launched(contacts)
	b.admit(id, 1, 2)
	claim := b.claim(key(id, contacts[0], campaign.Message1))

	_, err := b.HaltDevice(t.Context(), claim.MessageID, claim.Token, "HTTP 402")
	require.NoError(t, err)

	require.Equal(t, "paused", one[string](b, `SELECT status FROM campaigns WHERE id = $1`, id))
	require.Contains(t, one[string](b, `SELECT status_reason FROM campaigns WHERE id = $1`, id), "HTTP 402")
	require.Equal(t, campaign.MessagePending, b.status(claim.MessageID))
	require.Zero(t, one[int](b, `SELECT attempts FROM messages WHERE id = $1`, claim.MessageID), "the provider took no notice of it")
	b.exec(`UPDATE campaigns SET status = 'running'`)
	require.Equal(t, store.ObstacleHalted, b.claim(key(id, contacts[1], campaign.Message1)).Obstacle)
}

func TestRecipientsWhoMustNotBeSentEndWithTheReason(t *testing.T) {
	for _, c := range []struct {
		name, change string
		message      campaign.MessageType
		state        campaign.RecipientState
		reason       campaign.Reason
	}{
		{"opted out before Message 1", `UPDATE contacts SET opted_out_at = now()`, campaign.Message1, campaign.NotSent, campaign.ReasonOptedOut},
		{"opted out before Message 2", `UPDATE contacts SET opted_out_at = now()`, campaign.Message2, campaign.Stopped, campaign.ReasonOptedOut},
		{"deleted", `DELETE FROM contacts`, campaign.Message1, campaign.NotSent, campaign.ReasonContactDeleted},
		{"deleted before Message 2", `DELETE FROM contacts`, campaign.Message2, campaign.Stopped, campaign.ReasonContactDeleted},
		{"cancelled", `UPDATE campaigns SET status = 'cancelled', completed_at = now()`, campaign.Message1, campaign.NotSent, campaign.ReasonCancelled},
		{"cancelled before Message 2", `UPDATE campaigns SET status = 'cancelled', completed_at = now()`, campaign.Message2, campaign.Stopped, campaign.ReasonCancelled},
		{"past the deadline", `UPDATE campaigns SET deadline_at = now()`, campaign.Message1, campaign.NotSent, campaign.ReasonDeadline},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := open(t)
			contacts := b.contacts(1)
			id := b.launched(contacts)
			b.admit(id, 1, 1)
			if c.message == campaign.Message2 {
				b.send(key(id, contacts[0], campaign.Message1))
				b.reply(0, "reply")
			}
			b.exec(c.change)

			claim := b.claim(key(id, contacts[0], c.message))

			require.Equal(t, store.Recorded, claim.Verdict)
			require.Equal(t, c.state, claim.Progress.State)
			require.Equal(t, c.state, b.state(id, contacts[0]))
			require.Equal(t, c.reason, b.reason(id, contacts[0]))
		})
	}
}

func TestMessage2StillLeavesAfterTheCampaignHasCompleted(t *testing.T) {
	b := open(t)
	id, contacts := b.messaged(1)
	b.exec(`UPDATE campaigns SET deadline_at = now()`)
	closing, err := b.CloseCampaign(t.Context(), id)
	require.NoError(t, err)
	require.True(t, closing.Closed)
	b.reply(0, "reply")

	b.send(key(id, contacts[0], campaign.Message2))

	require.Equal(t, campaign.Message2Sent, b.state(id, contacts[0]))
	require.NoError(t, b.FoldStats(t.Context()), "which the dispatcher does every second")
	require.Equal(t, 2, one[int](b, `SELECT sent_count FROM campaigns WHERE id = $1`, id), "the stored totals are refreshed")
	require.Equal(t, 1, one[int](b, `SELECT interaction_count FROM campaigns WHERE id = $1`, id))
}

func TestClaimForSomebodyOutsideTheCampaignIsNotFound(t *testing.T) {
	b := open(t)
	_, err := b.Claim(t.Context(), key(uuid.New(), uuid.New(), campaign.Message1))
	require.ErrorIs(t, err, store.ErrNotFound)
}
