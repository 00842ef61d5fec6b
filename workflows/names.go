package workflows

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/google/uuid"
	"go.temporal.io/sdk/temporal"
)

// Task queues.
const (
	// TaskQueue takes workflow tasks and the activities that only ask the database.
	TaskQueue = "relance"
	// SendTaskQueue takes the activities that call the provider.
	SendTaskQueue = "relance-send"
)

// Register tells a worker, a replayer or a test environment of every workflow.
func Register(registry interface{ RegisterWorkflow(workflow any) }) {
	for _, workflow := range []any{Campaign, Wave, Contact, ContactV2, ParkedWebhook} {
		registry.RegisterWorkflow(workflow)
	}
}

// CampaignPrefix is what the workflow ids of campaigns begin with.
const CampaignPrefix = "campaign/"

// CampaignID is the workflow id of a campaign.
func CampaignID(campaignID uuid.UUID) string { return CampaignPrefix + campaignID.String() }

// WaveID is the workflow id of a campaign's n-th wave.
func WaveID(campaignID uuid.UUID, n int) string {
	return fmt.Sprintf("%s/wave/%d", CampaignID(campaignID), n)
}

// ContactID is the workflow id of one contact of a campaign.
func ContactID(campaignID, contactID uuid.UUID) string {
	return ContactsOf(campaignID) + contactID.String()
}

// ContactsOf is what the workflow ids of a campaign's contacts begin with.
func ContactsOf(campaignID uuid.UUID) string { return CampaignID(campaignID) + "/contact/" }

// SubjectOf tells from a workflow's id which campaign it is of, and which of the
// campaign's contacts or waves, if it is of one; all are zero for other workflows.
func SubjectOf(workflowID string) (campaignID, contactID uuid.UUID, wave int) {
	parts := strings.Split(workflowID, "/")
	if len(parts) < 2 || parts[0] != "campaign" {
		return uuid.Nil, uuid.Nil, 0
	}
	campaignID, err := uuid.Parse(parts[1])
	if err != nil || len(parts) != 4 {
		return campaignID, uuid.Nil, 0
	}
	switch parts[2] {
	case "contact":
		contactID, _ = uuid.Parse(parts[3]) // nil where it is none
	case "wave":
		wave, _ = strconv.Atoi(parts[3]) // 0 where it is none
	}
	return campaignID, contactID, wave
}

// ParkedWebhookID is the workflow id of a parked webhook, by the hash of what it
// is recognised by.
func ParkedWebhookID(hash string) string { return "webhook/" + hash }

const (
	// InteractionSignal tells a contact's workflow that the database knows more
	// than it did: a reply, an acknowledgement, a resumed campaign. It carries
	// nothing and may be lost, late or doubled.
	InteractionSignal = "interaction"

	// DecidedSignal tells a campaign's workflow that an admin's decision stands in
	// the database, or that everyone in it is final there. It carries nothing and may be lost, late or doubled. Operators
	// decide at the workflow itself, by its updates pause, resume and cancel.
	DecidedSignal = "decided"

	// ProgressQuery answers with [Progress].
	ProgressQuery = "progress"
)

// Search attributes of every workflow here.
var (
	// CampaignIDKey is the campaign's id.
	CampaignIDKey = temporal.NewSearchAttributeKeyKeyword("CampaignId")
	// ContactStateKey is the state that a contact's workflow ended with; a late reply
	// that comes afterwards changes the state in the database alone.
	ContactStateKey = temporal.NewSearchAttributeKeyKeyword("ContactState")
)
