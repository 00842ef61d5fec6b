package store_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/relance/relance/campaign"
	"github.com/relance/relance/store"
)

// story is a contact's whole timeline on one page.
func (b bench) story(contactID uuid.UUID) []store.TimelineEntry {
	b.t.Helper()
	entries, more, err := b.Timeline(context.Background(), contactID, nil, 1000)
	require.NoError(b.t, err)
	require.False(b.t, more)
	return entries
}

// told puts a story in words: each event with what belongs to it.
func told(entries []store.TimelineEntry) []string {
	var words []string
	for _, e := range entries {
		text := string(e.Event)
		for _, part := range []string{
			string(e.MessageType), e.Error, string(e.InteractionType), string(e.State), string(e.StateReason),
		} {
			if part != "" {
				text += " " + part
			}
		}
		if e.Within24h != nil {
			text += fmt.Sprintf(" in time: %t", *e.Within24h)
		}
		words = append(words, text)
	}
	return words
}

func TestTimelineTellsAnAnsweredContactsStoryInOrder(t *testing.T) {
	b := open(t)
	contacts := b.contacts(1)
	id := b.launched(contacts)
	b.admit(id, 1, 1)
	first := b.send(key(id, contacts[0], campaign.Message1))
	b.ack(campaign.MessageDelivered, time.Now(), campaign.Event{Reference: first.MessageID.String()})
	b.ack(campaign.MessageRead, time.Now(), campaign.Event{Reference: first.MessageID.String()})
	b.reply(0, "reply")
	second := b.send(key(id, contacts[0], campaign.Message2))
	b.ack(campaign.MessageDelivered, time.Now().Add(time.Second), campaign.Event{Reference: second.MessageID.String()})

	story := b.story(contacts[0])

	require.Equal(t, []string{
		"created",
		"sent message_1", "delivered message_1", "read message_1",
		"replied text in time: true",
		"answered message_2", "finished message_2_sent",
		"delivered message_2",
	}, told(story))
	require.Nil(t, story[0].CampaignID)
	for _, entry := range story[1:] {
		require.Equal(t, id, *entry.CampaignID)
		require.Equal(t, "Test", entry.CampaignName)
	}
}

func TestTimelineSaysWhyAMessageFailedAndWhyTheContactIsFinished(t *testing.T) {
	b, _, contact, claim := claimed(t)
	_, err := b.SettleRefused(t.Context(), claim.MessageID, claim.Token, store.Refusal{Reason: campaign.ReasonRefused, Detail: "blocked"})
	require.NoError(t, err)

	require.Equal(t, []string{"created", "failed message_1 blocked", "finished failed refused"}, told(b.story(contact)))
}

func TestTimelineForgetsAFailureThatWasDisproved(t *testing.T) {
	b := open(t)
	id, contacts := b.messaged(1)
	message := one[uuid.UUID](b, `SELECT id FROM messages WHERE campaign_id = $1`, id)
	b.ack(campaign.MessageFailed, time.Now(), campaign.Event{Reference: message.String(), Failure: "not yet"})
	require.Contains(t, told(b.story(contacts[0])), "failed message_1 not yet")

	b.ack(campaign.MessageDelivered, time.Now(), campaign.Event{Reference: message.String()})

	for _, words := range told(b.story(contacts[0])) {
		require.NotContains(t, words, "failed message_1")
	}
}

func TestTimelineTellsNothingOfACampaignBeforeItsSending(t *testing.T) {
	b := open(t)
	id, contacts := b.messaged(1)
	b.reply(0, "reply")
	b.exec(`UPDATE messages SET delivered_at = sent_at - interval '300 milliseconds', read_at = sent_at - interval '300 milliseconds'
		WHERE campaign_id = $1 AND message_type = 'message_1'`, id)
	b.exec(`UPDATE interactions SET received_at = received_at - interval '1 minute'`)

	story := b.story(contacts[0])

	require.Equal(t, []string{
		"created", "sent message_1", "delivered message_1", "read message_1", "replied text in time: true",
	}, told(story))
	require.Equal(t, story[1].At, story[4].At)
}

