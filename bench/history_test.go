package bench

import (
	"errors"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"

	"github.com/relance/relance/workflows"
)

// history is what Temporal keeps of campaigns.
type history struct {
	events, bytes float64 // per contact, with its share of the waves' and the campaign's
	largest       size
}

// size is that of one workflow's history.
type size struct{ events, bytes int64 }

// sampled is how many contacts' histories are looked at.
const sampled = 20

// readHistory looks at the histories of a sample of contacts, those who replied
// and those who did not in equal numbers, and of all waves and campaigns.
func (r *relance) readHistory(temporal client.Client, campaigns []uuid.UUID, replying []int, contacts int) history {
	r.b.Helper()
	var h history
	add := func(found size, weight float64) {
		h.events += weight * float64(found.events)
		h.bytes += weight * float64(found.bytes)
		if found.bytes > h.largest.bytes {
			h.largest = found
		}
	}
	each := 1 / float64(contacts)
	for _, id := range campaigns {
		found, _ := r.sizeOf(temporal, workflows.CampaignID(id))
		add(found, each)
		for n := 1; ; n++ {
			wave, exists := r.sizeOf(temporal, workflows.WaveID(id, n))
			if !exists {
				break
			}
			add(wave, each)
		}
	}
	replied := map[int]bool{}
	for _, i := range replying {
		replied[i] = true
	}
	var silent []int
	for i := range contacts {
		if !replied[i] {
			silent = append(silent, i)
		}
	}
	for _, group := range [][]int{replying, silent} {
		some := min(sampled/2, len(group))
		for k := range some {
			found, exists := r.sizeOf(temporal, r.workflowOf(group[k*len(group)/some]))
			require.True(r.b, exists)
			add(found, each*float64(len(group))/float64(some))
		}
	}
	return h
}

// workflowOf is the workflow of a contact who is in one campaign.
func (r *relance) workflowOf(contact int) string {
	r.b.Helper()
	var campaignID, contactID uuid.UUID
	require.NoError(r.b, r.db.QueryRowContext(r.b.Context(), `SELECT campaign_id, contact_id FROM recipients WHERE phone = $1`,
		phone(contact)).Scan(&campaignID, &contactID))
	return workflows.ContactID(campaignID, contactID)
}

func (r *relance) sizeOf(temporal client.Client, workflowID string) (found size, exists bool) {
	r.b.Helper()
	described, err := temporal.DescribeWorkflowExecution(r.b.Context(), workflowID, "")
	var missing *serviceerror.NotFound
	if errors.As(err, &missing) {
		return size{}, false
	}
	require.NoError(r.b, err)
	info := described.GetWorkflowExecutionInfo()
	return size{events: info.GetHistoryLength(), bytes: info.GetHistorySizeBytes()}, true
}
