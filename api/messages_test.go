package api_test

import (
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/relance/relance/campaign"
)

func TestMessagesAreListedNewestFirstAndNarrowed(t *testing.T) {
	s := serve(t)
	id := s.running(5)
	of := func(query string) []object {
		t.Helper()
		var all []object
		for path := "/messages?limit=2" + query; ; {
			got := read[page[object]](s.call("GET", path, nil), 200)
			all = append(all, got.Items...)
			if got.NextCursor == nil {
				return all
			}
			path = "/messages?limit=2" + query + "&cursor=" + *got.NextCursor
		}
	}
	all := of("")
	require.Len(t, all, 5)
	seen := map[any]bool{}
	for i, message := range all {
		assert.Equal(t, "message_1", message["message_type"])
		assert.Equal(t, id.String(), message["campaign_id"])
		assert.Contains(t, message["phone"], "+336390000")
		if i > 0 {
			assert.False(t, moment(t, all[i-1]["created_at"]).Before(moment(t, message["created_at"])))
		}
		seen[message["id"]] = true
	}
	assert.Len(t, seen, 5, "none is listed twice")

	failed := of("&status=failed")
	require.Len(t, failed, 1)
	assert.Equal(t, "blocked", failed[0]["error"])
	assert.NotNil(t, failed[0]["failed_at"])
	assert.Len(t, of("&campaign_id="+id.String()+"&status=pending&type=message_1"), 3)
	assert.Empty(t, of("&campaign_id="+uuid.NewString()))
	assert.Empty(t, of("&type=message_2"))
	assert.Len(t, of("&reached=sent"), 1)
	assert.Empty(t, of("&reached=delivered"))
	_, err := s.store.Apply(t.Context(), campaign.Event{Kind: campaign.EventAck, Key: "ack", ProviderID: "p1", Status: campaign.MessageRead}, s.now())
	require.NoError(t, err)
	assert.Len(t, of("&reached=delivered&type=message_1"), 1, "what was read was delivered")
	assert.Empty(t, of("&status=delivered"))
	assert.Equal(t, []string{"query.reached"}, s.call("GET", "/messages?reached=moon", nil).problem(422).locations())
	assert.Equal(t, []string{"query.status"}, s.call("GET", "/messages?status=lost", nil).problem(422).locations())
	assert.Equal(t, []string{"query.cursor"}, s.call("GET", "/messages?cursor=x", nil).problem(422).locations())
}

func TestProperty14_StatsOfAllCampaignsHaveEveryField(t *testing.T) {
	s := serve(t)
	none := read[object](s.call("GET", "/messages/stats", nil), 200)
	assert.Equal(t, 0.0, none["total_contacts"])
	s.running(5)
	stats := read[object](s.call("GET", "/messages/stats", nil), 200)
	for field, want := range map[string]float64{
		"total_contacts": 5, "messages_sent": 1, "messages_delivered": 0, "messages_read": 0, "interactions": 0, "failures": 1,
	} {
		assert.Equal(t, want, stats[field], field)
	}
	assert.Len(t, stats["states"], 10)
}

func moment(t *testing.T, text any) time.Time {
	t.Helper()
	at, err := time.Parse(time.RFC3339Nano, text.(string))
	require.NoError(t, err)
	return at
}
