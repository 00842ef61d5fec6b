package store_test

import (
	"crypto/sha256"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/relance/relance/campaign"
	"github.com/relance/relance/store"
)

// The reference of a message must never change, or a database that is restored
// under a later version could not find at the provider what has left.
func TestAMessagesReferenceFollowsFromCampaignContactAndKind(t *testing.T) {
	t.Parallel()
	b := open(t)
	id, contacts := b.messaged(1)
	b.reply(0, "a")
	for _, kind := range []campaign.MessageType{campaign.Message1, campaign.Message2} {
		sum := sha256.Sum256([]byte(string(id[:]) + string(contacts[0][:]) + string(kind)))
		sum[6], sum[8] = sum[6]&0x0f|0x80, sum[8]&0x0f|0x80
		want := uuid.UUID(sum[:16]).String()
		require.Equal(t, want, one[string](b, `SELECT id FROM messages WHERE contact_id = $1 AND message_type = $2`, contacts[0], kind))
	}
}

// restored makes the database one that the device has not been using.
func (b bench) restored() {
	b.t.Helper()
	b.exec(`UPDATE devices SET lineage = 'another'`)
}

func (b bench) believed() {
	b.t.Helper()
	standing, err := b.Standing(b.t.Context())
	require.NoError(b.t, err)
	require.True(b.t, standing.Restored)
	require.NoError(b.t, b.Believe(b.t.Context(), standing.Lineage))
}

func TestNothingIsDecidedInARestoredDatabaseUntilItIsReconciled(t *testing.T) {
	t.Parallel()
	b := open(t)
	contacts := b.contacts(4)
	id := b.launched(contacts)
	b.admit(id, 1, 2)
	b.send(key(id, contacts[0], campaign.Message1))
	due := time.Now()
	scheduled := store.Campaign{Name: "Later", Status: campaign.Scheduled, ScheduledAt: &due, Message1: "Hello", ContactIDs: contacts}
	require.NoError(t, b.CreateCampaign(t.Context(), &scheduled))
	b.restored()

	require.Equal(t, store.ObstacleRestored, b.claim(key(id, contacts[1], campaign.Message1)).Obstacle)
	admission, err := b.Admit(t.Context(), id, 2, 2, 100)
	require.NoError(t, err)
	require.Equal(t, store.ObstacleRestored, admission.Obstacle)
	require.Empty(t, admission.Contacts)
	_, err = b.FreezeAudience(t.Context(), scheduled.ID)
	require.ErrorIs(t, err, store.ErrRestored)
	_, err = b.CloseCampaign(t.Context(), id)
	require.ErrorIs(t, err, store.ErrRestored)
	_, err = b.Apply(t.Context(), campaign.Event{Kind: campaign.EventReply, Key: "a", Phone: phone(0)}, b.now())
	require.ErrorIs(t, err, store.ErrRestored)
	_, err = b.ReserveTestSend(t.Context(), id, campaign.Message1, phone(3), uuid.Nil, time.Second)
	var refused *store.RefusedError
	require.ErrorAs(t, err, &refused)
	require.Equal(t, store.ObstacleRestored, refused.Obstacle)
	b.ahead(25 * time.Hour)
	_, err = b.CloseWindow(t.Context(), id, contacts[0])
	require.ErrorIs(t, err, store.ErrRestored)
	require.NoError(t, b.ShelveMissedStarts(t.Context()))
	require.Equal(t, "scheduled", one[string](b, `SELECT status FROM campaigns WHERE id = $1`, scheduled.ID))

	b.believed()
	require.Equal(t, store.Granted, b.claim(key(id, contacts[1], campaign.Message1)).Verdict)
	_, err = b.CloseWindow(t.Context(), id, contacts[0])
	require.NoError(t, err)
	require.Equal(t, campaign.NoInteraction, b.state(id, contacts[0]))
}

func TestADatabaseThatWasExchangedAgainIsNotBelieved(t *testing.T) {
	t.Parallel()
	b := open(t)
	require.NoError(t, b.Doubt(t.Context()))
	require.ErrorIs(t, b.Believe(t.Context(), "what it was before"), store.ErrRestored)
	b.believed()
}

