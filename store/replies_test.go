package store_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/relance/relance/campaign"
	"github.com/relance/relance/store"
)

func TestProperty8_FirstReplyInTimeCreatesMessage2InItsOwnTransaction(t *testing.T) {
	b := open(t)
	id, contacts := b.messaged(1)

	effect := b.reply(0, "first")

	require.Equal(t, []store.Recipient{{CampaignID: id, ContactID: contacts[0]}}, effect.Wake)
	require.Equal(t, campaign.Replied, b.state(id, contacts[0]))
	require.Equal(t, store.Granted, b.claim(key(id, contacts[0], campaign.Message2)).Verdict)
}

func TestProperty10_FiftyRepliesAtOnceEachDoubledEarnOneMessage2(t *testing.T) {
	b := open(t)
	id, contacts := b.messaged(1)
	var replies sync.WaitGroup
	for i := range 50 {
		for range 2 {
			replies.Go(func() { b.reply(0, fmt.Sprintf("reply %d", i)) })
		}
	}
	replies.Wait()

	require.Equal(t, 50, one[int](b, `SELECT count(*) FROM interactions WHERE within_24h`))
	require.Equal(t, 1, one[int](b, `SELECT count(*) FROM messages WHERE message_type = 'message_2'`))
	require.Equal(t, campaign.Replied, b.state(id, contacts[0]))
}

func TestReplyAfterTheWindowIsLateAndEarnsNothing(t *testing.T) {
	b := open(t)
	id, contacts := b.messaged(1)
	b.ahead(24 * time.Hour)

	b.reply(0, "late")

	require.Equal(t, campaign.LateInteraction, b.state(id, contacts[0]))
	require.Zero(t, one[int](b, `SELECT count(*) FROM messages WHERE message_type = 'message_2'`))
	require.Equal(t, 1, one[int](b, `SELECT count(*) FROM interactions WHERE NOT within_24h`))
}

func TestReplyAfterNoInteractionMakesItLate(t *testing.T) {
	b := open(t)
	id, contacts := b.messaged(1)
	b.ahead(24 * time.Hour)
	progress, err := b.CloseWindow(t.Context(), id, contacts[0])
	require.NoError(t, err)
	require.Equal(t, campaign.NoInteraction, progress.State)

	b.reply(0, "late")

	require.Equal(t, campaign.LateInteraction, b.state(id, contacts[0]))
}

func TestWindowIsNotClosedBeforeItsTimeNorOverAReply(t *testing.T) {
	b := open(t)
	id, contacts := b.messaged(2)
	b.ahead(24*time.Hour - time.Minute)
	progress, err := b.CloseWindow(t.Context(), id, contacts[0])
	require.NoError(t, err)
	require.Equal(t, campaign.Message1Sent, progress.State)
	require.Positive(t, progress.WindowLeft)

	b.reply(1, "in the last minute")
	b.ahead(25 * time.Hour)
	progress, err = b.CloseWindow(t.Context(), id, contacts[1])
	require.NoError(t, err)
	require.Equal(t, campaign.Replied, progress.State)
}

// A reply and the end of the window, raced: under the row's lock one of them is
// first, and the interaction's own stamp agrees with what was decided.
func TestProperty6_ReplyAndEndOfWindowNeverBothWinNorBothLose(t *testing.T) {
	b := open(t, func(r *campaign.Rules) { r.ReplyWindow = 300 * time.Millisecond })
	const n = 40
	id, contacts := b.messaged(n)
	var race sync.WaitGroup
	for i, contact := range contacts {
		race.Go(func() {
			for {
				progress, err := b.CloseWindow(t.Context(), id, contact)
				if err != nil || progress.State != campaign.Message1Sent {
					return
				}
			}
		})
		race.Go(func() {
			for one[bool](b, `SELECT relance_now() < window_ends_at - interval '2 milliseconds' FROM recipients WHERE contact_id = $1`, contact) { // the edge is near
			}
			b.reply(i, fmt.Sprintf("edge %d", i))
		})
	}
	race.Wait()
	require.Zero(t, one[int](b, `
		SELECT count(*) FROM recipients r JOIN interactions i USING (campaign_id, contact_id)
		WHERE i.within_24h <> (r.state = 'replied') OR i.within_24h <> (i.received_at < r.window_ends_at)
		   OR NOT i.within_24h AND r.state <> 'late_interaction'`))
	require.Equal(t, n, one[int](b, `SELECT count(*) FROM interactions`))
}

