package activities_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/relance/relance/campaign"
	"github.com/relance/relance/store"
	"github.com/relance/relance/wassenger"
)

// A process that dies loses its connection, and with it what it had not committed.
func TestClaimThatIsNotCommittedSendsNothingAndTheNextAttemptSendsOnce(t *testing.T) {
	s := newSender(t)
	holder, err := s.store.Pool().BeginTx(t.Context(), nil)
	require.NoError(t, err)
	_, err = holder.Exec(`SELECT FROM devices FOR UPDATE`)
	require.NoError(t, err)
	died := make(chan error, 1)
	go func() {
		_, err := s.worker(nil).SendMessage(t.Context(), s.in)
		died <- err
	}()
	require.Eventually(t, func() bool {
		var killed int
		err := s.store.Pool().QueryRow(`SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
			WHERE datname = current_database() AND wait_event_type = 'Lock'`).Scan(&killed)
		return err == nil && killed == 1
	}, 30*time.Second, 5*time.Millisecond, "it waits for the device")
	require.Error(t, <-died)
	require.NoError(t, holder.Rollback())

	require.Empty(t, s.simulator.Ledger().Messages)
	var status string
	var attempts int
	require.NoError(t, s.store.Pool().QueryRow(`SELECT status, attempts FROM messages`).Scan(&status, &attempts))
	require.Equal(t, "pending", status)
	require.Zero(t, attempts)
	require.Equal(t, campaign.Message1Sent, s.untilDone(s.worker(nil)).State)
	require.Len(t, s.simulator.Ledger().Messages, 1)
}

// Whoever claimed a message, alone or together with others, is gone for good: what is
// left of it is the row, and what the provider knows.
func TestWhatADeadProcessClaimedLeavesOnce(t *testing.T) {
	for moment, called := range map[string]bool{"between claim and call": false, "between call and settling": true} {
		t.Run(moment, func(t *testing.T) {
			s := newSender(t)
			claim, err := s.store.Claim(t.Context(), store.MessageKey{CampaignID: s.in.CampaignID, ContactID: s.in.ContactID, Type: s.in.Type})
			require.NoError(t, err)
			require.Equal(t, store.Granted, claim.Verdict)
			next := s.worker(nil)
			if called {
				_, err := next.Provider.Send(t.Context(), wassenger.Outgoing{
					DeviceID: claim.DeviceID, Phone: claim.Phone, Text: claim.Text, Reference: claim.MessageID.String(),
				})
				require.NoError(t, err)
			}

			require.Equal(t, campaign.Message1Sent, s.untilDone(next).State)

			require.Len(t, s.simulator.Ledger().Messages, 1)
			var attempts int
			require.NoError(t, s.store.Pool().QueryRow(`SELECT attempts FROM messages`).Scan(&attempts))
			require.Equal(t, map[bool]int{false: 2, true: 1}[called], attempts, "it is sent again only where it had not left")
		})
	}
}