func (b bench) messageID(campaignID, contactID uuid.UUID, kind campaign.MessageType) uuid.UUID {
	b.t.Helper()
	return uuid.MustParse(one[string](b, `SELECT relance_message_id($1, $2, $3)`, campaignID, contactID, string(kind)))
}

func (b bench) foundAt(campaignID, contactID uuid.UUID, kind campaign.MessageType, at time.Time) store.Found {
	b.t.Helper()
	return store.Found{
		Reference: b.messageID(campaignID, contactID, kind), ProviderID: "p-" + contactID.String() + string(kind), WAID: "w-" + contactID.String() + string(kind),
		CreatedAt: at, Status: campaign.MessageDelivered,
	}
}

func inboundAt(event, from, body string, at time.Time) store.Inbound {
	return store.Inbound{Key: event, Raw: []byte("{}"), Event: campaign.Event{
		Kind: campaign.EventReply, Name: "message:in:new", Key: event, Phone: from, Interaction: campaign.Text, Body: body, At: at,
	}}
}

func (b bench) settle(evidence store.Evidence) store.Settled {
	b.t.Helper()
	settled, err := b.Settle(b.t.Context(), evidence, true)
	require.NoError(b.t, err)
	return settled
}

func TestWhatLeftAndCameInAfterTheDatabasesMomentIsMadeUpFor(t *testing.T) {
	t.Parallel()
	b := open(t)
	contacts := b.contacts(7)
	id := b.launched(contacts)
	b.admit(id, 1, 3)
	b.restored()
	now := b.now()
	hoursAgo := func(h float64) time.Time {
		return now.Add(-time.Duration(h * float64(time.Hour))).Truncate(time.Millisecond)
	}
	evidence := store.Evidence{
		Messages: []store.Found{
			b.foundAt(id, contacts[0], campaign.Message1, hoursAgo(3)), // answered, and the answer left
			b.foundAt(id, contacts[0], campaign.Message2, hoursAgo(2)),
			b.foundAt(id, contacts[1], campaign.Message1, hoursAgo(3)),  // replied, and is owed the answer
			b.foundAt(id, contacts[2], campaign.Message1, hoursAgo(25)), // has not replied in time
			b.foundAt(id, contacts[3], campaign.Message1, hoursAgo(3)),  // answered, and the reply is not listed
			b.foundAt(id, contacts[3], campaign.Message2, hoursAgo(2)),
			b.foundAt(id, contacts[4], campaign.Message1, hoursAgo(3)), // wants to be left alone
			b.foundAt(id, contacts[5], campaign.Message1, hoursAgo(3)), // waits
		},
		Inbound: []store.Inbound{
			inboundAt("late", phone(2), "Oui", hoursAgo(0.5)),
			inboundAt("stop", phone(4), "STOP", hoursAgo(1)),
			inboundAt("first", phone(0), "Oui", hoursAgo(2.5)),
			inboundAt("owed", phone(1), "Oui", hoursAgo(2.5)),
		},
	}

	tried, err := b.Settle(t.Context(), evidence, false)
	require.NoError(t, err)
	require.Equal(t, campaign.Admitted, b.state(id, contacts[0]), "nothing is kept unless it is asked for")
	settled := b.settle(evidence)
	require.Equal(t, tried, settled)
	require.Equal(t, store.Settled{Message1: 6, Message2: 2, Acknowledged: 8, Replies: 4, Owed: 1}, settled)

	want := []campaign.RecipientState{
		campaign.Message2Sent, campaign.Replied, campaign.LateInteraction, campaign.Message2Sent, campaign.Stopped, campaign.Message1Sent, campaign.Pending,
	}
	for i, state := range want {
		require.Equal(t, state, b.state(id, contacts[i]), "contact %d", i)
	}
	require.WithinDuration(t, hoursAgo(3).Add(24*time.Hour), one[time.Time](b, `SELECT window_ends_at FROM recipients WHERE contact_id = $1`, contacts[5]), 0,
		"the window began when Message 1 left")
	require.WithinDuration(t, hoursAgo(2.5), one[time.Time](b, `SELECT received_at FROM interactions WHERE event_key = 'owed'`), 0)
	usage, err := b.Usage(t.Context())
	require.NoError(t, err)
	require.Equal(t, 7, usage.Sent, "the one of 25 hours ago counts no more")

	again := b.settle(evidence)
	require.True(t, again.Nothing(), "%+v", again)
	b.believed()
	require.Equal(t, store.Recorded, b.claim(key(id, contacts[0], campaign.Message1)).Verdict)
	require.Equal(t, store.Granted, b.claim(key(id, contacts[1], campaign.Message2)).Verdict)
	require.Equal(t, store.Recorded, b.claim(key(id, contacts[4], campaign.Message2)).Verdict)
}

