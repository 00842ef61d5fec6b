package store_test

import (
	"context"
	"database/sql"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/relance/relance/campaign"
	"github.com/relance/relance/devstack/testenv"
	"github.com/relance/relance/migrations"
	"github.com/relance/relance/store"
)

// miscounted lists the numbers that are not what counting the rows says. Every
// test of this package ends with it.
const miscounted = `
	WITH counted AS (
	    SELECT campaign_id, 'state.' || state AS what, count(*) AS n FROM recipients GROUP BY 1, 2
	    UNION ALL SELECT campaign_id, 'replied', count(replied_at) FROM recipients GROUP BY 1
	    UNION ALL SELECT campaign_id, message_type || '.sent', count(sent_at) FROM messages GROUP BY campaign_id, message_type
	    UNION ALL SELECT campaign_id, message_type || '.delivered', count(delivered_at) FROM messages GROUP BY campaign_id, message_type
	    UNION ALL SELECT campaign_id, message_type || '.read', count(read_at) FROM messages GROUP BY campaign_id, message_type
	    UNION ALL SELECT campaign_id, message_type || '.failed', count(*) FILTER (WHERE status = 'failed') FROM messages GROUP BY campaign_id, message_type
	    UNION ALL SELECT campaign_id, message_type || '.unknown', count(*) FILTER (WHERE status = 'unknown') FROM messages GROUP BY campaign_id, message_type
	    UNION ALL SELECT campaign_id, 'interactions', count(*) FROM interactions GROUP BY 1),
	told AS (
	    SELECT campaign_id, what, sum(n) AS n
	    FROM (SELECT campaign_id, what, n FROM campaign_stats UNION ALL SELECT campaign_id, what, n FROM stat_changes) s GROUP BY 1, 2)
	SELECT coalesce(string_agg(format('%s: %s, counted %s', what, coalesce(t.n, 0), coalesce(c.n, 0)), '; '), '')
	FROM counted c FULL JOIN told t USING (campaign_id, what) WHERE coalesce(t.n, 0) <> coalesce(c.n, 0)`

func (b bench) requireExactStats() {
	b.t.Helper()
	var wrong string
	require.NoError(b.t, b.Pool().QueryRowContext(context.Background(), miscounted).Scan(&wrong))
	require.Empty(b.t, wrong, "the statistics are not what counting says")
}

func TestStatsStayTheSameWhenTheyAreFolded(t *testing.T) {
	b := open(t)
	id, contacts := b.messaged(3)
	b.reply(0, "first")
	b.send(key(id, contacts[0], campaign.Message2))
	before, err := b.CampaignStats(t.Context(), id)
	require.NoError(t, err)
	require.Equal(t, store.Stats{
		TotalContacts: 3, Messages: store.MessageCounts{Sent: 4}, Interactions: 1, Replied: 1,
		ByType: map[campaign.MessageType]store.MessageCounts{campaign.Message1: {Sent: 3}, campaign.Message2: {Sent: 1}},
		States: map[campaign.RecipientState]int64{
			campaign.Message2Sent: 1, campaign.Message1Sent: 2,
		},
	}, before)
	days, err := b.LastDays(t.Context(), 7)
	require.NoError(t, err)
	require.Len(t, days, 7)
	require.Equal(t, []int64{3, 1, 1, 1}, []int64{days[6].Message1, days[6].Message2, days[6].Interactions, days[6].Replied})

	for range 2 {
		require.NoError(t, b.FoldStats(t.Context()))
		after, err := b.CampaignStats(t.Context(), id)
		require.NoError(t, err)
		require.Equal(t, before, after)
		all, err := b.AllStats(t.Context())
		require.NoError(t, err)
		require.Equal(t, before, all)
		again, err := b.LastDays(t.Context(), 7)
		require.NoError(t, err)
		require.Equal(t, days, again)
		require.Zero(t, one[int](b, `SELECT count(*) FROM stat_changes`))
	}
	live, err := b.LiveCampaigns(t.Context(), 10)
	require.NoError(t, err)
	require.Len(t, live, 1)
	require.Equal(t, before, live[0].Stats)
}

func TestWhatHappensAfterAFoldCountsFromThere(t *testing.T) {
	b := open(t)
	id, contacts := b.messaged(2)
	require.NoError(t, b.FoldStats(t.Context()))
	b.reply(0, "first")
	require.NoError(t, b.FoldStats(t.Context()))
	b.send(key(id, contacts[0], campaign.Message2))
	stats, err := b.CampaignStats(t.Context(), id)
	require.NoError(t, err)
	require.EqualValues(t, 3, stats.Messages.Sent)
	require.EqualValues(t, 1, stats.States[campaign.Message2Sent])
	require.Zero(t, stats.States[campaign.Replied])
}