func TestReplyProvesThatAMessageStillBeingSentHasLeft(t *testing.T) {
	b, id, contact, claim := claimed(t)

	b.reply(0, "quick")

	require.Equal(t, campaign.Replied, b.state(id, contact))
	require.Equal(t, campaign.MessageSent, b.status(claim.MessageID))
	progress, err := b.SettleSent(t.Context(), accepted(claim))
	require.NoError(t, err)
	require.Equal(t, campaign.Replied, progress.State, "the send's own answer changes nothing but the ids")
	require.Equal(t, "p-"+claim.MessageID.String(), one[string](b, `SELECT provider_id FROM messages WHERE id = $1`, claim.MessageID))
}

func TestReplyThatQuotesAMessageBelongsToItsCampaign(t *testing.T) {
	b := open(t)
	contacts := b.contacts(1)
	older, newer := b.launched(contacts), b.launched(contacts)
	b.admit(older, 1, 1)
	claim := b.send(key(older, contacts[0], campaign.Message1))
	b.admit(newer, 1, 1)
	b.send(key(newer, contacts[0], campaign.Message1))

	_, err := b.Apply(t.Context(), campaign.Event{
		Kind: campaign.EventReply, Key: "quote", Phone: phone(0), Interaction: campaign.Emoji, QuotedWAID: "w-" + claim.MessageID.String(),
	}, b.now())
	require.NoError(t, err)

	require.Equal(t, campaign.Replied, b.state(older, contacts[0]))
	require.Equal(t, campaign.Message1Sent, b.state(newer, contacts[0]))
}

func TestReplyServesTheNewestOpenWindowAndAFurtherOneTheNext(t *testing.T) {
	b := open(t)
	contacts := b.contacts(1)
	older, newer := b.launched(contacts), b.launched(contacts)
	b.admit(older, 1, 1)
	b.send(key(older, contacts[0], campaign.Message1))
	b.admit(newer, 1, 1)
	b.send(key(newer, contacts[0], campaign.Message1))

	b.reply(0, "one")
	require.Equal(t, campaign.Replied, b.state(newer, contacts[0]))
	require.Equal(t, campaign.Message1Sent, b.state(older, contacts[0]))
	b.reply(0, "two")
	require.Equal(t, campaign.Replied, b.state(older, contacts[0]))
}

func TestTwoRepliesAtOnceServeTwoCampaigns(t *testing.T) {
	b := open(t)
	contacts := b.contacts(1)
	older, newer := b.launched(contacts), b.launched(contacts)
	for _, id := range []uuid.UUID{older, newer} {
		b.admit(id, 1, 1)
		b.send(key(id, contacts[0], campaign.Message1))
	}
	var replies sync.WaitGroup
	for i := range 2 {
		replies.Go(func() { b.reply(0, fmt.Sprintf("reply %d", i)) })
	}
	replies.Wait()
	require.Equal(t, campaign.Replied, b.state(older, contacts[0]))
	require.Equal(t, campaign.Replied, b.state(newer, contacts[0]))
}

func TestReplyWithoutAnOpenWindowIsLateForTheNewestCampaignThatMessagedTheContact(t *testing.T) {
	b := open(t)
	contacts := b.contacts(1)
	older, newer := b.launched(contacts), b.launched(contacts)
	for _, id := range []uuid.UUID{older, newer} {
		b.admit(id, 1, 1)
		b.send(key(id, contacts[0], campaign.Message1))
	}
	b.ahead(24 * time.Hour)
	b.reply(0, "late")
	require.Equal(t, campaign.LateInteraction, b.state(newer, contacts[0]))
	require.Equal(t, campaign.Message1Sent, b.state(older, contacts[0]))
}

func TestRepliesToAnAnsweredCampaignAreRecordedAndEarnNothing(t *testing.T) {
	b := open(t)
	id, contacts := b.messaged(1)
	b.reply(0, "one")
	b.send(key(id, contacts[0], campaign.Message2))
	b.reply(0, "two")
	require.Equal(t, campaign.Message2Sent, b.state(id, contacts[0]))
	require.Equal(t, 2, one[int](b, `SELECT count(*) FROM interactions`))
	require.Equal(t, 1, one[int](b, `SELECT count(*) FROM messages WHERE message_type = 'message_2'`))
}

