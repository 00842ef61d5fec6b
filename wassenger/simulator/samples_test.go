package simulator_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/relance/relance/campaign"
	"github.com/relance/relance/wassenger"
)

func TestASampleIsSentToTheWebhookThatAsksForItAlone(t *testing.T) {
	for id, c := range map[string]struct {
		event string
		want  campaign.Event
	}{
		"inbound-text":             {"message:in:new", campaign.Event{Interaction: campaign.Text}},
		"inbound-image":            {"message:in:new", campaign.Event{Interaction: campaign.Image}},
		"inbound-video":            {"message:in:new", campaign.Event{Interaction: campaign.Video}},
		"inbound-audio":            {"message:in:new", campaign.Event{Interaction: campaign.Audio}},
		"inbound-document":         {"message:in:new", campaign.Event{Interaction: campaign.Document}},
		"inbound-quoted":           {"message:in:new", campaign.Event{Interaction: campaign.Text, QuotedWAID: "3EB0AABBCCDDEEFF0011"}},
		"inbound-reaction":         {"message:reaction", campaign.Event{Interaction: campaign.Emoji, QuotedWAID: "3EB0AABBCCDDEEFF0011"}},
		"outbound-reaction":        {"message:reaction", campaign.Event{Interaction: campaign.Emoji, QuotedWAID: "3EB0AABBCCDDEEFF0011"}},
		"inbound-reaction-deleted": {"message:reaction", campaign.Event{Ignored: "reaction removed"}},
		"message-update-edit":      {"message:update", campaign.Event{Ignored: "not an event that campaigns use"}},
		"outbound-text":            {"message:out:new", campaign.Event{Ignored: "our own message"}},
		"outbound-read":            {"message:out:ack", campaign.Event{Status: campaign.MessageRead}},
		"outbound-played":          {"message:out:ack", campaign.Event{Status: campaign.MessageRead}},
		"outbound-failed":          {"message:out:failed", campaign.Event{Status: campaign.MessageFailed}},
	} {
		t.Run(id, func(t *testing.T) {
			s, a, others := playing(t, nil)
			r := receive(t, nil)
			a.register("?sample="+id, registration(r.url, c.event))
			quiet(t, s)
			require.Len(t, r.all(), 1)
			assert.Equal(t, c.event, r.all()[0].Event)
			events, err := wassenger.ParseWebhook(r.all()[0].raw)
			require.NoError(t, err)
			require.Len(t, events, 1)
			e := events[0]
			assert.Equal(t, c.want, campaign.Event{Interaction: e.Interaction, QuotedWAID: e.QuotedWAID, Status: e.Status, Ignored: e.Ignored})
			assert.Empty(t, others.all())
			assert.Empty(t, s.Ledger().Messages)
			assert.Empty(t, s.Ledger().Replies)
		})
	}
}

func TestASampleThatCannotBePlayedIsRefusedByName(t *testing.T) {
	a := serve(t, newSimulator(t, config()))
	body := registration("http://127.0.0.1:1/hook", "message:in:new")
	for _, id := range []string{"inbound-location", "outbound-read"} { // not played; not subscribed to
		got := a.call("POST", "/v1/webhooks?sample="+id, body)
		assert.Equal(t, http.StatusBadRequest, got.status)
		assert.Contains(t, string(got.body), "sample")
	}
	assert.Contains(t, string(a.call("POST", "/v1/webhooks?sample=inbound-location", body).body), "inbound-location")
	var listed []object
	a.call("GET", "/v1/webhooks", nil).decode(t, &listed)
	assert.Empty(t, listed)
}

func TestASampleThatWasPlannedBeforeAKillIsSentAfterIt(t *testing.T) {
	r, others := receive(t, nil), receive(t, nil)
	cfg := config()
	cfg.JournalPath, cfg.WebhookURL = journalPath(t), others.url
	first := newSimulator(t, cfg)
	serve(t, first).register("?sample=inbound-text", registration(r.url, "message:in:new"))

	cfg.JournalPath = killed(t, cfg.JournalPath, "")
	second := newSimulator(t, cfg)
	run(t, second)
	quiet(t, second)
	assert.Equal(t, []string{"message:in:new"}, r.words())
	assert.Empty(t, others.all())
}
