package store_test

import (
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/relance/relance/campaign"
	"github.com/relance/relance/store"
)

// says makes the i-th contact send a text.
func (b bench) says(i int, body string) store.Effect {
	b.t.Helper()
	effect, err := b.Apply(b.t.Context(), campaign.Event{
		Kind: campaign.EventReply, Name: "message:in:new", Key: uuid.NewString(), Phone: phone(i), Interaction: campaign.Text, Body: body,
	}, b.now())
	require.NoError(b.t, err)
	return effect
}

func TestOptOutWordStopsEveryCampaignOfTheContactAndIsRecorded(t *testing.T) {
	b := open(t)
	contacts := b.contacts(1)
	sent, replied, unsent := b.launched(contacts), b.launched(contacts), b.launched(contacts)
	for _, id := range []uuid.UUID{sent, replied} {
		b.admit(id, 1, 1)
		b.send(key(id, contacts[0], campaign.Message1))
	}
	b.reply(0, "in time, to the newest") // which is the one called replied

	effect := b.says(0, "Arrêtez !")

	require.True(t, effect.ContactsChanged)
	require.ElementsMatch(t, []store.Recipient{{sent, contacts[0]}, {replied, contacts[0]}, {unsent, contacts[0]}}, effect.Wake)
	require.Equal(t, campaign.Stopped, b.state(sent, contacts[0]))
	require.Equal(t, campaign.Stopped, b.state(replied, contacts[0]))
	require.Equal(t, campaign.NotSent, b.state(unsent, contacts[0]))
	require.Equal(t, campaign.ReasonOptedOut, b.reason(sent, contacts[0]))
	require.Equal(t, store.Recorded, b.claim(key(replied, contacts[0], campaign.Message2)).Verdict, "no Message 2, although it was owed")
	require.Equal(t, 2, one[int](b, `SELECT count(*) FROM interactions WHERE within_24h`), "it is a reply all the same")
	require.True(t, one[bool](b, `SELECT opted_out_at IS NOT NULL FROM contacts`))
}

func TestOptedOutContactIsLeftOutOfLaterCampaigns(t *testing.T) {
	b := open(t)
	_, contacts := b.messaged(2)
	b.says(0, "STOP")
	later := b.launched(contacts)
	require.Equal(t, 1, one[int](b, `SELECT count(*) FROM recipients WHERE campaign_id = $1`, later))
}

func TestOptOutThatWaitsForAClaimFindsTheMessageLeaving(t *testing.T) {
	b := open(t)
	id, contacts := b.messaged(1)
	b.reply(0, "yes")
	claim := func() {
		require.Equal(t, store.Granted, b.claim(key(id, contacts[0], campaign.Message2)).Verdict)
	}
	stop := func() {
		_, stopped, err := b.SetOptedOut(t.Context(), contacts[0], true)
		require.NoError(t, err)
		require.Empty(t, stopped)
	}

	b.inTurn(claim, stop)

	require.Equal(t, campaign.Replied, b.state(id, contacts[0]), "until it is known whether Message 2 has left")
}

func TestMessageThatMayJustBeLeavingIsSettledBeforeAnOptOutEndsItsRecipient(t *testing.T) {
	b := open(t)
	id, contacts := b.messaged(1)
	b.reply(0, "yes")
	claim := b.claim(key(id, contacts[0], campaign.Message2))
	b.says(0, "stop")
	require.Equal(t, campaign.Replied, b.state(id, contacts[0]))
	_, err := b.SettleSent(t.Context(), accepted(claim))
	require.NoError(t, err)
	require.Equal(t, campaign.Message2Sent, b.state(id, contacts[0]))
}

func TestLateOptOutIsALateInteraction(t *testing.T) {
	b := open(t)
	id, contacts := b.messaged(1)
	b.ahead(24 * time.Hour)
	b.says(0, "baja")
	require.Equal(t, campaign.LateInteraction, b.state(id, contacts[0]))
	require.True(t, one[bool](b, `SELECT opted_out_at IS NOT NULL FROM contacts`))
}

func TestOptInWordLetsLaterCampaignsReachTheContactButRevivesNothing(t *testing.T) {
	b := open(t)
	id, contacts := b.messaged(1)
	b.says(0, "SAIR")
	b.says(0, "voltar")
	require.Equal(t, campaign.Stopped, b.state(id, contacts[0]))
	require.Zero(t, one[int](b, `SELECT count(*) FROM opt_outs`))
	later := b.launched(contacts)
	require.Equal(t, 1, one[int](b, `SELECT count(*) FROM recipients WHERE campaign_id = $1`, later))
}

func TestOptInWordFromWhoNeverOptedOutIsAnOrdinaryReply(t *testing.T) {
	b := open(t)
	id, contacts := b.messaged(1)
	b.says(0, "START")
	require.Equal(t, campaign.Replied, b.state(id, contacts[0]))
}

func TestOptOutOutlivesTheContactAndComesBeforeIt(t *testing.T) {
	b := open(t)
	_, contacts := b.messaged(1)
	b.says(0, "stop")
	b.says(7, "stop") // a stranger
	require.NoError(t, b.DeleteContact(t.Context(), contacts[0]))

	for _, i := range []int{0, 7} {
		contact, err := b.CreateContact(t.Context(), store.ContactData{Phone: phone(i)})
		require.NoError(t, err)
		require.NotNil(t, contact.OptedOutAt)
	}
	free, err := b.CreateContact(t.Context(), store.ContactData{Phone: phone(8)})
	require.NoError(t, err)
	require.Nil(t, free.OptedOutAt)
	free, err = b.UpdateContact(t.Context(), free.ID, store.ContactData{Phone: "+33639980009", Name: "moved"})
	require.NoError(t, err)
	require.Nil(t, free.OptedOutAt)
}

func TestOptOutByHandStopsAsAWordDoes(t *testing.T) {
	b := open(t)
	id, contacts := b.messaged(1)
	contact, stopped, err := b.SetOptedOut(t.Context(), contacts[0], true)
	require.NoError(t, err)
	require.NotNil(t, contact.OptedOutAt)
	require.Equal(t, []store.Recipient{{id, contacts[0]}}, stopped)
	require.Equal(t, campaign.Stopped, b.state(id, contacts[0]))

	contact, stopped, err = b.SetOptedOut(t.Context(), contacts[0], false)
	require.NoError(t, err)
	require.Nil(t, contact.OptedOutAt)
	require.Empty(t, stopped)
	_, _, err = b.SetOptedOut(t.Context(), uuid.New(), true)
	require.ErrorIs(t, err, store.ErrNotFound)
}

func TestAnOptOutByNumberHoldsEvenIfTheContactDoesNotKnowOfIt(t *testing.T) {
	b := open(t)
	contacts := b.contacts(1)
	id := b.launched(contacts)
	b.admit(id, 1, 1)
	// As when the number was suppressed while the contact was just being imported.
	b.exec(`INSERT INTO opt_outs (phone, opted_out_at) VALUES ($1, now())`, phone(0))

	claim := b.claim(key(id, contacts[0], campaign.Message1))

	require.Equal(t, store.Recorded, claim.Verdict)
	require.Equal(t, campaign.NotSent, b.state(id, contacts[0]))
	require.Equal(t, campaign.ReasonOptedOut, b.reason(id, contacts[0]))
}