func TestReplyTakenInBeforeACampaignMessagedTheContactIsNoAnswerToIt(t *testing.T) {
	b := open(t)
	contacts := b.contacts(1)
	older, newer := b.launched(contacts), b.launched(contacts)
	b.admit(older, 1, 1)
	b.send(key(older, contacts[0], campaign.Message1))
	receivedAt := b.now() // and then the process that took it in died
	b.admit(newer, 1, 1)
	b.send(key(newer, contacts[0], campaign.Message1))

	_, err := b.Apply(t.Context(), campaign.Event{Kind: campaign.EventReply, Key: "early", Phone: phone(0), Interaction: campaign.Text}, receivedAt)
	require.NoError(t, err)

	require.Equal(t, campaign.Replied, b.state(older, contacts[0]))
	require.Equal(t, campaign.Message1Sent, b.state(newer, contacts[0]))
}

func TestReplyAppliedAgainStaysWithItsCampaign(t *testing.T) {
	b := open(t)
	contacts := b.contacts(1)
	older, newer := b.launched(contacts), b.launched(contacts)
	for _, id := range []uuid.UUID{older, newer} {
		b.admit(id, 1, 1)
		b.send(key(id, contacts[0], campaign.Message1))
	}
	b.reply(0, "one")
	b.reply(0, "one") // its process died before it could say that it had been applied
	require.Equal(t, campaign.Replied, b.state(newer, contacts[0]))
	require.Equal(t, campaign.Message1Sent, b.state(older, contacts[0]))
}

// Property 6, at the instant itself.
func TestProperty6_ReplyTakenInExactlyWhenTheWindowEndsIsLate(t *testing.T) {
	b := open(t)
	id, contacts := b.messaged(2)
	for i, before := range []time.Duration{0, time.Microsecond} {
		end := one[time.Time](b, `SELECT window_ends_at FROM recipients WHERE contact_id = $1`, contacts[i])
		b.ahead(25 * time.Hour)
		_, err := b.Apply(t.Context(), campaign.Event{
			Kind: campaign.EventReply, Key: fmt.Sprint(i), Phone: phone(i), Interaction: campaign.Text,
		}, end.Add(-before))
		require.NoError(t, err)
	}
	require.Equal(t, campaign.LateInteraction, b.state(id, contacts[0]))
	require.Equal(t, campaign.Replied, b.state(id, contacts[1]))
}

func TestReplyFromANumberThatWhatsAppWritesOtherwiseIsKnown(t *testing.T) {
	b := open(t)
	contact := uuid.New()
	b.exec(`INSERT INTO contacts (id, phone) VALUES ($1, '+525512345678')`, contact)
	id := b.launched([]uuid.UUID{contact})
	b.admit(id, 1, 1)
	b.send(key(id, contact, campaign.Message1))
	_, err := b.Apply(t.Context(), campaign.Event{
		Kind: campaign.EventReply, Key: "from Mexico", Phone: "+5215512345678", Interaction: campaign.Voice,
	}, b.now())
	require.NoError(t, err)
	require.Equal(t, campaign.Replied, b.state(id, contact))
}

func TestReplyThatHidesItsNumberIsKnownByWhatItQuotes(t *testing.T) {
	b := open(t)
	id, contacts := b.messaged(1)
	message := one[uuid.UUID](b, `SELECT id FROM messages`)
	_, err := b.Apply(t.Context(), campaign.Event{
		Kind: campaign.EventReply, Key: "hidden", Interaction: campaign.Emoji, QuotedWAID: "w-" + message.String(),
	}, b.now())
	require.NoError(t, err)
	require.Equal(t, campaign.Replied, b.state(id, contacts[0]))
}

func TestReplyOfAStrangerChangesNothing(t *testing.T) {
	b := open(t)
	b.messaged(1)
	effect := b.reply(99, "stranger")
	require.Empty(t, effect.Wake)
	require.Zero(t, one[int](b, `SELECT count(*) FROM interactions`))
}
