package store_test

import (
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/relance/relance/campaign"
	"github.com/relance/relance/store"
)

func keys(campaignID uuid.UUID, messageType campaign.MessageType, contacts ...uuid.UUID) (all []store.MessageKey) {
	for _, contact := range contacts {
		all = append(all, key(campaignID, contact, messageType))
	}
	return all
}

func (b bench) claimAll(keys []store.MessageKey) []store.Claim {
	b.t.Helper()
	claims, err := b.ClaimAll(b.t.Context(), keys)
	require.NoError(b.t, err)
	require.Len(b.t, claims, len(keys))
	return claims
}

func verdicts(claims []store.Claim) (all []store.Verdict) {
	for _, claim := range claims {
		all = append(all, claim.Verdict)
	}
	return all
}

func TestProperty5_MessagesClaimedTogetherAreCountedOneAfterTheOther(t *testing.T) {
	b := open(t, func(r *campaign.Rules) { r.Quota.Limit = 3 })
	contacts := b.contacts(5)
	id := b.launched(contacts)
	// as if the limit had been higher when they were admitted
	b.exec(`UPDATE recipients SET state = 'admitted', wave = 1`)

	claims := b.claimAll(keys(id, campaign.Message1, contacts...))

	require.Equal(t, []store.Verdict{store.Granted, store.Granted, store.Granted, store.Wait, store.Wait}, verdicts(claims))
	require.Equal(t, store.ObstacleQuota, claims[4].Obstacle)
	require.Equal(t, 3, one[int](b, `SELECT count(*) FROM messages WHERE status = 'sending' AND attempts = 1`))
}

func TestProperty10_MessagesClaimedTogetherByManyAreGrantedOnce(t *testing.T) {
	b := open(t)
	contacts := b.contacts(20)
	id := b.launched(contacts)
	b.admit(id, 1, 20)
	var mutex sync.Mutex
	granted := map[uuid.UUID]int{}
	var all sync.WaitGroup
	for n := range 4 {
		all.Go(func() {
			mine := slices.Clone(contacts)
			if n%2 == 1 { // the other way round, as nothing says in which order they are asked for
				slices.Reverse(mine)
			}
			claims, err := b.ClaimAll(t.Context(), keys(id, campaign.Message1, mine...))
			require.NoError(t, err)
			mutex.Lock()
			defer mutex.Unlock()
			for i, claim := range claims {
				if claim.Verdict == store.Granted {
					granted[mine[i]]++
				}
			}
		})
	}
	all.Wait()
	require.Len(t, granted, 20)
	for _, n := range granted {
		require.Equal(t, 1, n)
	}
}

// Each of them is decided as it would be alone, whatever becomes of the others.
func TestMessagesClaimedTogetherEachGetTheirOwnVerdict(t *testing.T) {
	b := open(t)
	contacts := b.contacts(6)
	id := b.launched(contacts)
	b.admit(id, 1, 5)
	b.send(key(id, contacts[0], campaign.Message1))
	b.reply(0, "reply")
	b.claim(key(id, contacts[1], campaign.Message1)) // somebody else is sending it
	b.exec(`UPDATE contacts SET opted_out_at = now() WHERE id = $1`, contacts[2])
	b.exec(`DELETE FROM contacts WHERE id = $1`, contacts[3])

	claims := b.claimAll(append(keys(id, campaign.Message1, contacts...), key(id, contacts[0], campaign.Message2), key(id, contacts[4], campaign.Message2)))

	require.Equal(t, []store.Verdict{
		store.Recorded, store.Unsettled, store.Recorded, store.Recorded, store.Granted, store.Recorded, store.Granted, store.Recorded,
	}, verdicts(claims))
	require.Equal(t, campaign.Replied, claims[0].Progress.State)
	require.Equal(t, campaign.NotSent, claims[2].Progress.State)
	require.Equal(t, campaign.NotSent, claims[3].Progress.State)
	require.Equal(t, campaign.Pending, claims[5].Progress.State)
	require.Equal(t, campaign.Admitted, claims[7].Progress.State)
	require.Equal(t, "Hello Contact 4", claims[4].Text)
	require.Equal(t, "Thank you Contact 0", claims[6].Text)
}

func TestPacingLetsOneMessage1ThroughOfThoseClaimedTogether(t *testing.T) {
	b := open(t, func(r *campaign.Rules) { r.Pace = campaign.Pace{Min: time.Minute, Max: time.Minute} })
	contacts := b.contacts(3)
	id := b.launched(contacts)
	b.admit(id, 1, 3)
	b.exec(`UPDATE recipients SET not_before = now() - interval '1 hour'`) // after an outage

	require.Equal(t, []store.Verdict{store.Granted, store.Wait, store.Wait}, verdicts(b.claimAll(keys(id, campaign.Message1, contacts...))))
}

func TestNobodyIsClaimedForWithAStranger(t *testing.T) {
	b := open(t)
	contacts := b.contacts(1)
	id := b.launched(contacts)
	b.admit(id, 1, 1)

	_, err := b.ClaimAll(t.Context(), keys(id, campaign.Message1, contacts[0], uuid.New()))
	require.ErrorIs(t, err, store.ErrNotFound)
	require.Zero(t, one[int](b, `SELECT count(*) FROM messages WHERE status = 'sending'`))
}

func TestMessagesSettledTogetherEachMoveTheirRecipient(t *testing.T) {
	b := open(t)
	contacts := b.contacts(4)
	id := b.launched(contacts)
	b.admit(id, 1, 3)
	b.send(key(id, contacts[0], campaign.Message1))
	b.reply(0, "reply")
	claims := b.claimAll(append(keys(id, campaign.Message1, contacts[1], contacts[2]), key(id, contacts[0], campaign.Message2)))
	b.exec(`UPDATE contacts SET opted_out_at = now() WHERE id = $1`, contacts[2])
	var settled []store.Acceptance
	for _, claim := range claims {
		require.Equal(t, store.Granted, claim.Verdict)
		settled = append(settled, accepted(claim))
	}

	for range 2 { // repeated, it changes nothing
		progress, err := b.SettleAllSent(t.Context(), settled)
		require.NoError(t, err)
		require.Equal(t, campaign.Message1Sent, progress[0].State)
		require.InDelta(t, 24*time.Hour, progress[0].WindowLeft, float64(time.Minute))
		require.Equal(t, campaign.Stopped, progress[1].State)
		require.Equal(t, campaign.Message2Sent, progress[2].State)
	}
	for _, claim := range claims {
		require.Equal(t, "p-"+claim.MessageID.String(), one[string](b, `SELECT provider_id FROM messages WHERE id = $1 AND status = 'sent'`, claim.MessageID))
	}
	require.Equal(t, 1, one[int](b, `SELECT count(*) FROM recipients WHERE state = 'pending'`))
}
