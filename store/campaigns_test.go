package store_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/relance/relance/campaign"
	"github.com/relance/relance/store"
)

func TestProperty4_AudienceGetsExactlyOneMessage1Each(t *testing.T) {
	b := open(t)
	contacts := b.contacts(5)
	category := uuid.New()
	b.exec(`INSERT INTO categories (id, name) VALUES ($1, 'All')`, category)
	b.exec(`INSERT INTO contact_categories SELECT id, $1 FROM contacts`, category)
	b.exec(`UPDATE contacts SET opted_out_at = now() WHERE id = $1`, contacts[4])
	id := b.launched(contacts)
	b.exec(`UPDATE campaigns SET category_ids = ARRAY[$1::uuid]`, category)

	frozen, err := b.FreezeAudience(t.Context(), id) // again: the first one counts

	require.NoError(t, err)
	require.EqualValues(t, 4, frozen.Recipients, "whoever opted out is skipped, whoever is named twice counts once")
	require.Equal(t, campaign.Running, frozen.Status)
	require.Equal(t, 4, one[int](b, `SELECT count(*) FROM messages WHERE message_type = 'message_1' AND status = 'pending'`))
}

func TestAdmissionAskedAgainForAWaveAnswersTheSame(t *testing.T) {
	b := open(t)
	id := b.launched(b.contacts(10))
	first := b.admit(id, 1, 4)
	require.Len(t, first, 4)
	require.Equal(t, first, b.admit(id, 1, 4))
	require.NotContains(t, b.admit(id, 2, 4), first[0])
}

func TestProperty5_AdmissionLeavesRoomForEveryAnswer(t *testing.T) {
	b := open(t, func(r *campaign.Rules) { r.Quota.Limit = 10 })
	contacts := b.contacts(12)
	id := b.launched(contacts)
	require.Len(t, b.admit(id, 1, 12), 5)
	require.Empty(t, b.admit(id, 2, 12), "their messages have not left yet")
	for _, contact := range contacts[:5] {
		b.send(key(id, contact, campaign.Message1))
	}
	admission, err := b.Admit(t.Context(), id, 2, 12, 1000)
	require.NoError(t, err)
	require.Empty(t, admission.Contacts)
	require.EqualValues(t, 7, admission.Left)
	require.Equal(t, 70*time.Minute, admission.AskAgain)
	require.Equal(t, store.ObstacleQuota, admission.Obstacle)

	for i, contact := range contacts[:5] {
		b.reply(i, contact.String())
	}
	require.Empty(t, b.admit(id, 2, 12), "their answers are owed")
	for _, contact := range contacts[:5] {
		b.send(key(id, contact, campaign.Message2))
	}
	usage, err := b.Usage(t.Context())
	require.NoError(t, err)
	require.Equal(t, campaign.Usage{Sent: 10}, usage)

	b.ahead(24*time.Hour - time.Minute)
	require.Empty(t, b.admit(id, 2, 12))
	b.ahead(24*time.Hour + time.Minute)
	require.Len(t, b.admit(id, 2, 12), 5, "a day later the quota is free again")
}

func TestProperty5_RoomIsKeptForWhomAMessageIsSaidNotToHaveReached(t *testing.T) {
	b := open(t, func(r *campaign.Rules) { r.Quota.Limit = 4 })
	contacts := b.contacts(3)
	id := b.launched(contacts)
	require.Len(t, b.admit(id, 1, 3), 2)
	for _, contact := range contacts[:2] {
		claim := b.send(key(id, contact, campaign.Message1))
		b.ack(campaign.MessageFailed, time.Now(), campaign.Event{Reference: claim.MessageID.String()})
	}

	require.Empty(t, b.admit(id, 2, 3))

	for i, contact := range contacts[:2] {
		b.reply(i, contact.String()) // it did reach them
		b.send(key(id, contact, campaign.Message2))
	}
}

func TestBacklogOfUnsentContactsHoldsAdmissionBack(t *testing.T) {
	b := open(t)
	id := b.launched(b.contacts(10))
	b.admit(id, 1, 4)
	admission, err := b.Admit(t.Context(), id, 2, 4, 4)
	require.NoError(t, err)
	require.True(t, admission.Crowded)
	require.Empty(t, admission.Contacts)
}

