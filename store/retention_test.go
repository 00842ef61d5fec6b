package store_test

import (
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/relance/relance/campaign"
	"github.com/relance/relance/store"
)

var month = store.Retention{Texts: 60 * 24 * time.Hour, Events: 30 * 24 * time.Hour}

// keeping is the same database under a retention.
func (b bench) keeping(retention store.Retention) bench {
	b.t.Helper()
	s, err := store.Open(b.t.Context(), b.url, store.Options{DeviceID: device, Rules: campaign.DefaultRules(), Retention: retention})
	require.NoError(b.t, err)
	b.t.Cleanup(func() { require.NoError(b.t, s.Close()) })
	b.Store = s
	return b
}

func TestNothingInAnyColumnTellsWhatWasWrittenOnceItsRetentionHasPassed(t *testing.T) {
	b := open(t).keeping(month)
	_, contacts := b.answeredCampaign(3)
	b.closeAll()
	texts, replies := []string{"Hello {{name", "Thank you {{name", "Contact 2"}, []string{"what was answered"}
	b.exec(`UPDATE contacts SET name = ''`) // which stay, and are not what this is about
	require.Equal(t, []string{"campaigns.message_1", "campaigns.message_2", "recipients.variables"}, b.columnsHolding(texts...))
	require.Equal(t, []string{"webhook_events.raw"}, b.columnsHolding(replies...))
	before, err := b.AllStats(t.Context())
	require.NoError(t, err)

	b.ahead(month.Events - time.Hour)
	assert.Zero(t, b.sweep()["webhooks"], "not an hour too early")
	b.ahead(month.Events + 50*time.Hour)
	assert.EqualValues(t, 3, b.sweep()["webhooks"])
	require.Empty(t, b.columnsHolding(replies...))
	require.Len(t, b.columnsHolding(texts...), 3, "texts have a retention of their own")

	b.ahead(month.Texts + 50*time.Hour)
	assert.EqualValues(t, 1, b.sweep()["texts of campaigns"])
	require.Empty(t, b.columnsHolding(texts...))
	assert.Zero(t, b.sweep()["texts of campaigns"])
	after, err := b.AllStats(t.Context())
	require.NoError(t, err)
	require.Equal(t, before, after, "numbers stay")
	late := b.reply(1, "long after")
	require.Equal(t, "late reply", late.Outcome, "a late reply still finds whom it is from")
	require.Equal(t, campaign.LateInteraction, b.state(one[uuid.UUID](b, `SELECT campaign_id FROM recipients LIMIT 1`), contacts[1]))
}

// answeredCampaign is one whose first contact has answered, with a raw webhook
// for everybody.
func (b bench) answeredCampaign(n int) (uuid.UUID, []uuid.UUID) {
	b.t.Helper()
	id, contacts := b.messaged(n)
	for i := range contacts {
		event := campaign.Event{Kind: campaign.EventIgnored}
		if i == 0 {
			event = campaign.Event{Kind: campaign.EventReply, Phone: phone(0), Interaction: campaign.Text, Body: "what was answered"}
		}
		event.Key = uuid.NewString()
		b.webhook(`{"body":"what was answered"}`, event)
	}
	b.send(key(id, contacts[0], campaign.Message2))
	return id, contacts
}

// closeAll lets every window and campaign come to its end.
func (b bench) closeAll() {
	b.t.Helper()
	b.ahead(49 * time.Hour)
	rows, err := b.Pool().Query(`SELECT campaign_id, contact_id FROM recipients`)
	require.NoError(b.t, err)
	defer rows.Close()
	campaigns := map[uuid.UUID]bool{}
	for rows.Next() {
		var campaignID, contactID uuid.UUID
		require.NoError(b.t, rows.Scan(&campaignID, &contactID))
		_, err := b.CloseWindow(b.t.Context(), campaignID, contactID)
		require.NoError(b.t, err)
		campaigns[campaignID] = true
	}
	require.NoError(b.t, rows.Err())
	for id := range campaigns {
		closing, err := b.CloseCampaign(b.t.Context(), id)
		require.NoError(b.t, err)
		require.True(b.t, closing.Closed)
	}
}

func TestNothingIsRemovedOfACampaignThatStillRunsNorAWebhookThatIsNotApplied(t *testing.T) {
	b := open(t).keeping(month)
	id, contacts := b.answeredCampaign(1)
	b.ahead(90 * 24 * time.Hour) // whatever keeps it from closing
	swept := b.sweep()
	assert.Zero(t, swept["webhooks"])
	assert.Zero(t, swept["texts of campaigns"])

	b.exec(`UPDATE campaigns SET status = 'completed', completed_at = started_at`)
	b.exec(`UPDATE recipients SET state = 'replied', finished_at = NULL`)
	b.exec(`UPDATE webhook_events SET processed_at = NULL`)
	swept = b.sweep()
	assert.Zero(t, swept["webhooks"], "not applied")
	assert.Zero(t, swept["texts of campaigns"], "an answer is owed")
	b.exec(`UPDATE recipients SET state = 'message_2_sent', finished_at = relance_now()`)
	b.exec(`UPDATE webhook_events SET processed_at = received_at`)
	swept = b.sweep()
	assert.EqualValues(t, 1, swept["webhooks"])
	assert.EqualValues(t, 1, swept["texts of campaigns"])

	// Should an answer come to be owed all the same, nothing empty leaves.
	b.exec(`UPDATE recipients SET state = 'replied', finished_at = NULL`)
	b.exec(`UPDATE messages SET status = 'pending', sent_at = NULL, counted_at = NULL, claimed_at = NULL WHERE message_type = 'message_2'`)
	assert.Equal(t, store.Recorded, b.claim(key(id, contacts[0], campaign.Message2)).Verdict)
	assert.Equal(t, campaign.Stopped, b.state(id, contacts[0]))
}

func TestRemovalGoesThroughALargeCampaignInSmallParts(t *testing.T) {
	b := open(t).keeping(month)
	id, _ := b.messaged(1)
	b.closeAll()
	b.exec(`INSERT INTO recipients (campaign_id, contact_id, device_id, position, phone, variables, state, finished_at)
		SELECT $1, gen_random_uuid(), $2, n, '+33639990000', '{"name": "Somebody"}', 'not_sent', relance_now() FROM generate_series(2, 2500) n`, id, device)
	b.exec(`INSERT INTO webhook_events (id, dedupe_key, raw, received_at, processed_at)
		SELECT CAST(lpad(to_hex(n), 32, '0') AS uuid), n, 'x', relance_now(), relance_now() FROM generate_series(1, 2500) n`)
	b.ahead(month.Texts + 50*time.Hour)
	swept := b.sweep()
	assert.EqualValues(t, 2500, swept["webhooks"])
	assert.EqualValues(t, 1, swept["texts of campaigns"])
	assert.Zero(t, one[int](b, `SELECT count(*) FROM recipients WHERE variables <> '{}'`))
}

func TestNoRetentionKeepsEverything(t *testing.T) {
	b := open(t)
	b.answeredCampaign(1)
	b.closeAll()
	b.ahead(10 * 365 * 24 * time.Hour)
	swept := b.sweep()
	assert.Zero(t, swept["webhooks"]+swept["texts of campaigns"])
}
