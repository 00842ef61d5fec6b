package store

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/relance/relance/campaign"
)

// TimelineEvent is what happened at one point of a contact's story.
type TimelineEvent string

// The events of a contact's story.
const (
	TimelineCreated   TimelineEvent = "created"   // the contact
	TimelineOptedOut  TimelineEvent = "opted_out" // the contact
	TimelineSent      TimelineEvent = "sent"      // Message 1 left
	TimelineDelivered TimelineEvent = "delivered" // either message
	TimelineRead      TimelineEvent = "read"      // either message
	TimelineFailed    TimelineEvent = "failed"    // either message
	TimelineReplied   TimelineEvent = "replied"   // in time or late
	TimelineAnswered  TimelineEvent = "answered"  // Message 2 left
	TimelineFinished  TimelineEvent = "finished"  // the recipient's state became final
)

// TimelinePosition is an entry's place in a contact's story, which runs from the
// oldest to the newest. Rank orders what happened at the same instant as it
// follows from each other; ids break the ties that are left.
type TimelinePosition struct {
	At   time.Time
	Rank int16
	ID   uuid.UUID
}

// TimelineEntry is one event of a contact's story. What does not belong to its
// event is zero.
type TimelineEntry struct {
	TimelinePosition
	Event           TimelineEvent
	CampaignID      *uuid.UUID // nil for events about the contact itself
	CampaignName    string
	MessageType     campaign.MessageType     // sent, answered, delivered, read, failed
	Error           string                   // failed: the provider's words
	InteractionType campaign.InteractionType // replied
	Within24h       *bool                    `gorm:"column:within_24h"` // replied
	State           campaign.RecipientState  // finished
	StateReason     campaign.Reason          // finished
}

// A message's own steps are ranked 1 to 4 for Message 1 and 7 to 10 for Message 2,
// with the reply that earned it between them.
//
// We learn of a sending when the provider's answer is in. By then a delivery, told
// in WhatsApp's whole seconds, or even a reply may bear an older time: it is told
// at the sending's moment then. A failure that was disproved keeps its failed_at,
// but is none any more.
const timelineQuery = `
	WITH parts AS (
	    SELECT r.campaign_id, c.name AS campaign_name, r.state, r.state_reason, r.message_1_sent_at, r.finished_at
	    FROM recipients r JOIN campaigns c ON c.id = r.campaign_id
	    WHERE r.contact_id = @contact
	), story AS (
	    SELECT e.at, e.rank, k.id, e.event, CAST(NULL AS uuid) AS campaign_id, '' AS campaign_name,
	           '' AS message_type, '' AS error, '' AS interaction_type, CAST(NULL AS boolean) AS within_24h,
	           '' AS state, '' AS state_reason
	    FROM contacts k
	    CROSS JOIN LATERAL (VALUES ('created', 0, k.created_at), ('opted_out', 6, k.opted_out_at)) e (event, rank, at)
	    WHERE k.id = @contact AND e.at IS NOT NULL
	  UNION ALL
	    SELECT greatest(e.at, m.sent_at), e.rank + CASE m.message_type WHEN 'message_2' THEN 6 ELSE 0 END, m.id, e.event,
	           p.campaign_id, p.campaign_name, m.message_type, CASE e.event WHEN 'failed' THEN m.error ELSE '' END,
	           '', NULL, '', ''
	    FROM parts p JOIN messages m ON m.campaign_id = p.campaign_id AND m.contact_id = @contact
	    CROSS JOIN LATERAL (VALUES
	        (CASE m.message_type WHEN 'message_2' THEN 'answered' ELSE 'sent' END, 1, m.sent_at),
	        ('delivered', 2, m.delivered_at),
	        ('read', 3, m.read_at),
	        ('failed', 4, CASE m.status WHEN 'failed' THEN m.failed_at END)) e (event, rank, at)
	    WHERE e.at IS NOT NULL
	  UNION ALL
	    SELECT greatest(i.received_at, p.message_1_sent_at), 5, i.id, 'replied', p.campaign_id, p.campaign_name, '', '',
	           i.interaction_type, i.within_24h, '', ''
	    FROM parts p JOIN interactions i ON i.campaign_id = p.campaign_id AND i.contact_id = @contact
	  UNION ALL
	    SELECT p.finished_at, 11, p.campaign_id, 'finished', p.campaign_id, p.campaign_name, '', '', '', NULL, p.state, p.state_reason
	    FROM parts p WHERE p.finished_at IS NOT NULL
	)
	SELECT * FROM story`

// Timeline tells a contact's story across all campaigns, oldest first: at most
// limit entries after a position, nil for the beginning. more tells whether
// others follow. The story of a deleted contact is what its campaigns recorded;
// [ErrNotFound] for an id that is neither a contact's nor a recipient's.
func (s *Store) Timeline(ctx context.Context, contactID uuid.UUID, after *TimelinePosition, limit int) (entries []TimelineEntry, more bool, err error) {
	query, values := timelineQuery, map[string]any{"contact": contactID, "limit": limit + 1}
	if after != nil {
		query += ` WHERE (at, rank, id) > (@at, @rank, @id)`
		values["at"], values["rank"], values["id"] = after.At, after.Rank, after.ID
	}
	query += ` ORDER BY at, rank, id LIMIT @limit`
	if err := s.db.WithContext(ctx).Raw(query, values).Scan(&entries).Error; err != nil {
		return nil, false, fmt.Errorf("telling a contact's story: %w", err)
	}
	if len(entries) == 0 { // nothing has happened, or nobody is there
		if err := s.everKnown(ctx, contactID); err != nil {
			return nil, false, fmt.Errorf("telling a contact's story: %w", err)
		}
	}
	entries, more = cut(entries, limit)
	return entries, more, nil
}

// everKnown reports [ErrNotFound] for an id that no contact has and none of the
// recipients had.
func (s *Store) everKnown(ctx context.Context, contactID uuid.UUID) error {
	var known bool
	return value(s.db.WithContext(ctx), &known, `
		SELECT true WHERE EXISTS (SELECT FROM contacts WHERE id = @contact)
		               OR EXISTS (SELECT FROM recipients WHERE contact_id = @contact)`, map[string]any{"contact": contactID})
}