func TestProperties11And12_CampaignClosesWhenEveryoneIsFinalAndStoresItsTotals(t *testing.T) {
	b := open(t)
	contacts := b.contacts(8)
	id := b.launched(contacts)
	b.admit(id, 1, 8)
	told := func(status campaign.MessageStatus, message store.Claim) {
		b.ack(status, time.Now(), campaign.Event{Reference: message.MessageID.String()})
	}
	messages := make([]store.Claim, 7)
	for i := range messages {
		messages[i] = b.send(key(id, contacts[i], campaign.Message1))
	}
	told(campaign.MessageDelivered, messages[0])
	told(campaign.MessageDelivered, messages[1])
	told(campaign.MessageRead, messages[1])
	told(campaign.MessageFailed, messages[2])
	refused := b.claim(key(id, contacts[7], campaign.Message1))
	_, err := b.SettleRefused(t.Context(), refused.MessageID, refused.Token, store.Refusal{Reason: campaign.ReasonRefused})
	require.NoError(t, err)
	for i, who := range []int{0, 0, 1, 1, 1} {
		b.reply(who, fmt.Sprint("reply ", i))
	}
	closing, err := b.CloseCampaign(t.Context(), id)
	require.NoError(t, err)
	require.False(t, closing.Closed)
	require.EqualValues(t, 6, closing.Unfinished)

	told(campaign.MessageRead, b.send(key(id, contacts[0], campaign.Message2)))
	told(campaign.MessageRead, b.send(key(id, contacts[1], campaign.Message2)))
	b.ahead(24 * time.Hour)
	for _, contact := range contacts[2:7] {
		_, err = b.CloseWindow(t.Context(), id, contact)
		require.NoError(t, err)
	}
	closing, err = b.CloseCampaign(t.Context(), id)
	require.NoError(t, err)
	require.True(t, closing.Closed)

	c, err := b.Campaign(t.Context(), id)
	require.NoError(t, err)
	require.Equal(t, campaign.Completed, c.Status)
	// All different, so that none is mistaken for another.
	require.Equal(t, []int64{8, 9, 4, 3, 2, 5}, []int64{c.TotalContacts, c.SentCount, c.DeliveredCount, c.ReadCount, c.FailedCount, c.InteractionCount})
}

func TestProperty13_CampaignClosesAt48HoursWhateverTheStates(t *testing.T) {
	b := open(t)
	contacts := b.contacts(4)
	id := b.launched(contacts)
	b.admit(id, 1, 3)
	b.send(key(id, contacts[0], campaign.Message1))
	b.claim(key(id, contacts[1], campaign.Message1)) // may just be leaving
	b.ahead(48 * time.Hour)

	closing, err := b.CloseCampaign(t.Context(), id)

	require.NoError(t, err)
	require.True(t, closing.Closed)
	require.Equal(t, campaign.Message1Sent, b.state(id, contacts[0]), "its window lives on")
	require.Equal(t, campaign.Admitted, b.state(id, contacts[1]), "its own workflow settles it")
	for _, contact := range contacts[2:] {
		require.Equal(t, campaign.NotSent, b.state(id, contact))
		require.Equal(t, campaign.ReasonDeadline, b.reason(id, contact))
	}
}

func TestTotalsFollowWhatIsLearntAfterACampaignHasCompleted(t *testing.T) {
	b := open(t)
	id, _ := b.messaged(1)
	b.ahead(48 * time.Hour)
	_, err := b.CloseCampaign(t.Context(), id)
	require.NoError(t, err)

	message := one[uuid.UUID](b, `SELECT id FROM messages`)
	b.ack(campaign.MessageRead, time.Now(), campaign.Event{Reference: message.String()})
	b.reply(0, "late")
	require.NoError(t, b.FoldStats(t.Context()), "which the dispatcher does every second")

	c, err := b.Campaign(t.Context(), id)
	require.NoError(t, err)
	require.Equal(t, []int64{1, 1, 1, 1}, []int64{c.SentCount, c.DeliveredCount, c.ReadCount, c.InteractionCount})
}