func TestDaysCountWhatBecameOfMessagesFoldedOrNot(t *testing.T) {
	b := open(t)
	id, contacts := b.messaged(6)
	for i, contact := range contacts[:5] {
		message := campaign.Event{Reference: one[uuid.UUID](b, `SELECT id::text FROM messages WHERE contact_id = $1`, contact).String()}
		b.ack([]campaign.MessageStatus{"delivered", "delivered", "read", "failed", "read"}[i], time.Now(), message)
	}
	require.NoError(t, b.FoldStats(t.Context()))
	for i, contact := range contacts[:2] {
		b.reply(i, contact.String())
		b.reply(i, "another of "+contact.String())
		answer := b.send(key(id, contact, campaign.Message2))
		b.ack(campaign.MessageRead, time.Now(), campaign.Event{Reference: answer.MessageID.String()})
	}
	b.ack(campaign.MessageFailed, time.Now(), campaign.Event{Reference: one[uuid.UUID](b, `SELECT id::text FROM messages WHERE contact_id = $1`, contacts[5]).String()})
	for range 2 { // half of it folded, then all
		days, err := b.LastDays(t.Context(), 1)
		require.NoError(t, err)
		require.Len(t, days, 1)
		days[0].Day = time.Time{}
		require.Equal(t, store.Day{Message1: 6, Message2: 2, Delivered: 6, Read: 4, Failed: 2, Interactions: 4, Replied: 2}, days[0])
		require.NoError(t, b.FoldStats(t.Context()))
	}
}

func TestDaysAreThoseOfTheMessages(t *testing.T) {
	b := open(t)
	b.messaged(2)
	b.ahead(3 * 24 * time.Hour)
	days, err := b.LastDays(t.Context(), 7)
	require.NoError(t, err)
	require.EqualValues(t, 2, days[3].Message1)
	require.Zero(t, days[6].Message1)
	b.ahead(8 * 24 * time.Hour)
	m, err := b.Monitor(t.Context())
	require.NoError(t, err)
	_, known := m.ReplyRate()
	require.False(t, known, "nobody was messaged within seven days")
}

func TestACampaignFromBeforeTheStatisticsIsCounted(t *testing.T) {
	const before = 3 // the schema without statistics
	url := testenv.Database(t, func(ctx context.Context, url string) error { return migrations.UpAtTo(ctx, url, before) })
	db, err := sql.Open("pgx", url)
	require.NoError(t, err)
	defer func() { require.NoError(t, db.Close()) }()
	_, err = db.Exec(`
		INSERT INTO devices (id) VALUES ('d');
		INSERT INTO campaigns (id, name, status, device_id, message_1, message_2, started_at, deadline_at, total_contacts)
		VALUES ('01a20523-5d05-7e21-ba5c-858b689f44f7', 'Old', 'running', 'd', 'a', 'b', now(), now(), 2);
		INSERT INTO recipients (campaign_id, contact_id, device_id, position, phone, state, wave, message_1_sent_at, window_ends_at, replied_at)
		SELECT '01a20523-5d05-7e21-ba5c-858b689f44f7', gen_random_uuid(), 'd', n, '+3363998000' || n, 'replied', 1, now(), now() + interval '1 day', now()
		FROM generate_series(1, 2) n;
		INSERT INTO messages (id, campaign_id, contact_id, device_id, message_type, status, counted_at, sent_at, delivered_at)
		SELECT gen_random_uuid(), campaign_id, contact_id, device_id, 'message_1', 'delivered', now(), now(), now() FROM recipients;
		INSERT INTO interactions (id, campaign_id, contact_id, interaction_type, received_at, within_24h, event_key)
		SELECT gen_random_uuid(), campaign_id, contact_id, 'text', now(), true, contact_id::text FROM recipients`)
	require.NoError(t, err)

	require.NoError(t, migrations.UpAt(t.Context(), url))

	b := connect(t, url, campaign.DefaultRules())
	all, err := b.AllStats(t.Context())
	require.NoError(t, err)
	require.Equal(t, []int64{2, 2, 2, 2, 2}, []int64{all.TotalContacts, all.Messages.Sent, all.Messages.Delivered, all.Replied, all.Interactions})
	b.requireExactStats()
}
