package intake_test

import (
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/relance/relance/campaign"
	"github.com/relance/relance/intake"
	"github.com/relance/relance/store"
)

// leaving claims Message 1 of a further campaign to a contact; nobody knows yet
// whether it leaves.
func leaving(t *testing.T, s *store.Store, contact uuid.UUID) store.Claim {
	t.Helper()
	now := time.Now()
	c := store.Campaign{Name: "Another", Status: campaign.Scheduled, ScheduledAt: &now, Message1: "a", Message2: "b", ContactIDs: store.UUIDs{contact}}
	require.NoError(t, s.CreateCampaign(t.Context(), &c))
	_, err := s.FreezeAudience(t.Context(), c.ID)
	require.NoError(t, err)
	_, err = s.Admit(t.Context(), c.ID, 1, 1, 10)
	require.NoError(t, err)
	claim, err := s.Claim(t.Context(), store.MessageKey{CampaignID: c.ID, ContactID: contact, Type: campaign.Message1})
	require.NoError(t, err)
	return claim
}

func TestReplyThatMayAnswerAMessageInDoubtWaitsUntilItsOutcomeIsKnown(t *testing.T) {
	in, b, contact := listening(t)
	_, err := in.Receive(t.Context(), reply("A1"))
	require.NoError(t, err)
	claim := leaving(t, in.Store, contact)
	unprocessed := `SELECT count(*) FROM webhook_events WHERE processed_at IS NULL`

	status, err := in.Receive(t.Context(), reply("A2"))
	require.NoError(t, err)
	require.Equal(t, intake.StatusOK, status, "it is kept")
	require.Len(t, b.rung, 1)
	require.NoError(t, in.Process(t.Context(), dueNow(t, in)[0]))
	require.Equal(t, 1, count(t, in, unprocessed), "and waits for as long as it takes")

	_, err = in.Store.SettleSent(t.Context(), store.Acceptance{MessageID: claim.MessageID})
	require.NoError(t, err)
	require.NoError(t, in.Process(t.Context(), dueNow(t, in)[0]))
	require.Len(t, b.rung, 2)
	require.Zero(t, count(t, in, unprocessed))
	require.Equal(t, 2, count(t, in, `SELECT count(*) FROM recipients WHERE state = 'replied'`))
}