func TestProperties4And10_SchemaRefusesASecondMessageOfAKind(t *testing.T) {
	b := open(t)
	id, contacts := b.messaged(1)
	_, err := b.Pool().Exec(`INSERT INTO messages (id, campaign_id, contact_id, device_id, message_type) VALUES (gen_random_uuid(), $1, $2, $3, 'message_1')`,
		id, contacts[0], device)
	require.ErrorContains(t, err, "messages_campaign_id_contact_id_message_type_key")
}

func TestCampaignsThatCompeteGetTheirSharesWhoeverAsksFirst(t *testing.T) {
	b := open(t, func(r *campaign.Rules) { r.Quota.Limit = 40 })
	contacts := b.contacts(60)
	eager, late := b.launched(contacts[:30]), b.launched(contacts[30:])

	admitted := 0
	for wave := 1; ; wave++ {
		n := len(b.admit(eager, wave, 3))
		if admitted += n; n == 0 {
			break
		}
	}

	require.Equal(t, 10, admitted, "half of the twenty places")
	require.Len(t, b.admit(late, 1, 30), 10)
	require.NoError(t, b.Cancel(t.Context(), late))
	require.Len(t, b.admit(eager, 100, 30), 10, "what nobody else waits for any more")
}

func TestPacedMessagesGetSlotsOneAfterTheOther(t *testing.T) {
	b := open(t, func(r *campaign.Rules) { r.Pace = campaign.Pace{Min: 88 * time.Second, Max: 92 * time.Second} })
	contacts := b.contacts(50)
	id := b.launched(contacts)

	admitted := b.admit(id, 1, 50)
	require.Len(t, admitted, 7, "as many as leave within the ten minutes ahead")
	again, err := b.Admit(t.Context(), id, 2, 50, 1000)
	require.NoError(t, err)
	require.Empty(t, again.Contacts)
	require.Equal(t, store.ObstaclePace, again.Obstacle)
	require.Positive(t, again.AskAgain)

	b.send(key(id, admitted[0], campaign.Message1))
	second := b.claim(key(id, admitted[1], campaign.Message1))
	require.Equal(t, store.ObstaclePace, second.Obstacle)
	require.InDelta(t, 90, second.Wait.Seconds(), 20)
	b.reply(0, "reply")
	b.send(key(id, contacts[0], campaign.Message2)) // is never paced

	b.ahead(30 * time.Minute) // an outage: many slots have passed
	b.send(key(id, admitted[1], campaign.Message1))
	third := b.claim(key(id, admitted[2], campaign.Message1))
	require.Equal(t, store.ObstaclePace, third.Obstacle, "no burst makes up for it")
}

func TestMessage1sWaitForTheSendingHoursAndAnswersDoNot(t *testing.T) {
	b := open(t)
	id, contacts := b.messaged(2)
	night := time.Now().UTC()
	hours, err := campaign.ParseHours(night.Add(2*time.Hour).Format("15:04") + "-" + night.Add(4*time.Hour).Format("15:04") + " UTC")
	require.NoError(t, err)
	rules := campaign.DefaultRules()
	rules.Hours = hours
	closed := b.reopen(rules)
	more := closed.launched(contacts)

	admission, err := closed.Admit(t.Context(), more, 1, 2, 10)
	require.NoError(t, err)
	require.Empty(t, admission.Contacts)
	require.Equal(t, store.ObstacleHours, admission.Obstacle)
	require.InDelta(t, (2 * time.Hour).Seconds(), admission.AskAgain.Seconds(), 61)

	b.admit(more, 1, 2) // admitted before the hours ended
	require.Equal(t, store.ObstacleHours, closed.claim(key(more, contacts[0], campaign.Message1)).Obstacle)
	b.reply(0, "reply")
	require.Equal(t, campaign.Replied, b.state(id, contacts[0]))
	closed.send(key(id, contacts[0], campaign.Message2))
	closed.ahead(3 * time.Hour)
	closed.send(key(more, contacts[0], campaign.Message1))
}
