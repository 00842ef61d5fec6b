package store_test

import (
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/relance/relance/campaign"
	"github.com/relance/relance/store"
)

// doubtful gives a contact who has been answered by one campaign, and whom another
// has sent a message of which nobody knows yet whether it left.
func doubtful(t *testing.T) (b bench, answered, inDoubt uuid.UUID, contact uuid.UUID, claim store.Claim) {
	b = open(t)
	contacts := b.contacts(1)
	answered, inDoubt = b.launched(contacts), b.launched(contacts)
	b.admit(answered, 1, 1)
	b.send(key(answered, contacts[0], campaign.Message1))
	b.reply(0, "first")
	b.send(key(answered, contacts[0], campaign.Message2))
	b.admit(inDoubt, 1, 1)
	return b, answered, inDoubt, contacts[0], b.claim(key(inDoubt, contacts[0], campaign.Message1))
}

// Found by chaos: a reply to one campaign was taken as proof that another's message
// had left, which had not. Nobody sent it then.
func TestReplyProvesNothingWhileItMayAnswerAnotherCampaign(t *testing.T) {
	b, answered, inDoubt, contact, claim := doubtful(t)
	said := campaign.Event{Kind: campaign.EventReply, Key: "again", Phone: phone(0), Interaction: campaign.Text, Body: "Oui"}
	at := b.now()

	effect, err := b.Apply(t.Context(), said, at)
	require.NoError(t, err)
	require.True(t, effect.Doubtful)
	require.Equal(t, campaign.MessageSending, b.status(claim.MessageID))
	require.Equal(t, 1, one[int](b, `SELECT count(*) FROM interactions`))

	_, err = b.Release(t.Context(), claim.MessageID, claim.Token, true, "the provider never received it")
	require.NoError(t, err)
	effect, err = b.Apply(t.Context(), said, at)
	require.NoError(t, err)
	require.False(t, effect.Doubtful)
	require.Equal(t, 2, one[int](b, `SELECT count(*) FROM interactions WHERE campaign_id = $1`, answered))
	require.Equal(t, campaign.Admitted, b.state(inDoubt, contact))
	require.Equal(t, store.Granted, b.claim(key(inDoubt, contact, campaign.Message1)).Verdict, "it leaves after all")
}

func TestReplyWhoseCampaignWasInDoubtCountsFromWhenItWasTakenIn(t *testing.T) {
	b, _, inDoubt, contact, claim := doubtful(t)
	said := campaign.Event{Kind: campaign.EventReply, Key: "again", Phone: phone(0), Interaction: campaign.Text, Body: "Oui"}
	at := b.now()
	effect, err := b.Apply(t.Context(), said, at)
	require.NoError(t, err)
	require.True(t, effect.Doubtful)

	_, err = b.SettleSent(t.Context(), accepted(claim)) // a look-up has found it
	require.NoError(t, err)
	effect, err = b.Apply(t.Context(), said, at)
	require.NoError(t, err)
	require.True(t, effect.Owed)
	require.Equal(t, campaign.Replied, b.state(inDoubt, contact))
	require.Equal(t, at.UTC(), one[time.Time](b, `SELECT received_at FROM interactions WHERE campaign_id = $1`, inDoubt).UTC())
}

func TestReplyServesAnOpenWindowBeforeAMessageInDoubt(t *testing.T) {
	b := open(t)
	contacts := b.contacts(1)
	waiting, inDoubt := b.launched(contacts), b.launched(contacts)
	b.admit(waiting, 1, 1)
	b.send(key(waiting, contacts[0], campaign.Message1))
	b.admit(inDoubt, 1, 1)
	claim := b.claim(key(inDoubt, contacts[0], campaign.Message1))

	b.reply(0, "one")
	require.Equal(t, campaign.Replied, b.state(waiting, contacts[0]))
	require.Equal(t, campaign.MessageSending, b.status(claim.MessageID))
}

func TestWishToBeLeftAloneWaitsForNoDoubt(t *testing.T) {
	b, answered, inDoubt, contact, claim := doubtful(t)
	effect, err := b.Apply(t.Context(), campaign.Event{
		Kind: campaign.EventReply, Key: "stop", Phone: phone(0), Interaction: campaign.Text, Body: "STOP",
	}, b.now())
	require.NoError(t, err)
	require.False(t, effect.Doubtful)
	require.Equal(t, 2, one[int](b, `SELECT count(*) FROM interactions WHERE campaign_id = $1`, answered))
	require.Equal(t, 1, one[int](b, `SELECT count(*) FROM opt_outs WHERE phone = $1`, phone(0)))

	_, err = b.SettleSent(t.Context(), accepted(claim))
	require.NoError(t, err)
	require.Equal(t, campaign.Stopped, b.state(inDoubt, contact))
}

func TestUnknownMessageIsNotProvedByAReplyThatMayAnswerAnotherCampaign(t *testing.T) {
	b, answered, inDoubt, contact, claim := doubtful(t)
	b.ahead(25 * time.Hour)
	_, gaveUp, err := b.GiveUp(t.Context(), claim.MessageID, claim.Token)
	require.NoError(t, err)
	require.True(t, gaveUp)

	b.reply(0, "much later")
	require.Equal(t, campaign.MessageUnknown, b.status(claim.MessageID))
	require.Equal(t, campaign.Failed, b.state(inDoubt, contact))
	require.Equal(t, 2, one[int](b, `SELECT count(*) FROM interactions WHERE campaign_id = $1`, answered))
}
