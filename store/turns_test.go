package store_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/relance/relance/campaign"
)

// inTurn has several wait for the recipients' locks at once, in this order, and
// then lets them go on: the meetings that a race only hopes for.
func (b bench) inTurn(these ...func()) {
	b.t.Helper()
	busy, err := b.Pool().Begin()
	require.NoError(b.t, err)
	defer func() { _ = busy.Rollback() }()
	_, err = busy.Exec(`SELECT FROM recipients FOR UPDATE`)
	require.NoError(b.t, err)
	var all sync.WaitGroup
	for i, do := range these {
		all.Go(do)
		require.Eventually(b.t, func() bool {
			return one[int](b, `SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`) == i+1
		}, time.Minute, time.Millisecond)
	}
	require.NoError(b.t, busy.Rollback())
	all.Wait()
}

// clockStands stops the database's clock.
func (b bench) clockStands(at time.Time) {
	b.t.Helper()
	b.exec(fmt.Sprintf(`CREATE OR REPLACE FUNCTION relance_now() RETURNS timestamptz LANGUAGE sql VOLATILE AS
		$$ SELECT timestamptz '%s' $$`, at.UTC().Format(time.RFC3339Nano)))
}

func TestProperty6_WindowThatEndsWhileAReplyIsAppliedFindsTheReply(t *testing.T) {
	b := open(t)
	id, contacts := b.messaged(1)
	takenIn := b.now()
	b.ahead(25 * time.Hour)
	reply := func() {
		_, err := b.Apply(t.Context(), campaign.Event{Kind: campaign.EventReply, Key: "in time", Phone: phone(0), Interaction: campaign.Text}, takenIn)
		require.NoError(t, err)
	}
	end := func() {
		progress, err := b.CloseWindow(t.Context(), id, contacts[0])
		require.NoError(t, err)
		require.Equal(t, campaign.Replied, progress.State)
	}

	b.inTurn(reply, end)

	require.Equal(t, campaign.Replied, b.state(id, contacts[0]))
	require.Equal(t, 1, one[int](b, `SELECT count(*) FROM messages WHERE message_type = 'message_2'`))
}

func TestProperty6_WindowIsClosedWhenItEndsAndNotAMicrosecondBefore(t *testing.T) {
	b := open(t)
	id, contacts := b.messaged(1)
	end := one[time.Time](b, `SELECT sent_at FROM messages`).Add(24 * time.Hour)
	for at, want := range map[time.Time]campaign.RecipientState{
		end.Add(-time.Microsecond): campaign.Message1Sent, end: campaign.NoInteraction,
	} {
		b.exec(`UPDATE recipients SET state = 'message_1_sent', finished_at = NULL`)
		b.clockStands(at)
		_, err := b.CloseWindow(t.Context(), id, contacts[0])
		require.NoError(t, err)
		require.Equal(t, want, b.state(id, contacts[0]))
	}
}