// Whatever was concluded of a message that had left is taken back.
func TestAMessageThatLeftIsNotOneThatWasNeverSent(t *testing.T) {
	t.Parallel()
	b := open(t)
	contacts := b.contacts(3)
	id := b.launched(contacts)
	b.admit(id, 1, 1)
	failed := b.claim(key(id, contacts[0], campaign.Message1))
	_, err := b.SettleRefused(t.Context(), failed.MessageID, failed.Token, store.Refusal{Reason: campaign.ReasonRefused})
	require.NoError(t, err)
	require.NoError(t, b.Cancel(t.Context(), id))
	require.Equal(t, campaign.NotSent, b.state(id, contacts[1]))
	b.restored()

	b.settle(store.Evidence{Messages: []store.Found{
		b.foundAt(id, contacts[0], campaign.Message1, b.now()), b.foundAt(id, contacts[1], campaign.Message1, b.now()),
	}})
	for _, contact := range contacts[:2] {
		require.Equal(t, campaign.Stopped, b.state(id, contact))
		require.Equal(t, campaign.ReasonCancelled, b.reason(id, contact))
	}
	require.Equal(t, campaign.NotSent, b.state(id, contacts[2]))
}

func TestACampaignWhoseMessagesHaveLeftHasBegun(t *testing.T) {
	t.Parallel()
	b := open(t)
	contacts := b.contacts(3)
	draft := store.Campaign{Name: "Draft", Status: campaign.Draft, Message1: "Hello", Message2: "Thanks", ContactIDs: contacts}
	require.NoError(t, b.CreateCampaign(t.Context(), &draft))
	other := store.Campaign{Name: "Other", Status: campaign.Draft, Message1: "Hello", Message2: "Thanks", ContactIDs: contacts}
	require.NoError(t, b.CreateCampaign(t.Context(), &other))
	b.restored()

	left := b.now().Add(-time.Hour)
	settled := b.settle(store.Evidence{Messages: []store.Found{b.foundAt(draft.ID, contacts[1], campaign.Message1, left)}})
	require.Equal(t, []uuid.UUID{draft.ID}, settled.Launched)
	c, err := b.Campaign(t.Context(), draft.ID)
	require.NoError(t, err)
	require.Equal(t, campaign.Running, c.Status)
	require.WithinDuration(t, left.Add(48*time.Hour), *c.DeadlineAt, time.Millisecond)
	require.Equal(t, campaign.Message1Sent, b.state(draft.ID, contacts[1]))
	require.Equal(t, campaign.Pending, b.state(draft.ID, contacts[0]))
	require.Equal(t, "draft", one[string](b, `SELECT status FROM campaigns WHERE id = $1`, other.ID))
}

func TestWhatBelongsToNoCampaignCountsAgainstTheQuotaOnce(t *testing.T) {
	t.Parallel()
	b := open(t)
	b.restored()
	evidence := store.Evidence{Messages: []store.Found{
		{Reference: uuid.New(), CreatedAt: b.now().Add(-time.Hour), Status: campaign.MessageSent},
		{Reference: uuid.New(), CreatedAt: b.now().Add(-25 * time.Hour), Status: campaign.MessageSent},
	}}
	require.Equal(t, 1, b.settle(evidence).Strangers)
	require.Zero(t, b.settle(evidence).Strangers)
	usage, err := b.Usage(t.Context())
	require.NoError(t, err)
	require.Equal(t, 1, usage.Sent)
}

