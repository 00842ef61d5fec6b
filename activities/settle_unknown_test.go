package activities_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/relance/relance/campaign"
	"github.com/relance/relance/wassenger/simulator"
)

// ahead sets the database's clock ahead of the real one.
func (s sender) ahead(interval string) {
	s.t.Helper()
	_, err := s.store.Pool().Exec(`CREATE OR REPLACE FUNCTION relance_now() RETURNS timestamptz LANGUAGE sql VOLATILE AS
		$$ SELECT clock_timestamp() + interval '` + interval + `' $$`)
	require.NoError(s.t, err)
}

func (s sender) state() (state campaign.RecipientState) {
	s.t.Helper()
	require.NoError(s.t, s.store.Pool().QueryRow(`SELECT state FROM recipients`).Scan(&state))
	return state
}

// The provider accepts a message, does not say so, and cannot be asked before the
// window has passed.
func TestMessageOfUnknownOutcomeIsAdoptedOnceTheProviderCanBeAsked(t *testing.T) {
	s := newSender(t)
	require.NoError(t, s.simulator.FailNext(simulator.ErrorAfterAccept, 1))
	worker := s.worker(nil)
	_, err := worker.SendMessage(t.Context(), s.in)
	require.Error(t, err)
	require.NoError(t, s.simulator.SetFaults(simulator.Faults{LookUpFailure: 1}))
	s.ahead("25 hours")
	require.Equal(t, campaign.Failed, s.untilDone(s.worker(nil)).State)

	require.Error(t, s.worker(nil).SettleUnknown(t.Context()), "it still cannot be asked")
	require.Equal(t, campaign.Failed, s.state())
	require.NoError(t, s.simulator.SetFaults(simulator.Faults{}))
	require.NoError(t, s.worker(nil).SettleUnknown(t.Context()))
	require.Equal(t, campaign.Failed, s.state(), "it is asked once an hour")
	s.ahead("27 hours")
	require.NoError(t, s.worker(nil).SettleUnknown(t.Context()))

	require.Equal(t, campaign.NoInteraction, s.state())
	require.Len(t, s.simulator.Ledger().Messages, 1)
}
