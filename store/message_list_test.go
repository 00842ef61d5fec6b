package store_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/relance/relance/campaign"
	"github.com/relance/relance/store"
)

func TestEveryNarrowingOfMessagesListsTheSameAsLookingAtEachMessage(t *testing.T) {
	b := open(t)
	contacts := b.contacts(60)
	large, small := b.launched(contacts), b.launched(contacts[:20])
	// Statuses in no order of time, two messages made at the same moment, and kinds that do not occur.
	b.exec(`UPDATE messages SET claimed_at = now(), counted_at = now(), failed_at = now(),
		created_at = date_trunc('second', created_at) + make_interval(secs => abs(hashtext(id::text)) % 30),
		status = (ARRAY['pending', 'sent', 'read', 'failed', 'no_interaction'])[1 + abs(hashtext(contact_id::text)) % 5],
		sent_at = CASE WHEN abs(hashtext(contact_id::text)) % 5 NOT IN (0, 3) THEN now() END,
		read_at = CASE WHEN abs(hashtext(contact_id::text)) % 5 IN (2, 4) THEN now() END`)
	b.exec(`INSERT INTO messages (id, campaign_id, contact_id, device_id, message_type, status, claimed_at, counted_at, sent_at, created_at)
		SELECT gen_random_uuid(), campaign_id, contact_id, device_id, 'message_2', 'read', now(), now(), now(), created_at FROM messages WHERE status = 'read'`)
	for _, of := range []uuid.UUID{uuid.Nil, large, small, uuid.New()} {
		for _, kind := range []campaign.MessageType{"", campaign.Message1, campaign.Message2} {
			for _, status := range append([]campaign.MessageStatus{""}, campaign.MessageStatuses...) {
				for _, reached := range []store.Reached{"", store.ReachedSent, store.ReachedRead} {
					filter := store.MessageFilter{CampaignID: of, Type: kind, Status: status, Reached: reached}
					assert.Equal(t, b.messagesLike(filter), b.messagesListed(filter), "%+v", filter)
				}
			}
		}
	}
}

// messagesLike looks at each message.
func (b bench) messagesLike(f store.MessageFilter) []string {
	b.t.Helper()
	listed := one[string](b, `SELECT coalesce(string_agg(id::text, ' ' ORDER BY created_at DESC, id DESC), '') FROM messages
		WHERE (campaign_id = $1 OR $1 = '00000000-0000-0000-0000-000000000000') AND (message_type = $2 OR $2 = '') AND (status = $3 OR $3 = '')
		AND ($4 = '' OR $4 = 'sent' AND sent_at IS NOT NULL OR $4 = 'read' AND read_at IS NOT NULL)`,
		f.CampaignID, string(f.Type), string(f.Status), string(f.Reached))
	return strings.Fields(listed)
}

// messagesListed asks for page after page.
func (b bench) messagesListed(f store.MessageFilter) []string {
	b.t.Helper()
	ids := []string{}
	for page := (store.Page{Limit: 7}); ; {
		list, err := b.Messages(b.t.Context(), f, page)
		require.NoError(b.t, err)
		for _, m := range list.Messages {
			ids = append(ids, m.ID.String())
		}
		if page.After = list.Next; page.After == nil {
			return ids
		}
		require.Less(b.t, len(ids), 1000, fmt.Sprintf("%+v goes round in a circle", f))
	}
}