// The provider tells when a message was written, Relance judges by when it was
// taken in: what is known is not judged anew.
func TestAReplyThatIsKnownKeepsTheMomentItWasTakenInAt(t *testing.T) {
	t.Parallel()
	b := open(t)
	id, contacts := b.messaged(1)
	b.ahead(24*time.Hour + time.Minute)
	_, err := b.CloseWindow(t.Context(), id, contacts[0])
	require.NoError(t, err)
	b.reply(0, "a")
	require.Equal(t, campaign.LateInteraction, b.state(id, contacts[0]))
	b.restored()

	settled := b.settle(store.Evidence{Inbound: []store.Inbound{inboundAt("a", phone(0), "Oui", b.now().Add(-2*time.Minute))}})
	require.Zero(t, settled.Replies)
	require.Equal(t, campaign.LateInteraction, b.state(id, contacts[0]))
}

// Should the provider's list have lacked it, its acknowledgement still tells.
func TestAnAcknowledgementProvesThatAMessageLeftWhichTheDatabaseDidNotSend(t *testing.T) {
	t.Parallel()
	b := open(t)
	contacts := b.contacts(1)
	id := b.launched(contacts)
	message := b.messageID(id, contacts[0], campaign.Message1)

	b.ack(campaign.MessageDelivered, b.now(), campaign.Event{Key: "d", Reference: message.String()})
	require.Equal(t, campaign.Message1Sent, b.state(id, contacts[0]))
	require.Equal(t, campaign.MessageDelivered, b.status(message))
	require.Empty(t, b.admit(id, 1, 1))
}

func TestARestoredDatabaseShowsAsAHaltedDeviceAndWakesNobody(t *testing.T) {
	t.Parallel()
	b := open(t)
	b.messaged(2)
	b.reply(0, "a")
	b.ahead(25 * time.Hour)
	b.restored()
	device, err := b.Monitor(t.Context())
	require.NoError(t, err)
	require.NotNil(t, device.HaltedAt)
	require.Equal(t, store.ErrRestored.Error(), device.HaltReason)
	owed, err := b.UnansweredReplies(t.Context(), time.Second, 10)
	require.NoError(t, err)
	overdue, err := b.Overdue(t.Context(), time.Second, 10)
	require.NoError(t, err)
	require.Empty(t, append(owed, overdue...))

	b.believed()
	device, err = b.Monitor(t.Context())
	require.NoError(t, err)
	require.Nil(t, device.HaltedAt)
	owed, err = b.UnansweredReplies(t.Context(), time.Second, 10)
	require.NoError(t, err)
	overdue, err = b.Overdue(t.Context(), time.Second, 10)
	require.NoError(t, err)
	require.Len(t, append(owed, overdue...), 2)
}

// The provider still has what people wrote who have been erased since.
func TestWhatTheErasedWroteIsNotTakenInAgainExceptAWishToBeLeftAlone(t *testing.T) {
	t.Parallel()
	b := open(t)
	ada, _, _ := b.everywhere()
	_, _, err := b.SetOptedOut(t.Context(), ada, false)
	require.NoError(t, err)
	b.erase(store.Person{ContactID: ada})
	b.searched()
	stop := inboundAt("stop|"+phone(0), phone(0), "STOP", b.now())
	stop.Raw = []byte(`{"fromNumber":"+33639980000","body":"STOP"}`)
	answer := inboundAt("in|"+phone(0), phone(0), "my secret answer", b.now().Add(-time.Minute))
	answer.Raw = []byte(`{"fromNumber":"+33639980000","body":"my secret answer"}`)
	require.Zero(t, b.settle(store.Evidence{Inbound: []store.Inbound{answer, stop}}).Replies)
	require.Empty(t, b.columnsHolding(adas...))
	back, err := b.CreateContact(t.Context(), store.ContactData{Phone: phone(0)})
	require.NoError(t, err)
	require.NotNil(t, back.OptedOutAt)
}
