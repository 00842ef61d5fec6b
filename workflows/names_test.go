package workflows

import (
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
)

func TestWorkflowIDTellsWhomItIsAbout(t *testing.T) {
	type subject struct {
		campaign, contact uuid.UUID
		wave              int
	}
	campaignID, contactID := uuid.New(), uuid.New()
	for id, want := range map[string]subject{
		CampaignID(campaignID):                     {campaign: campaignID},
		WaveID(campaignID, 12):                     {campaign: campaignID, wave: 12},
		ContactID(campaignID, contactID):           {campaign: campaignID, contact: contactID},
		ParkedWebhookID("0123"):                    {},
		"campaign/none/contact/none":               {},
		CampaignID(campaignID) + "/contact/none":   {campaign: campaignID},
		CampaignID(campaignID) + "/something/else": {campaign: campaignID},
		"": {},
	} {
		var got subject
		got.campaign, got.contact, got.wave = SubjectOf(id)
		require.Equal(t, want, got, id)
	}
}
