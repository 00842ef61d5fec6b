package reconcile_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"sync/atomic"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/relance/relance/campaign"
	"github.com/relance/relance/workflows"
)

func TestWhatIsListedTwiceLeftOnce(t *testing.T) {
	t.Parallel()
	b := open(t)
	contacts := b.contacts(5)
	id := b.launched(contacts)
	b.restored()
	for i, contact := range contacts {
		b.left(id, contact, campaign.Message1)
		b.wrote(phone(i), "Oui")
	}
	// Pages of three that overlap by one, and every message twice: as records of their own too.
	b.pages = func(list string, page int, all []json.RawMessage) ([]json.RawMessage, int) {
		if list == sentList {
			for _, raw := range all {
				all = append(all, bytes.Replace(raw, []byte(`"id":"`), []byte(`"id":"copy-`), 1))
			}
		}
		return part(all, 2*page, 3), 0
	}

	report := b.run()

	require.Equal(t, 5, report.Provider.Message1)
	require.Equal(t, 5, report.Provider.Replies)
	require.Equal(t, 5, report.Provider.Owed)
	require.Zero(t, report.Provider.Strangers)
	require.Equal(t, 5, report.Provider.Inbound)
	require.Equal(t, 10, report.Provider.Listed)
	require.Equal(t, 5, b.usage().Sent)
	require.Equal(t, 5, one[int](b, `SELECT count(*) FROM interactions`))
	require.True(t, b.run().Provider.Nothing())
}

func TestOnlyMessagesOfThisDeviceWithAReferenceOfOursCount(t *testing.T) {
	t.Parallel()
	b := open(t)
	contacts := b.contacts(2)
	id := b.launched(contacts)
	b.restored()
	test, others := uuid.NewString(), uuid.NewString()
	b.sent(phone(5), "invoice-2026-17") // by another program
	b.sent(phone(6), test)
	b.sent(phone(7), others)
	b.left(id, contacts[0], campaign.Message1)
	b.pages = func(_ string, page int, all []json.RawMessage) ([]json.RawMessage, int) {
		for i, raw := range all {
			if bytes.Contains(raw, []byte(others)) {
				all[i] = bytes.ReplaceAll(raw, []byte(device), []byte("ffffffffffffffffffffffff"))
			}
		}
		return part(all, 100*page, 100), 0
	}

	report := b.run()

	require.Equal(t, 2, report.Provider.Listed)
	require.Equal(t, 1, report.Provider.Message1)
	require.Equal(t, 1, report.Provider.Strangers)
	require.Equal(t, 2, b.usage().Sent, "one of the campaign and one that belongs to none")
	b.requireStates(id, contacts, campaign.Message1Sent, campaign.Admitted)
}

// What has just left may be missing in the first list.
func TestWhatIsListedOnlyWhenLookingAgainIsSettledTooAndNothingIsSentBefore(t *testing.T) {
	t.Parallel()
	b := open(t)
	contacts := b.contacts(2)
	id := b.launched(contacts)
	b.restored()
	b.left(id, contacts[0], campaign.Message1)
	b.left(id, contacts[1], campaign.Message1) // the newest
	var looks atomic.Int32
	b.pages = func(list string, page int, all []json.RawMessage) ([]json.RawMessage, int) {
		if list == sentList && page == 0 && looks.Add(1) == 1 {
			all = all[1:]
		}
		return part(all, 100*page, 100), 0
	}

	report := b.run()

	require.EqualValues(t, 2, looks.Load())
	require.Equal(t, 2, report.Provider.Message1)
	b.requireStates(id, contacts, campaign.Message1Sent, campaign.Message1Sent)
}

func TestAListThatBreaksOffProvesNothing(t *testing.T) {
	for _, broken := range []string{sentList, inboundList} {
		t.Run(broken, func(t *testing.T) {
			t.Parallel()
			b := open(t)
			contacts := b.contacts(4)
			id := b.launched(contacts)
			b.restored()
			for i, contact := range contacts {
				b.left(id, contact, campaign.Message1)
				b.wrote(phone(i), "Oui")
			}
			b.pages = func(list string, page int, all []json.RawMessage) ([]json.RawMessage, int) {
				if list == broken && page == 1 {
					return nil, http.StatusServiceUnavailable
				}
				return part(all, 2*page, 2), 0
			}

			report, err := b.reconciler().Run(t.Context())

			require.ErrorContains(t, err, "listing the messages that")
			require.Len(t, report.Remains, 1)
			require.Nil(t, report.Temporal, "Temporal is left alone while it is not known what it should run")
			require.True(t, b.isRestored(), "nothing is sent")
			b.requireStates(id, contacts, campaign.Admitted, campaign.Admitted, campaign.Admitted, campaign.Admitted)
			require.Empty(t, b.running())

			b.pages = nil
			require.Equal(t, 4, b.run().Provider.Owed)
			require.False(t, b.isRestored())
		})
	}
}

func TestAnApplyThatWasInterruptedIsGoneOnWithAndCountsNothingTwice(t *testing.T) {
	t.Parallel()
	b := open(t)
	contacts := b.contacts(2)
	id := b.launched(contacts)
	b.restored()
	b.left(id, contacts[0], campaign.Message1)
	b.wrote(phone(0), "Oui")
	var looks atomic.Int32
	b.pages = func(list string, page int, all []json.RawMessage) ([]json.RawMessage, int) {
		if list == sentList && page == 0 && looks.Add(1) == 2 {
			return nil, http.StatusServiceUnavailable // it has settled what it found, and looks again
		}
		return part(all, 100*page, 100), 0
	}
	report, err := b.reconciler().Run(t.Context())
	require.Error(t, err)
	require.Equal(t, 1, report.Provider.Message1)
	require.True(t, b.isRestored(), "nothing is sent until it has come to its end")
	b.requireStates(id, contacts, campaign.Replied, campaign.Admitted)
	b.left(id, contacts[1], campaign.Message1) // on its way when it was interrupted

	report = b.run()

	require.Equal(t, 1, report.Provider.Message1)
	require.Zero(t, report.Provider.Replies)
	require.Equal(t, 1, report.Provider.Owed)
	require.Equal(t, 2, b.usage().Sent)
	require.Equal(t, 1, one[int](b, `SELECT count(*) FROM interactions`))
	require.False(t, b.isRestored())
	b.requireRunning(workflows.CampaignID(id), workflows.ContactID(id, contacts[0]), workflows.ContactID(id, contacts[1]))
}

func TestLookingChangesNothingAnywhere(t *testing.T) {
	t.Parallel()
	b := open(t)
	contacts := b.contacts(1)
	id := b.launched(contacts)
	b.restored()
	b.left(id, contacts[0], campaign.Message1)
	b.wrote(phone(0), "Oui")
	look := b.reconciler()
	look.Apply = false

	report, err := look.Run(t.Context())

	require.NoError(t, err)
	require.Equal(t, 1, report.Provider.Message1)
	require.Equal(t, 1, report.Provider.Owed)
	require.Equal(t, 1, report.Temporal.Campaigns)
	require.Len(t, report.Remains, 2)
	require.True(t, b.isRestored())
	b.requireStates(id, contacts, campaign.Admitted)
	require.Zero(t, one[int](b, `SELECT count(*) FROM interactions`))
	require.Empty(t, b.running())
}
