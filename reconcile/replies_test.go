package reconcile_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/relance/relance/campaign"
	"github.com/relance/relance/store"
	"github.com/relance/relance/workflows"
)

func TestALostReplyAnswersTheCampaignThatHadWrittenWhenItCame(t *testing.T) {
	t.Parallel()
	b := open(t)
	contacts := b.contacts(2)
	first, second := b.launched(contacts), b.launched(contacts)
	b.restored()
	b.left(first, contacts[0], campaign.Message1)
	b.wrote(phone(0), "Oui")
	b.left(first, contacts[0], campaign.Message2)
	b.left(second, contacts[0], campaign.Message1)
	b.left(first, contacts[1], campaign.Message1)
	b.left(second, contacts[1], campaign.Message1)
	b.wrote(phone(1), "Volontiers") // to the newer one

	report := b.run()

	require.Equal(t, 4, report.Provider.Message1)
	require.Equal(t, 1, report.Provider.Message2)
	require.Equal(t, 2, report.Provider.Replies)
	require.Equal(t, 1, report.Provider.Owed)
	require.Equal(t, 5, b.usage().Sent)
	b.requireStates(first, contacts, campaign.Message2Sent, campaign.Message1Sent)
	b.requireStates(second, contacts, campaign.Message1Sent, campaign.Replied)
	b.requireRunning(workflows.CampaignID(first), workflows.CampaignID(second), workflows.ContactID(first, contacts[1]),
		workflows.ContactID(second, contacts[0]), workflows.ContactID(second, contacts[1]))
}

func TestAWishToBeLeftAloneAmongLostRepliesHoldsInEveryCampaign(t *testing.T) {
	t.Parallel()
	b := open(t)
	contacts := b.contacts(2)
	wrote, waits := b.launched(contacts), b.launched(contacts)
	stranger := phone(7)
	b.restored()
	b.left(wrote, contacts[0], campaign.Message1)
	b.wrote(phone(0), "Oui")
	b.wrote(phone(0), "STOP") // before the answer that the first one earned
	b.wrote(stranger, "Arrêtez")

	report := b.run()

	require.Equal(t, 3, report.Provider.Replies)
	require.Zero(t, report.Provider.Owed)
	b.requireStates(wrote, contacts, campaign.Stopped, campaign.Admitted)
	b.requireStates(waits, contacts, campaign.NotSent, campaign.Admitted)
	require.True(t, one[bool](b, `SELECT opted_out_at IS NOT NULL FROM contacts WHERE id = $1`, contacts[0]))
	require.Equal(t, 1, one[int](b, `SELECT count(*) FROM opt_outs WHERE phone = $1`, stranger))
	claim, err := b.store.Claim(t.Context(), store.MessageKey{CampaignID: wrote, ContactID: contacts[0], Type: campaign.Message2})
	require.NoError(t, err)
	require.NotEqual(t, store.Granted, claim.Verdict)
	b.requireRunning(workflows.CampaignID(wrote), workflows.CampaignID(waits), workflows.ContactID(wrote, contacts[1]), workflows.ContactID(waits, contacts[1]))
}

// The provider lists the newest first.
func TestTheLastOfSeveralLostWishesHolds(t *testing.T) {
	t.Parallel()
	b := open(t)
	contacts := b.contacts(2)
	id := b.launched(contacts)
	b.restored()
	b.left(id, contacts[0], campaign.Message1)
	b.left(id, contacts[1], campaign.Message1)
	b.wrote(phone(0), "STOP")
	b.wrote(phone(0), "START")
	b.wrote(phone(1), "START")
	b.wrote(phone(1), "STOP")

	b.run()

	require.True(t, one[bool](b, `SELECT opted_out_at IS NULL FROM contacts WHERE id = $1`, contacts[0]))
	require.True(t, one[bool](b, `SELECT opted_out_at IS NOT NULL FROM contacts WHERE id = $1`, contacts[1]))
}

func TestALostReplyThatCameAfterTheWindowIsLateAndOwedNothing(t *testing.T) {
	t.Parallel()
	const window = 50 * time.Millisecond
	b := open(t, func(r *campaign.Rules) { r.ReplyWindow = window })
	contacts := b.contacts(1)
	id := b.launched(contacts)
	b.restored()
	b.left(id, contacts[0], campaign.Message1)
	left := time.Now()
	require.Eventually(t, func() bool { return time.Since(left) > window }, patience, time.Millisecond)
	b.wrote(phone(0), "Oui")

	report := b.run()

	require.Equal(t, 1, report.Provider.Replies)
	require.Zero(t, report.Provider.Owed)
	b.requireStates(id, contacts, campaign.LateInteraction)
	b.requireRunning(workflows.CampaignID(id))
}

// Nothing that the erased wrote is stored, so it is met again each time.
func TestWhatTheErasedWroteIsNotTakenInAgain(t *testing.T) {
	t.Parallel()
	b := open(t)
	contacts := b.contacts(2)
	id := b.launched(contacts)
	for _, contact := range contacts {
		b.left(id, contact, campaign.Message1)
	}
	b.wrote(phone(0), "Camille Durand, 3 rue des Lilas")
	b.wrote(phone(1), "Oui")
	require.Equal(t, 2, b.run().Provider.Replies)
	_, _, err := b.store.Erase(t.Context(), store.Person{ContactID: contacts[0]})
	require.NoError(t, err)
	_, err = b.store.Pool().Exec(`UPDATE erasures SET due_at = relance_now()`)
	require.NoError(t, err)
	_, err = b.store.FinishErasures(t.Context())
	require.NoError(t, err)
	stored := func() int { return one[int](b, `SELECT count(*) FROM webhook_events`) }
	require.Equal(t, 1, stored())

	require.True(t, b.run().Provider.Nothing())
	require.Equal(t, 1, stored(), "of the erased nothing is stored again")

	b.wrote(phone(0), "STOP")
	require.True(t, b.run().Provider.Nothing())
	require.Equal(t, 1, stored())
	require.Zero(t, one[int](b, `SELECT count(*) FROM opt_outs`), "the number is not stored")
	again, err := b.store.CreateContact(t.Context(), store.ContactData{Phone: phone(0), Attributes: store.Attributes{}})
	require.NoError(t, err)
	require.NotNil(t, again.OptedOutAt, "and the wish is")
}

func TestWithoutRepliesThoseWhoWroteAreOwedNothingUntilTheyAreAskedFor(t *testing.T) {
	t.Parallel()
	b := open(t)
	contacts := b.contacts(1)
	id := b.launched(contacts)
	b.restored()
	b.left(id, contacts[0], campaign.Message1)
	b.wrote(phone(0), "Oui")
	without := b.reconciler()
	without.WithoutReplies = true

	report, err := without.Run(t.Context())
	require.NoError(t, err)
	require.True(t, report.Provider.WithoutReplies)
	require.Zero(t, report.Provider.Inbound)
	require.False(t, b.isRestored(), "sending goes on")
	b.requireStates(id, contacts, campaign.Message1Sent)

	require.Equal(t, 1, b.run().Provider.Owed)
	b.requireStates(id, contacts, campaign.Replied)
}
