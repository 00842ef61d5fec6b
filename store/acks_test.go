package store_test

import (
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

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
	_, err := b.SettleSent(t.Context(), accepted(claim))
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

// What most acknowledgements are is taken in by one statement, and the rest by
// a transaction: both must come to the same.
func TestAcknowledgementsComeToTheSameEitherWay(t *testing.T) {
	b := open(t)
	id, contacts := b.messaged(2)
	messages := [2]uuid.UUID{}
	for i := range messages {
		messages[i] = one[uuid.UUID](b, `SELECT id FROM messages WHERE contact_id = $1`, contacts[i])
	}
	sent := time.Now().Add(-time.Hour)
	statuses := []campaign.MessageStatus{campaign.MessageSent, campaign.MessageDelivered, campaign.MessageRead, campaign.MessageNoInteraction}
	moments := []time.Time{{}, sent.Add(-time.Hour), sent.Add(time.Millisecond), sent.Add(2 * time.Millisecond), sent.Add(2 * time.Hour)}
	rapid.Check(t, func(r *rapid.T) {
		// The start is any that such a message can have.
		status := rapid.SampledFrom(statuses).Draw(r, "status")
		delivered, read := rapid.Bool().Draw(r, "delivered"), rapid.Bool().Draw(r, "read")
		ids := rapid.Bool().Draw(r, "ids known")
		b.exec(`UPDATE messages SET status = $1, delivered_at = CASE WHEN $2 THEN sent_at + interval '1.5 milliseconds' END,
			read_at = CASE WHEN $3 THEN sent_at + interval '1.6 milliseconds' END, claimed_at = $4, sent_at = $4,
			wa_id = CASE WHEN $5 THEN 'known' || id END`, status, delivered, read, sent, ids)
		for range rapid.IntRange(1, 3).Draw(r, "acknowledgements") {
			ack := campaign.Event{
				Kind: campaign.EventAck, Name: "message:out:ack", Status: rapid.SampledFrom(statuses[:3]).Draw(r, "ack"),
				At: rapid.SampledFrom(moments).Draw(r, "at"),
			}
			for i, message := range messages {
				ack.Reference, ack.WAID, ack.ProviderID = message.String(), "new"+message.String(), "p-"+message.String()
				webhook, outcome := uuid.NewString(), ""
				if i == 0 {
					kept, err := b.KeepWebhook(t.Context(), webhook, []byte("{}"), time.Time{})
					require.NoError(r, err)
					effect, err := b.Apply(t.Context(), ack, kept.ReceivedAt)
					require.NoError(r, err)
					require.Empty(r, effect.Wake)
					outcome = effect.Outcome
				} else {
					done, err := b.KeepAcknowledgement(t.Context(), webhook, []byte("{}"), ack)
					require.NoError(r, err)
					require.True(r, done)
					outcome = one[string](b, `SELECT outcome FROM webhook_events WHERE dedupe_key = $1 AND processed_at IS NOT NULL`, webhook)
				}
				require.Equal(r, "acknowledged: "+string(ack.Status), outcome)
			}
		}
		row := func(i int) string {
			// The clock's own moment is not twice the same.
			return one[string](b, `SELECT format('%s %s %s %s %s', status, replace(wa_id, id::text, ''), replace(provider_id, id::text, ''),
				CASE WHEN delivered_at > $2::timestamptz + interval '30 minutes' THEN 'now' ELSE delivered_at::text END,
				CASE WHEN read_at > $2::timestamptz + interval '30 minutes' THEN 'now' ELSE read_at::text END) FROM messages WHERE id = $1`, messages[i], sent)
		}
		require.Equal(r, row(0), row(1))
	})
	require.Equal(t, campaign.Message1Sent, b.state(id, contacts[1]))
}

func TestAnAcknowledgementThatSaysMoreIsLeftToTheTransaction(t *testing.T) {
	b, id, contact, claim := claimed(t)
	of := func(ack campaign.Event) bool {
		t.Helper()
		webhook := uuid.NewString()
		ack.Kind, ack.Reference = campaign.EventAck, claim.MessageID.String()
		done, err := b.KeepAcknowledgement(t.Context(), webhook, []byte("{}"), ack)
		require.NoError(t, err)
		require.Equal(t, done, one[bool](b, `SELECT EXISTS (SELECT FROM webhook_events WHERE dedupe_key = $1)`, webhook))
		return done
	}
	require.False(t, of(campaign.Event{Status: campaign.MessageDelivered}), "our own send has not returned: it proves that the message left")
	require.Equal(t, campaign.MessageSending, b.status(claim.MessageID))
	_, err := b.SettleSent(t.Context(), accepted(claim))
	require.NoError(t, err)
	require.False(t, of(campaign.Event{Status: campaign.MessageFailed}))
	require.True(t, of(campaign.Event{Status: campaign.MessageDelivered}))
	require.Equal(t, campaign.MessageDelivered, b.status(claim.MessageID))
	require.Equal(t, campaign.Message1Sent, b.state(id, contact))
	kept, err := b.KeepWebhook(t.Context(), "stored", []byte("{}"), time.Time{})
	require.NoError(t, err)
	done, err := b.KeepAcknowledgement(t.Context(), "stored", []byte("{}"), campaign.Event{
		Kind: campaign.EventAck, Status: campaign.MessageRead, Reference: claim.MessageID.String(),
	})
	require.NoError(t, err)
	require.False(t, done, "what is stored already is applied from there")
	require.Equal(t, campaign.MessageDelivered, b.status(claim.MessageID))
	require.False(t, kept.Processed)
	claim.MessageID = uuid.New()
	require.False(t, of(campaign.Event{Status: campaign.MessageDelivered}), "a message that is not known")
}
