package store_test

import (
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/relance/relance/campaign"
	"github.com/relance/relance/store"
)

func TestAckIsMatchedByReferenceThenWhatsAppIdThenProviderId(t *testing.T) {
	for name, about := range map[string]func(store.Claim) campaign.Event{
		"reference":   func(c store.Claim) campaign.Event { return campaign.Event{Reference: c.MessageID.String()} },
		"WhatsApp id": func(c store.Claim) campaign.Event { return campaign.Event{WAID: "w-" + c.MessageID.String()} },
		"provider id": func(c store.Claim) campaign.Event { return campaign.Event{ProviderID: "p-" + c.MessageID.String()} },
	} {
		t.Run(name, func(t *testing.T) {
			b := open(t)
			contacts := b.contacts(1)
			id := b.launched(contacts)
			b.admit(id, 1, 1)
			claim := b.send(key(id, contacts[0], campaign.Message1))
			b.ack(campaign.MessageDelivered, time.Now(), about(claim))
			require.Equal(t, campaign.MessageDelivered, b.status(claim.MessageID))
		})
	}
}

func TestReadBeforeDeliveredNeverGoesBackwards(t *testing.T) {
	b, _, _, claim := claimed(t)
	_, err := b.SettleSent(t.Context(), claim.MessageID, accepted(claim))
	require.NoError(t, err)
	about := campaign.Event{WAID: "w-" + claim.MessageID.String()}
	read, delivered := time.Now(), time.Now().Add(-time.Millisecond)

	b.ack(campaign.MessageRead, read, about)
	b.ack(campaign.MessageDelivered, delivered, about)
	b.ack(campaign.MessageSent, delivered, about)

	require.Equal(t, campaign.MessageRead, b.status(claim.MessageID))
	require.True(t, one[bool](b, `SELECT delivered_at <= read_at FROM messages WHERE id = $1`, claim.MessageID))
}

func TestAckBeforeOurOwnSendHasReturnedSettlesIt(t *testing.T) {
	b, id, contact, claim := claimed(t)

	effect := b.ack(campaign.MessageDelivered, time.Now(), campaign.Event{Reference: claim.MessageID.String(), WAID: "w-" + claim.MessageID.String()})

	require.Equal(t, contact, effect.Wake[0].ContactID)
	require.Equal(t, campaign.Message1Sent, b.state(id, contact))
	require.Equal(t, campaign.MessageDelivered, b.status(claim.MessageID))
}

func TestUndeliveredMessage1FailsTheRecipientAndUndeliveredMessage2DoesNotHideTheAnswer(t *testing.T) {
	b := open(t)
	id, contacts := b.messaged(2)
	first := one[uuid.UUID](b, `SELECT id FROM messages WHERE contact_id = $1`, contacts[0])
	b.ack(campaign.MessageFailed, time.Now(), campaign.Event{Reference: first.String(), Failure: "blocked"})
	require.Equal(t, campaign.Failed, b.state(id, contacts[0]))
	require.Equal(t, campaign.ReasonUndelivered, b.reason(id, contacts[0]))

	b.reply(1, "reply")
	second := b.send(key(id, contacts[1], campaign.Message2))
	b.ack(campaign.MessageFailed, time.Now(), campaign.Event{Reference: second.MessageID.String()})
	require.Equal(t, campaign.MessageFailed, b.status(second.MessageID))
	require.Equal(t, campaign.Message2Sent, b.state(id, contacts[1]))
}

func TestFailureReportedAfterAReplyDoesNotTakeTheAnswerAway(t *testing.T) {
	b := open(t)
	id, contacts := b.messaged(1)
	b.reply(0, "reply")
	first := one[uuid.UUID](b, `SELECT id FROM messages WHERE contact_id = $1 AND message_type = 'message_1'`, contacts[0])
	b.ack(campaign.MessageFailed, time.Now(), campaign.Event{Reference: first.String()})
	require.Equal(t, campaign.Replied, b.state(id, contacts[0]))
}

func TestAckOfAnUnknownMessageChangesNothing(t *testing.T) {
	b := open(t)
	b.messaged(1)
	effect := b.ack(campaign.MessageRead, time.Now(), campaign.Event{WAID: "somebody typed on the phone", Reference: "not-ours"})
	require.Equal(t, "acknowledgement of an unknown message", effect.Outcome)
	require.Zero(t, one[int](b, `SELECT count(read_at) FROM messages`))
}