// everythingAt makes all that is on record of anybody fall on one instant.
func (b bench) everythingAt(at time.Time) {
	b.t.Helper()
	b.exec(`UPDATE contacts SET created_at = $1, opted_out_at = $1`, at)
	b.exec(`UPDATE messages SET sent_at = $1, counted_at = $1, delivered_at = $1, read_at = $1, failed_at = $1, status = 'failed'`, at)
	b.exec(`UPDATE interactions SET received_at = $1`, at)
	b.exec(`UPDATE recipients SET message_1_sent_at = $1, state = 'message_2_sent', finished_at = $1 WHERE replied_at IS NOT NULL`, at)
}

// answered launches a campaign whose only contact replies and gets Message 2.
func (b bench) answered(contact []uuid.UUID, event string) uuid.UUID {
	b.t.Helper()
	id := b.launched(contact)
	b.admit(id, 1, 1)
	b.send(key(id, contact[0], campaign.Message1))
	b.reply(0, event)
	b.send(key(id, contact[0], campaign.Message2))
	return id
}

func TestTimelineTellsWhatHappenedAtOneInstantAsItFollows(t *testing.T) {
	b := open(t)
	contacts := b.contacts(1)
	b.answered(contacts, "reply")
	b.everythingAt(time.Now())

	require.Equal(t, []string{
		"created",
		"sent message_1", "delivered message_1", "read message_1", "failed message_1",
		"replied text in time: true",
		"opted_out",
		"answered message_2", "delivered message_2", "read message_2", "failed message_2",
		"finished message_2_sent",
	}, told(b.story(contacts[0])))
}

func TestTimelinePagesHoldEveryEventOnceWhateverTheirSizeAndTies(t *testing.T) {
	b := open(t)
	contacts := b.contacts(2)
	for i := range 3 {
		b.answered(contacts[:1], fmt.Sprintf("reply %d", i))
		b.reply(0, fmt.Sprintf("further %d", i))
		b.launched(contacts[1:]) // somebody else's
	}
	b.everythingAt(time.Date(2025, 1, 1, 0, 0, 0, 123456000, time.UTC))
	// Two instants, a microsecond apart, each with most of the events.
	b.exec(`UPDATE interactions SET received_at = received_at + interval '1 microsecond' WHERE event_key < 'reply'`)
	b.exec(`UPDATE messages SET read_at = read_at + interval '1 microsecond'`)
	whole := b.story(contacts[0])
	require.Len(t, whole, 2+3*(2*4+2+1))

	rapid.Check(t, func(r *rapid.T) {
		limit := rapid.IntRange(1, len(whole)+1).Draw(r, "limit")
		var seen []store.TimelineEntry
		var after *store.TimelinePosition
		for {
			entries, more, err := b.Timeline(context.Background(), contacts[0], after, limit)
			require.NoError(t, err)
			require.LessOrEqual(t, len(entries), limit)
			seen = append(seen, entries...)
			if !more {
				break
			}
			require.Len(t, entries, limit)
			after = &entries[limit-1].TimelinePosition
		}
		require.Equal(t, whole, seen)
	})
	for i, entry := range whole[1:] {
		require.False(t, entry.At.Before(whole[i].At), "oldest first")
	}
}

func TestTimelineOfADeletedContactIsWhatItsCampaignsRecorded(t *testing.T) {
	b := open(t)
	contacts := b.contacts(1)
	b.answered(contacts, "reply")
	require.NoError(t, b.DeleteContact(t.Context(), contacts[0]))

	require.Equal(t, []string{
		"sent message_1", "replied text in time: true", "answered message_2", "finished message_2_sent",
	}, told(b.story(contacts[0])))
}

func TestTimelineOfADeletedContactNotYetMessagedIsEmpty(t *testing.T) {
	b := open(t)
	contacts := b.contacts(1)
	b.launched(contacts)
	require.NoError(t, b.DeleteContact(t.Context(), contacts[0]))

	require.Empty(t, b.story(contacts[0]))
}

func TestTimelineOfNobodyIsNotFound(t *testing.T) {
	b := open(t)
	b.messaged(1)
	_, _, err := b.Timeline(t.Context(), uuid.New(), nil, 10)
	require.ErrorIs(t, err, store.ErrNotFound)
}
